// The world itself: that a seed is a whole run, and that its auditors stay silent under every
// fault.

#include "ballast/world/world.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "ballast/world/simulate.h"

namespace ballast {
namespace {

using namespace world;

SimulateOptions chaos_of(std::uint64_t seed) {
  SimulateOptions options;
  options.masters = 5;
  options.slaves = 4;
  options.vms = 4;
  options.minutes = 30;
  options.faults = FaultProfile::chaos;
  options.seed = seed;
  return options;
}

std::uint64_t seeds_from_environment(std::uint64_t otherwise) {
  const char* text = std::getenv("BALLAST_CHAOS_SEEDS");
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST_CASE("a seed run twice gives the same trace") {
  for (const std::uint64_t seed : {1U, 2U}) {
    const SimulateResult once = simulate(chaos_of(seed));
    const SimulateResult again = simulate(chaos_of(seed));
    CHECK(once.hash == again.hash);
    CHECK(once.steps == again.steps);
    CHECK(once.messages == again.messages);
  }
  CHECK(simulate(chaos_of(1)).hash != simulate(chaos_of(2)).hash);
}

TEST_CASE("under every fault nothing is lost, and balance returns when they end") {
  const std::uint64_t seeds = seeds_from_environment(20);
  std::uint64_t migrations = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SimulateResult result = simulate(chaos_of(seed));
    migrations += result.migrations;
    for (const Finding& finding : result.findings) {
      FAIL_CHECK(finding.auditor << " at " << finding.at_s << " s: " << finding.detail
                                 << "\n  ballast simulate --masters 5 --slaves 4 --vms 4 "
                                    "--minutes 30 --faults chaos --seed "
                                 << seed);
    }
  }
  MESSAGE(seeds << " seeds, " << migrations << " migrations");
  CHECK(migrations > 5 * seeds);
}

}  // namespace
}  // namespace ballast
