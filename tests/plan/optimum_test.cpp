// The planner against proven optima over final placements.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "ballast/plan/planner.h"
#include "common/length.h"
#include "plan/audit.h"
#include "plan/cases.h"
#include "plan/unreachable.h"
#include "plan/worth.h"

using namespace ballast;

TEST_CASE("plans of small tight snapshots reach the proven optimum") {
  const char* folder = std::getenv("BALLAST_PLAN_DATA");
  REQUIRE_MESSAGE(folder != nullptr, "BALLAST_PLAN_DATA names the folder of optima.txt");
  const auto cases = test::read_cases(std::string(folder) + "/optima.txt");
  REQUIRE(cases.size() >= 300);
  std::size_t reached = 0, unreachable = 0, ours = 0, best = 0, tried = 0;
  // Between two edits each tenth; what they reach together is told in the ordinary run alone.
  const std::uint64_t each = test::of_length(10, 1, 1);
  for (const test::Case& c : cases) {
    if (c.seed % each != 0) continue;
    ++tried;
    CAPTURE(c.seed);
    REQUIRE(check(c.snapshot).ok());
    const Plan plan = plan::make_plan(c.snapshot);
    const auto found = test::audit(c.snapshot, plan);
    for (const std::string& violation : found.violations) FAIL_CHECK(violation);
    constexpr double rounding = 3e-6;  // of loads that count as not over, three resources
    const double cost =
        test::cost_of(c.snapshot, test::places_after(c.snapshot, plan), plan::min_gain_default);
    CHECK(cost >= c.cost - rounding * static_cast<double>(c.snapshot.hosts.size()));
    if (c.cost == 0) CHECK(plan.lower_bound <= c.migrations);
    const bool same = cost <= c.cost + rounding;
    if (!same)
      MESSAGE("seed " << c.seed << " " << c.family << ": cost " << cost << ", optimum " << c.cost
                      << "; migrations " << plan.migrations.size() << ", " << c.migrations);
    const auto proof = test::proof_that_overload_remains(c.snapshot);
    if (plan.overload_after == 0) CHECK_FALSE_MESSAGE(proof.has_value(), "a false proof");
    if (!same && proof)
      MESSAGE("no safe order that moves affine VMs as one reaches that: " << *proof);
    // What is missed is less than one migration would have to gain.
    if (!proof) CHECK(cost <= c.cost + plan::min_gain_default);
    unreachable += !same && proof ? 1 : 0;
    reached += same ? 1 : 0;
    if (same && plan.migrations.size() != c.migrations)
      MESSAGE("seed " << c.seed << " " << c.family << ": " << plan.migrations.size()
                      << " migrations, optimum " << c.migrations);
    if (same) {
      ours += plan.migrations.size();
      best += c.migrations;
    }
  }
  MESSAGE(reached << " of " << tried << " reach the least cost, with " << ours
                  << " migrations where the optimum has " << best);
  MESSAGE(unreachable << " of " << tried << " ("
                      << 100.0 * static_cast<double>(unreachable) / static_cast<double>(tried)
                      << " %) are proven to have no safe order to it; "
                      << tried - reached - unreachable << " are missed without a proof");
  CHECK(static_cast<double>(reached + unreachable) >= 0.99 * static_cast<double>(tried));
  CHECK(static_cast<double>(ours) <= 1.03 * static_cast<double>(best));
}
