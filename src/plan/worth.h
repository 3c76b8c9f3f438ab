// The last touch on a plan that leaves overload: what does not pay is left out, and what pays is
// not. See Options::min_gain.
#pragma once

#include <functional>
#include <vector>

#include "detour.h"
#include "placement.h"
#include "problem.h"

namespace ballast::plan {

// Sends units home, alone or two that changed places, as long as the score gets better by it and no
// host goes over its ceiling or breaks a rule; or another unit of the same host in their place.
// Each change is kept only if `accept` says yes to the placement with it. True when some were made.
bool leave_out_what_does_not_pay(const Problem& problem, Placement& placement,
                                 const std::function<bool(const Placement&)>& accept);

// Moves straight to where there is room, one after the other, each of which makes the score better,
// or as many as bring a host under. Done in `placement` as well.
std::vector<Action> what_would_pay(const Problem& problem, Placement& placement);

}  // namespace ballast::plan
