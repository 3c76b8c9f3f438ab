// The demo's view of the whole fleet, put together from what its masters say; and what becomes of
// the slaves of a master that is killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/model/trace.h"
#include "ballast/node/view.h"
#include "demo_fleet.h"

namespace ballast::cli {

class DemoWatch {
 public:
  DemoWatch(const Trace& trace, DemoFleet& fleet);

  // What all masters that live say together: their hosts, migrations and news. Error when one that
  // should answer does not.
  Result<node::View> look();
  // Summed over the masters, and over their lives.
  std::uint64_t counter(const std::string& name) const;

  // Kills the last master with SIGKILL.
  void kill_master();
  // Notices which of its slaves belong to another master by now, and starts it anew when all do, or
  // after 10 s.
  Status follow_killed();
  bool killed() const { return killed_at_.has_value(); }
  // For each slave of the killed master, how long it had none; those without one are missing.
  const std::vector<double>& reattached_s() const { return reattached_s_; }
  std::size_t orphans() const { return orphans_.size(); }

 private:
  using Clock = std::chrono::steady_clock;

  const Trace& trace_;
  DemoFleet& fleet_;
  std::vector<std::uint64_t> last_event_;  // of each master
  std::vector<std::map<std::string, std::uint64_t>> counters_;
  std::map<std::string, std::uint64_t> counters_of_the_dead_;
  std::optional<Clock::time_point> killed_at_;
  std::vector<std::size_t> orphans_;
  std::vector<double> reattached_s_;
  bool restarted_ = false;
};

}  // namespace ballast::cli
