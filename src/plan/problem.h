// The snapshot in the form the planner works on: dense arrays and numbers instead of ids and
// structs, and every rule turned into something that can be checked in a few instructions.
//
// What moves is a *unit*: VMs that an affinity rule holds together and that share a host today,
// most often a single VM. A unit moves whole or not at all, so affinity that holds now holds at the
// end, and affinity that is broken now never gets worse: what is still together stays together.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ballast/model/heat.h"
#include "ballast/model/snapshot.h"

namespace ballast::plan {

using Load = std::array<double, resource_count>;
using UnitIndex = std::uint32_t;

// Differences of overload below this are rounding.
inline constexpr double overload_step = 1e-7;

inline constexpr std::size_t memory_at = static_cast<std::size_t>(Resource::memory);

struct PlanHost {
  Load capacity;
  Load share;  // 1 / capacity: from a load to a utilisation; 0 where capacity is unlimited
  Load base;
  Load limit;        // threshold x capacity
  Load limit_share;  // 1 / limit: from a load to how full that is; 0 where capacity is unlimited
  // What evictions aim at: the limit, or the load that nobody can take away (base and immovable
  // VMs) where that is above it.
  Load goal;
  // What arrivals must respect: the limit, or the load at the start where that was above it.
  Load ceiling;
  // What a placement fills up to: the goal where the host was over at the start, else the ceiling.
  Load intake;
  bool source = false;       // usable: its VMs may leave
  bool own_load = false;     // its base alone is above the limit of CPU: no VM need leave for CPU
  bool stuck = false;        // over a limit whatever leaves
  bool target = false;       // usable and not in maintenance
  bool maintenance = false;  // usable, and to be drained
};

struct Unit {
  Load load;
  Load variance{};  // of the load: swings that have nothing to do with each other add up so
  HostIndex home = 0;
  bool movable = false;
  std::uint32_t first_vm = 0;  // into Problem::unit_vms
  std::uint32_t count = 0;     // VMs, that is migrations when it moves
  std::uint32_t first_anti = 0;
  std::uint32_t anti_count = 0;
  std::int32_t allowed = -1;   // set of allowed hosts, -1 for all
  bool failed_lately = false;  // one of its VMs
  bool misplaced = false;      // breaks a rule where it is: the one to take when all else is equal
  double copy = 0;             // what its migration copies, in MiB
  // count, plus a fraction of all copying: sums of prices compare migrations first, copying second.
  double price = 0;
};

struct AntiRule {
  std::vector<UnitIndex> units;
  std::int32_t row = -1;  // of the crowd table when the rule is large, see Placement
};

class Problem {
 public:
  // `min_gain`: see Options.
  Problem(const Snapshot& snapshot, double min_gain);

  double
      min_gain;  // made smaller by what counts as rounding, so that exactly that much is worth it

  std::vector<PlanHost> hosts;
  std::vector<Unit> units;
  std::vector<VmIndex> unit_vms;
  std::vector<UnitIndex> unit_of;      // by VM
  std::vector<std::uint32_t> anti_of;  // anti-affinity rules of the units, see Unit::first_anti
  std::vector<AntiRule> anti;
  std::uint32_t anti_rows = 0;
  // Affinity broken at the start: for such units, those they would like to be with.
  std::vector<std::vector<UnitIndex>> friends;  // by unit; empty when there are none at all

  std::span<const VmIndex> vms_of(const Unit& unit) const {
    return {unit_vms.data() + unit.first_vm, unit.count};
  }
  std::span<const std::uint32_t> anti_of_unit(const Unit& unit) const {
    return {anti_of.data() + unit.first_anti, unit.anti_count};
  }
  // True when the hosts rules let the unit run there, and the host takes in at all.
  bool may_run_on(const Unit& unit, HostIndex host) const {
    if (!hosts[host].target) return false;
    if (unit.allowed < 0) return true;
    const auto set = static_cast<std::size_t>(unit.allowed);
    return (allowed_bits_[set * allowed_words_ + host / 64] >> (host % 64) & 1U) != 0;
  }

 private:
  void add_hosts(const Snapshot& snapshot);
  void add_units(const Snapshot& snapshot);
  void add_anti_affinity(const Snapshot& snapshot);
  void add_host_rules(const Snapshot& snapshot);
  void add_goals();
  void add_prices();

  std::size_t allowed_words_ = 0;
  std::vector<std::uint64_t> allowed_bits_;
};

// model/heat.h
inline double heat_of(const PlanHost& host, const Load& load, const Load& variance) {
  double most = 0;
  for (std::size_t k = 0; k < resource_count; ++k)
    most = std::max(most, ballast::heat_of(load[k], variance[k], host.limit_share[k]));
  return most;
}

inline bool above_ceiling(const PlanHost& host, const Load& load) {
  for (std::size_t k = 0; k < resource_count; ++k)
    if (load[k] > host.ceiling[k]) return true;
  return false;
}

// What the unit's leaving could take off these excess loads, in shares of the host's capacity.
inline double gain_of(const PlanHost& host, const Unit& unit, const Load& excess) {
  double gain = 0;
  for (std::size_t k = 0; k < resource_count; ++k)
    if (excess[k] > 0) gain += std::min(excess[k], unit.load[k]) * host.share[k];
  return gain;
}

// MiB that a live migration of this VM copies. Source: the geometric series of pre-copy rounds
// (Clark et al., "Live migration of virtual machines", NSDI 2005), each of which copies what was
// dirtied during the one before.
double copied_mib(const Vm& vm);

}  // namespace ballast::plan
