// A way out for small snapshots when moves block each other: a search over whole placements.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "placement.h"
#include "problem.h"

namespace ballast::plan {

// One safe action: a unit goes to a host, or two units change places, the first one first.
struct Action {
  UnitIndex unit = 0;
  HostIndex to = 0;
  UnitIndex exchanged = Placement::no_unit;
};

// Actions that lead from one placement to another such that each of them, done alone, is safe; with
// as few migrations as the search can see. Nothing when none was found among `placements_max`
// placements.
std::optional<std::vector<Action>> find_detour(const Problem& problem, const Placement& from,
                                               const Placement& wanted, std::size_t placements_max);

}  // namespace ballast::plan
