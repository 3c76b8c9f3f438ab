// A host that stays over a threshold names the smallest set of VMs that would bring it under, those
// that may move before those that may not: other masters can only take what may move. A host in
// maintenance names all it still has. What failed lately is named only where the others are not
// enough: the only room may be where it fails.
//
// The reason is the first obstacle that is really in the way, in the order in which a person would
// have to remove them: the VM may not move; its host's data are not to be trusted; its leaving
// would gain too little; there is room, but only where a rule forbids it; everywhere it is allowed
// the same resource is short.
#include "remainder.h"

#include <algorithm>
#include <iterator>

#include "evict.h"

namespace ballast::plan {
namespace {

constexpr unsigned cover_nodes_max = 2000;

// Load above the thresholds; all zero when the host is within them.
Load excess_at(const PlanHost& host, const Load& load) {
  Load excess{};
  for (std::size_t k = 0; k < resource_count; ++k) {
    if (host.share[k] == 0) continue;
    const double over = load[k] - host.limit[k];
    if (over > load_tolerance * host.capacity[k])
      excess[k] = over - load_tolerance * host.capacity[k];
  }
  return excess;
}

struct Named {
  std::vector<UnitIndex> units;
  bool would_do = false;  // those that may move bring the host under
};

// The units to name for a host. First those that may move; when all of them are not enough, they
// all go and the fewest of the others with them.
Named to_name(const Problem& problem, const Placement& end, HostIndex h, const Load& excess) {
  const PlanHost& host = problem.hosts[h];
  std::vector<UnitIndex> movable, fixed;
  for (const UnitIndex u : end.on(h)) (problem.units[u].movable ? movable : fixed).push_back(u);
  std::sort(movable.begin(), movable.end());
  std::sort(fixed.begin(), fixed.end());
  std::vector<UnitIndex> untroubled;
  std::copy_if(movable.begin(), movable.end(), std::back_inserter(untroubled),
               [&](UnitIndex u) { return !problem.units[u].failed_lately; });
  Eviction found = smallest_cover(problem, untroubled, excess, host.share, cover_nodes_max);
  if (found.units.empty() && untroubled.size() < movable.size())
    found = smallest_cover(problem, movable, excess, host.share, cover_nodes_max);
  if (!found.units.empty()) return {.units = found.units, .would_do = true};
  Load rest = excess;
  std::vector<UnitIndex> named;
  for (const UnitIndex u : movable) {
    bool helps = false;
    for (std::size_t k = 0; k < resource_count; ++k)
      helps = helps || (excess[k] > 0 && problem.units[u].load[k] > 0);
    if (!helps) continue;
    named.push_back(u);
    for (std::size_t k = 0; k < resource_count; ++k) rest[k] -= problem.units[u].load[k];
  }
  const Eviction more = smallest_cover(problem, fixed, rest, host.share, cover_nodes_max);
  named.insert(named.end(), more.units.begin(), more.units.end());
  if (more.units.empty()) named.insert(named.end(), fixed.begin(), fixed.end());
  return {.units = std::move(named), .would_do = false};
}

// Other hosts have room for it now, where it may run.
bool could_go(const Problem& problem, const Placement& end, UnitIndex u) {
  for (HostIndex h = 0; h < problem.hosts.size(); ++h)
    if (problem.hosts[h].target && h != end.at(u) && end.fits(u, h) && end.rules_allow(u, h))
      return true;
  return false;
}

SurplusReason obstacle(const Problem& problem, const Placement& end, UnitIndex u) {
  const Unit& unit = problem.units[u];
  bool some_host = false;
  bool allowed_somewhere = false;
  std::array<bool, resource_count> short_everywhere;
  short_everywhere.fill(true);
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
    const PlanHost& host = problem.hosts[h];
    if (!host.target || h == end.at(u)) continue;
    some_host = true;
    const bool allowed = end.rules_allow(u, h);
    if (!allowed && end.fits(u, h)) return SurplusReason::rule;
    if (!allowed) continue;
    allowed_somewhere = true;
    for (std::size_t k = 0; k < resource_count; ++k)
      if (end.load(h)[k] + unit.load[k] <= host.intake[k]) short_everywhere[k] = false;
  }
  if (!some_host) return SurplusReason::no_target;
  if (!allowed_somewhere) return SurplusReason::rule;
  constexpr std::array reasons = {SurplusReason::no_cpu, SurplusReason::no_memory,
                                  SurplusReason::no_network};
  for (std::size_t k = 0; k < resource_count; ++k)
    if (short_everywhere[k]) return reasons[k];
  return SurplusReason::no_target;
}

}  // namespace

std::vector<Surplus> surplus_of(const Problem& problem, const Placement& end,
                                const Snapshot& snapshot) {
  std::vector<Surplus> surplus;
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
    const PlanHost& host = problem.hosts[h];
    Load excess = excess_at(host, end.load(h));
    const bool is_over = excess != Load{};
    if (host.own_load) excess[static_cast<std::size_t>(Resource::cpu)] = 0;
    const bool by_itself = is_over && excess == Load{};
    Named named;
    if (snapshot.hosts[h].maintenance || by_itself) {
      named.units = end.on(h);
    } else if (is_over) {
      named = to_name(problem, end, h, excess);
    }
    std::sort(named.units.begin(), named.units.end());
    for (const UnitIndex u : named.units) {
      const Unit& unit = problem.units[u];
      SurplusReason reason = SurplusReason::rule;
      if (by_itself && host.source) {
        reason = SurplusReason::own_load;
      } else if (unit.movable) {
        const bool small = !snapshot.hosts[h].maintenance &&
                           gain_of(host, unit, excess) <= problem.min_gain * unit.count;
        const bool pays = !small || (named.would_do && !could_go(problem, end, u));
        reason = pays ? obstacle(problem, end, u) : SurplusReason::not_worth;
      }
      for (const VmIndex v : problem.vms_of(problem.units[u])) {
        SurplusReason own = reason;
        if (!snapshot.vms[v].movable && own != SurplusReason::own_load) {
          own = SurplusReason::immovable;
        } else if (!snapshot.hosts[h].usable) {
          own = SurplusReason::stale;
        }
        surplus.push_back({.vm = v, .host = h, .reason = own});
      }
    }
  }
  return surplus;
}

std::vector<Spare> spare_of(const Problem& problem, const Placement& end) {
  std::vector<Spare> spare;
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
    const PlanHost& host = problem.hosts[h];
    if (!host.target) continue;
    bool some = true;
    Resources room;
    for (std::size_t k = 0; k < resource_count; ++k) {
      const double left = host.limit[k] - end.load(h)[k];
      room[all_resources[k]] = left;
      some = some && left > load_tolerance * (host.share[k] > 0 ? host.capacity[k] : 0);
    }
    if (some) spare.push_back({.host = h, .room = room});
  }
  return spare;
}

}  // namespace ballast::plan
