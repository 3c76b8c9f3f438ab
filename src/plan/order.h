// From where every unit shall be to the steps that get it there, such that no rule of safety is
// broken at any instant (design, section 5, point 1).
#pragma once

#include <cstdint>
#include <vector>

#include "ballast/model/plan.h"
#include "ballast/plan/planner.h"
#include "detour.h"
#include "placement.h"
#include "problem.h"

namespace ballast::plan {

struct Ordered {
  std::vector<Migration> migrations;  // by step
  Placement end;                      // where everything is after the last step
  bool complete = false;              // every unit is where it should be
};

// Orders the moves from the start of the problem to `wanted`. What cannot be ordered safely is left
// out; the result is safe in any case. Where moves block each other, seed 0 takes the cheapest way
// out, other seeds draw one.
Ordered order_moves(const Problem& problem, const Placement& start, const Placement& wanted,
                    const Options& options, std::uint64_t seed = 0);

// The actions one after the other, as steps that follow those already ordered.
void append_actions(const Problem& problem, const std::vector<Action>& actions, Ordered& ordered);

}  // namespace ballast::plan
