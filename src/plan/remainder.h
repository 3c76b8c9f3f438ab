// What a plan leaves: the VMs that should have gone and could not (surplus), each with the
// obstacle, and the room that hosts still have (spare). Source: design, sections 1 and 8.
#pragma once

#include <vector>

#include "ballast/model/plan.h"
#include "placement.h"
#include "problem.h"

namespace ballast::plan {

std::vector<Surplus> surplus_of(const Problem& problem, const Placement& end,
                                const Snapshot& snapshot);

std::vector<Spare> spare_of(const Problem& problem, const Placement& end);

}  // namespace ballast::plan
