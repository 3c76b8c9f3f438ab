// What all threads of one simulated host share, and the only ways to change it.
//
// A change that another process may rely on is a commit(): it is in the state file before it is
// true, and it is true before anybody is told. What need not survive the process (a copy on its
// way, memory that is taken for one) changes in memory alone, by change().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ballast/hypermodel/host.h"
#include "ballast/hypermodel/loads.h"
#include "ballast/simulated/hypervisor.h"
#include "pool.h"
#include "record.h"
#include "socket.h"

namespace ballast::simulated {

using hypermodel::Copy;
using hypermodel::CopyState;
using hypermodel::HostModel;

// A migration that this host was ordered to do.
struct Order {
  LeaseId lease;
  VmId vm;
  std::string target_uri;
  double bandwidth_mib_s = 0;
  std::string token;
  std::string target_host{};  // whose hypervisor must be there; empty: anybody
};

// How a moment goes on; what is not `on` is for the caller to act on.
enum class Course : unsigned char { on, error, cut };

class Machine {
 public:
  using Change = std::function<Status(HostModel&)>;

  Machine(const Options& options, Listener listener, HostModel model, double started_unix_s,
          std::string instance);
  ~Machine();
  void start();

  // --- what the node asks (hypervisor.cpp)
  void submit(const HypervisorCommand& command);
  std::vector<HypervisorEvent> take_events();
  int event_descriptor() const { return events_ready_.get(); }
  Peer self() const;
  std::uint64_t rejected() const { return rejected_; }
  std::uint64_t dropped_events() const;
  double memory_used_mib() const;

  // --- test's hands (interference.cpp)
  void interfere(Moment moment, Interference with);
  bool is_held(Moment moment) const;
  void release();
  void set_reachable(bool reachable) { reachable_ = reachable; }
  void kill();
  bool is_dead() const { return dead_; }

 private:
  friend class Outgoing;
  friend class Incoming;
  friend class SendingSlot;

  // --- state (machine.cpp)
  Status commit(const Change& change);
  Status change(const Change& change);
  std::optional<Copy> find(const VmId& vm) const;
  void tell(HypervisorEvent event);
  Duration since_start() const;

  // --- threads
  void start_migration(const StartMigration& command);
  void listen();          // accepts connections (target.cpp)
  void serve(Line line);  // one of them
  void answer(Line& line, const Record& question);
  void settle();  // ends doubts (settle.cpp)
  void settle_one(const VmId& vm, const Copy& copy);
  Connected connect(const Peer& peer) const;
  void stop();

  // on.
  Course at(Moment moment);

  const Options options_;
  const hypermodel::Loads loads_;
  const Listener listener_;
  const double started_unix_s_;
  const std::string instance_;  // makes tokens of this life unlike those of others

  mutable std::mutex mutex_;
  HostModel model_;
  std::deque<HypervisorEvent> events_;
  std::uint64_t dropped_events_ = 0;
  std::uint64_t last_order_ = 0;
  std::size_t sending_ = 0;              // copies under way
  std::map<VmId, bool> orders_;          // under way here; true: asked to abort
  std::set<std::string> conversations_;  // tokens of open ones, at either end
  std::map<Moment, Interference> planned_;
  std::set<Moment> held_;
  std::uint64_t releases_ = 0;
  std::condition_variable released_;
  std::condition_variable stop_settling_;

  std::mutex commit_mutex_;  // taken before mutex_
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> dead_ = false;
  std::atomic<bool> reachable_ = true;
  std::atomic<std::uint64_t> rejected_ = 0;
  Descriptor events_ready_;
  Pool outgoing_;
  Pool incoming_;
  std::thread listening_;
  std::thread settling_;
};

}  // namespace ballast::simulated
