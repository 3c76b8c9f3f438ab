// The world itself: that a seed is a whole run, and that its auditors stay silent under every
// fault.

#include <doctest/doctest.h>

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

TEST_CASE("a readable trace tells what happened, and changes nothing") {
  SimulateOptions options = chaos_of(3);
  options.minutes = 2;
  const SimulateResult silent = simulate(options);
  std::size_t lines = 0;
  options.log = [&](const std::string&) { ++lines; };
  CHECK(simulate(options).hash == silent.hash);
  CHECK(lines > 1000);
}

TEST_CASE("a run of faults that is shorter than the time after them goes on until all is judged") {
  SimulateOptions options = chaos_of(4);
  options.minutes = 1;
  const SimulateResult result = simulate(options);
  CHECK(result.simulated_s >= 60);
  CHECK(result.findings.empty());
}

}  // namespace
}  // namespace ballast
