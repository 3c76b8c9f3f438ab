// Where every unit is, at one moment of the search or of the plan, and the load of every host that
// follows from it.
#pragma once

#include <vector>

#include "problem.h"

namespace ballast::plan {

class Placement {
 public:
  // Everything where it is in the snapshot. The problem must outlive the placement.
  explicit Placement(const Problem& problem);

  HostIndex at(UnitIndex unit) const { return at_[unit]; }
  bool moved(UnitIndex unit) const { return at_[unit] != problem_->units[unit].home; }
  const Load& load(HostIndex host) const { return load_[host]; }
  const Load& variance(HostIndex host) const { return variance_[host]; }
  double heat(HostIndex host) const {
    return heat_of(problem_->hosts[host], load_[host], variance_[host]);
  }
  // ... with the unit added.
  double heat_with(UnitIndex unit, HostIndex host) const {
    const Unit& added = problem_->units[unit];
    Load load = load_[host];
    Load variance = variance_[host];
    for (std::size_t k = 0; k < resource_count; ++k) {
      load[k] += added.load[k];
      variance[k] += added.variance[k];
    }
    return heat_of(problem_->hosts[host], load, variance);
  }
  const std::vector<UnitIndex>& on(HostIndex host) const { return on_[host]; }

  // VMs that left the host, or came to it, since the start.
  std::uint32_t traffic(HostIndex host) const { return traffic_[host]; }

  void move(UnitIndex unit, HostIndex to);

  // True when no rule keeps the unit from that host; at home what was broken at the start may stay
  // so. `leaving` is a unit that is taken for gone.
  bool rules_allow(UnitIndex unit, HostIndex to, UnitIndex leaving = no_unit) const {
    const Unit& moving = problem_->units[unit];
    if (to != moving.home && !problem_->may_run_on(moving, to)) return false;
    return moving.anti_count == 0 || !crowded(unit, to, leaving, true);
  }
  // As rules_allow, for a migration that is to happen: nothing is tolerated, not even at home.
  bool may_arrive(UnitIndex unit, HostIndex to, UnitIndex leaving = no_unit) const;
  // True when the host stays within its intake with the unit added.
  bool fits(UnitIndex unit, HostIndex to) const {
    const Load& need = problem_->units[unit].load;
    const Load& intake = problem_->hosts[to].intake;
    for (std::size_t k = 0; k < resource_count; ++k)
      if (need[k] > 0 && load_[to][k] + need[k] > intake[k]) return false;
    return true;
  }

  static constexpr UnitIndex no_unit = ~UnitIndex{0};

 private:
  bool crowded(UnitIndex unit, HostIndex to, UnitIndex leaving, bool tolerant) const;

  const Problem* problem_;
  std::vector<HostIndex> at_;
  std::vector<Load> load_;
  std::vector<Load> variance_;
  std::vector<std::uint32_t> traffic_;
  std::vector<std::vector<UnitIndex>> on_;
  std::vector<std::uint32_t> slot_;   // of a unit in on_[at_]
  std::vector<std::uint32_t> crowd_;  // large anti-affinity rules: members by row and host
};

}  // namespace ballast::plan
