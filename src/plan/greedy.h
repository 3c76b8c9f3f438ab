// The first placement: what must leave leaves, in the smallest sets, and goes where it fits at
// once.
#pragma once

#include <vector>

#include "evict.h"
#include "placement.h"
#include "problem.h"

namespace ballast::plan {

enum class Fit {
  spread,  // to the hosts that stay coolest, and to as many different ones as possible
  tight,   // to the hosts that it fills best, leaving large gaps for large VMs
};

// Moves the units that must leave, as far as there is a host where they fit; the others stay at
// home.
Placement place_greedily(const Problem& problem, const Placement& start,
                         const std::vector<HostEviction>& evictions, Fit fit);

}  // namespace ballast::plan
