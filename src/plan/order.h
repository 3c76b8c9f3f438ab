// From where every unit shall be to the steps that get it there, such that no rule of safety is
// broken at any instant (design, section 5, point 1).
#pragma once

#include <vector>

#include "ballast/model/plan.h"
#include "ballast/plan/planner.h"
#include "placement.h"
#include "problem.h"

namespace ballast::plan {

struct Ordered {
  std::vector<Migration> migrations;  // by step
  Placement end;                      // where everything is after the last step
  bool complete = false;              // every unit is where it should be
};

// Orders the moves from the start of the problem to `wanted`. What cannot be ordered safely is left
// out; the result is safe in any case.
Ordered order_moves(const Problem& problem, const Placement& start, const Placement& wanted,
                    const Options& options);

}  // namespace ballast::plan
