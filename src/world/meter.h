// Measures a trace as it is lived through: for how long each host was over its threshold, what was
// asked of it and not served. Loads are constant between two moments at which something changes, so
// the sums are exact and not sampled.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ballast/model/snapshot.h"
#include "ballast/model/trace.h"

namespace ballast::world {

class Meter {
 public:
  explicit Meter(std::shared_ptr<const Trace> trace);

  // A VM runs on another host from now on. Times since the trace began, never running backwards.
  void moved(Duration at, VmIndex vm, HostIndex from, HostIndex to);
  // A new interval begins.
  void interval(Duration at);
  // Everything up to now is counted.
  void close(Duration at);

  double time_over_threshold() const { return share(over_s_, host_s_); }
  double time_saturated() const { return share(saturated_s_, host_s_); }
  double demand_not_served() const { return share(not_served_, demand_); }
  double utilisation_mean() const { return share(demand_, capacity_); }
  double utilisation_max() const { return utilisation_max_; }
  // Moves that brought a VM back to a host that it had left at most two hours before.
  std::uint64_t returns() const { return returns_; }
  // How long each host was over its threshold, in the order of the trace.
  const std::vector<Duration>& over() const { return over_; }
  // Memory of the VMs that moved, when they arrived.
  double moved_mib() const { return moved_mib_; }

 private:
  static double share(double part, double whole) { return whole > 0 ? part / whole : 0; }
  void count(Duration at, HostIndex host);

  std::shared_ptr<const Trace> trace_;
  std::vector<Resources> loads_;     // of hosts
  std::vector<Resources> vm_loads_;  // of this interval
  std::vector<HostIndex> host_of_;
  std::vector<Duration> counted_until_;                            // of hosts
  std::vector<std::vector<std::pair<HostIndex, Duration>>> left_;  // of VMs: when they left which
  std::vector<Duration> over_;                                     // of hosts
  double moved_mib_ = 0;
  double host_s_ = 0;
  double over_s_ = 0;
  double saturated_s_ = 0;
  double demand_ = 0;  // MHz x s
  double not_served_ = 0;
  double capacity_ = 0;
  double utilisation_max_ = 0;
  std::uint64_t returns_ = 0;
};

}  // namespace ballast::world
