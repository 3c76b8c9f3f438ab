#include "ballast/plan/planner.h"

#include "ballast/base/assert.h"
#include "evict.h"
#include "greedy.h"
#include "order.h"
#include "placement.h"
#include "problem.h"
#include "remainder.h"

namespace ballast::plan {

Plan make_plan(const Snapshot& snapshot, const Options& options) {
  const Problem problem(snapshot);
  const Placement start(problem);
  Plan plan;
  plan.lower_bound = migrations_at_least(problem, start, snapshot);
  plan.overload_before = overload_of(snapshot);
  plan.overloaded_before = overloaded_hosts(snapshot);
  Placement wanted = start;
  place_greedily(problem, wanted, Fit::spread);
  Ordered ordered = order_moves(problem, start, wanted, options);
  plan.migrations = std::move(ordered.migrations);
  const Snapshot after = applied(snapshot, plan);
  plan.overload_after = overload_of(after);
  plan.overloaded_after = overloaded_hosts(after);
  plan.surplus = surplus_of(problem, ordered.end, snapshot);
  plan.spare = spare_of(problem, ordered.end);
  return plan;
}

}  // namespace ballast::plan
