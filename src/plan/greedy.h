// The first placement: what must leave leaves, in the smallest sets, and goes where it fits at
// once.
#pragma once

#include <vector>

#include "placement.h"
#include "problem.h"

namespace ballast::plan {

enum class Fit {
  spread,  // to the hosts that stay coolest, and to as many different ones as possible
  tight,   // to the hosts that it fills best, leaving large gaps for large VMs
};

// Moves units of the hosts that need it until no further one fits. Returns the units that should
// have left and found no host; they are still at home.
std::vector<UnitIndex> place_greedily(const Problem& problem, Placement& placement, Fit fit);

}  // namespace ballast::plan
