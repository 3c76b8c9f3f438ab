// Everything at once, many times over: nothing is lost and no promise broken while faults of every
// kind come and go, and balance returns when they end.

#include <doctest/doctest.h>

#include <cstdlib>

#include "ballast/world/simulate.h"
#include "common/length.h"

namespace ballast {
namespace {

// Two run side by side, each with seeds of its own. BALLAST_CHAOS_SEED=N runs that seed alone.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST_CASE("under every fault nothing is lost, and balance returns when they end") {
  const std::uint64_t one = from_environment("BALLAST_CHAOS_SEED", 0);
  const std::uint64_t first = one != 0 ? one : from_environment("BALLAST_CHAOS_FIRST", 1);
  const std::uint64_t last = one != 0 ? one : first + test::of_length(8, 80, 500) - 1;
  std::uint64_t migrations = 0;
  world::SimulateOptions options;
  options.masters = 5;
  options.slaves = 4;
  options.vms = 4;
  options.minutes = 30;
  options.faults = world::FaultProfile::chaos;
  for (options.seed = first; options.seed <= last; ++options.seed) {
    const world::SimulateResult result = world::simulate(options);
    migrations += result.migrations;
    for (const world::Finding& finding : result.findings) {
      const std::string told = finding.auditor + " at " + std::to_string(finding.at_s) +
                               " s: " + finding.detail +
                               "\n  ballast simulate --masters 5 --slaves 4 --vms 4 --minutes 30 "
                               "--faults chaos --seed " +
                               std::to_string(options.seed) + " --trace-out seed-" +
                               std::to_string(options.seed) + ".txt";
      FAIL_CHECK(told);
    }
  }
  const std::uint64_t seeds = last - first + 1;
  MESSAGE(seeds << " seeds, " << migrations << " migrations");
  CHECK(migrations > 5 * seeds);
}

}  // namespace
}  // namespace ballast
