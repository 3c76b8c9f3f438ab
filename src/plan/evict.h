// Which units must leave a host, so that it comes under its thresholds with the fewest migrations;
// and from that, a lower bound on the migrations of any plan that removes all overload.
#pragma once

#include <vector>

#include "placement.h"
#include "problem.h"

namespace ballast::plan {

struct Eviction {
  std::vector<UnitIndex> units;
  std::uint32_t migrations = 0;  // VMs in these units
  std::uint32_t at_least = 0;    // proven: no set has fewer
};

// The set of movable units with the fewest VMs, and among those the lowest price, whose departure
// brings the host to its goal; all movable units where the host is in maintenance; those that are
// worth it where it stays over whatever leaves. `node_max` bounds the search. A host that needs
// nothing gives an empty set.
Eviction evictions(const Problem& problem, const Placement& placement, HostIndex host,
                   unsigned node_max);

// As evictions, for any number of units and any loads to take away; empty when even all together
// are not enough.
Eviction smallest_cover(const Problem& problem, std::vector<UnitIndex> candidates,
                        const Load& excess, const Load& share, unsigned node_max);

// The evictions of every host at the start that needs any.
struct HostEviction {
  HostIndex host = 0;
  Eviction eviction;
};
std::vector<HostEviction> all_evictions(const Problem& problem, const Placement& start);

// What a search over these units need not try to beat: a number of migrations below which no plan
// removes all overload. The sum of what each host must give, and one more where it cannot be the
// sum: every migration would then go from a host in need straight to where it stays, and some host
// has no such set of units to give. Units move whole.
std::uint32_t direct_migrations_at_least(const Problem& problem, const Placement& start,
                                         const std::vector<HostEviction>& evictions);

// True when no units of the hosts in need that are worth their migrations could be on any other
// host, were that emptied of all that may leave it: then there is nothing to plan.
bool nothing_can_leave(const Problem& problem, const Placement& start,
                       const std::vector<HostEviction>& evictions);

// A number of migrations below which no plan removes all overload that can be removed: what each
// host must give away at least, summed; a host that stays over whatever leaves it counts as 0.
// Counts VMs per host one by one, as an outsider would, and takes the units' answer where that is
// higher.
std::size_t migrations_at_least(const Problem& problem, const Placement& start,
                                const std::vector<HostEviction>& evictions,
                                const Snapshot& snapshot);

}  // namespace ballast::plan
