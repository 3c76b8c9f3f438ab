// Auditors that never find anything prove nothing. Each bug that is planted on purpose is found
// within the stated number of seeds of the profile `chaos`; without one, the same seeds are clean.

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <string>

#include "ballast/base/planted.h"
#include "ballast/world/simulate.h"

namespace ballast {
namespace {

using planted::Bug;

constexpr std::uint64_t seeds_max = 10;

world::SimulateResult run(std::uint64_t seed) {
  world::SimulateOptions options;
  options.masters = 5;
  options.slaves = 4;
  options.vms = 4;
  options.minutes = 30;
  options.faults = world::FaultProfile::chaos;
  options.seed = seed;
  return world::simulate(options);
}

TEST_CASE("each planted bug is found") {
  for (unsigned char number = 1; number < static_cast<unsigned char>(Bug::count); ++number) {
    const auto bug = static_cast<Bug>(number);
    planted::plant(bug);
    std::string found;
    std::uint64_t seed = 0;
    while (found.empty() && seed < seeds_max) {
      const world::SimulateResult result = run(++seed);
      if (!result.findings.empty())
        found = result.findings.front().auditor + ": " + result.findings.front().detail;
    }
    planted::plant(Bug::none);
    CHECK_MESSAGE(!found.empty(),
                  "not found within " << seeds_max << " seeds: " << planted::name_of(bug));
    MESSAGE(std::string(planted::name_of(bug)) << " | seed " << seed << " | " << found);
  }
}

}  // namespace
}  // namespace ballast
