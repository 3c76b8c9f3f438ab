// The last touch on a placement: the same units move, but to cooler hosts.
#pragma once

#include "placement.h"
#include "problem.h"

namespace ballast::plan {

// Lowers the highest utilisation among the hosts that take something in, without changing which
// units move, and without a host going over its ceiling (design, section 5, point 5).
void level(const Problem& problem, Placement& placement);

}  // namespace ballast::plan
