// The demo's view of the whole fleet, put together from what its masters say; and what becomes of
// the slaves of a master that is killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ballast/model/trace.h"
#include "ballast/node/view.h"
#include "demo_fleet.h"

namespace ballast::cli {

class DemoWatch {
 public:
  DemoWatch(const Trace& trace, DemoFleet& fleet);

  // What all masters that live say together: their hosts, group by group, migrations and news. What
  // the demo itself did is among the news, with the number 0. Error when a master that should
  // answer does not.
  Result<node::View> look();
  // Summed over the masters, and over their lives.
  std::uint64_t counter(const std::string& name) const;

  // Kills the last so many masters at once, with SIGKILL.
  void kill_masters(std::size_t count);
  // Notices which of their slaves belong to another master by now, and starts the killed ones anew
  // when all do, or after 10 s.
  Status follow_killed();
  std::size_t killed() const { return killed_; }
  // For each slave of a killed master, how long it had none; those without one are missing.
  const std::vector<double>& reattached_s() const { return reattached_s_; }
  std::size_t orphans() const { return orphans_.size(); }

 private:
  bool is_victim(std::size_t master) const { return master + killed_ >= fleet_.masters(); }
  using Clock = std::chrono::steady_clock;
  struct Shown {
    std::size_t master = 0;
    node::HostView host;
  };

  node::HostView as_killed(std::size_t master) const;
  void tell(node::EventKind kind, std::string text);

  const Trace& trace_;
  DemoFleet& fleet_;
  std::vector<std::uint64_t> last_event_;  // of each master
  std::vector<std::map<std::string, std::uint64_t>> counters_;
  std::map<std::string, std::uint64_t> counters_of_the_dead_;
  std::size_t killed_ = 0;
  Clock::time_point killed_at_;
  std::map<std::size_t, std::size_t> orphans_;  // slaves, and the master that each has lost
  std::vector<double> reattached_s_;
  std::vector<node::Event> news_;
  bool restarted_ = false;
};

}  // namespace ballast::cli
