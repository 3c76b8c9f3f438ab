// Auditors that never find anything prove nothing. Bugs that are planted on purpose are found
// within the stated number of seeds of the profile `chaos`; chaos_test shows that without them the
// same seeds are clean.

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "ballast/base/planted.h"
#include "ballast/world/simulate.h"
#include "common/length.h"

namespace ballast {
namespace {

using planted::Bug;

struct Known {
  Bug bug;
  std::uint64_t seeds_max;       // within so many seeds it is found,
  std::uint64_t first_seed = 1;  // counted from this one
};

// Bugs that the auditors have been seen to find; those of the mesh and of the market have tests in
// their rooms. The others of the list do no harm in this profile: a second guard catches them, or
// what they touch is not scarce. BALLAST_PLANTED_ALL tries them,
// too.
constexpr std::array<Known, 15> known_to_be_found = {{{Bug::ledger_forgets_promises, 10},
                                                      {Bug::ledger_ignores_limits, 40},
                                                      {Bug::ledger_keeps_ended, 10},
                                                      {Bug::source_believes_failure, 10},
                                                      {Bug::source_guesses_at_silence, 10},
                                                      {Bug::source_starts_unasked, 40},
                                                      {Bug::target_never_settles, 10},
                                                      {Bug::streams_are_endless, 10},
                                                      {Bug::conductor_orders_untold, 40},
                                                      {Bug::conductor_never_gives_up, 150},
                                                      {Bug::master_forgets_quiet, 10},
                                                      {Bug::master_answers_once, 10, 3},
                                                      {Bug::master_tires_of_planning, 10},
                                                      {Bug::model_resumes_in_doubt, 10},
                                                      {Bug::model_drops_in_doubt, 40}}};

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

// What is found, and with which seed; nothing when it is not.
std::string find(const Known& known) {
  planted::plant(known.bug);
  std::string found;
  const std::uint64_t end = known.first_seed + known.seeds_max;
  for (std::uint64_t seed = known.first_seed; found.empty() && seed < end; ++seed) {
    const world::SimulateResult result = run(seed);
    if (!result.findings.empty())
      found = "seed " + std::to_string(seed) + ": " + result.findings.front().auditor + ": " +
              result.findings.front().detail;
  }
  planted::plant(Bug::none);
  return found;
}

TEST_CASE("planted bugs are found") {
  // Only the first so many, where time is short.
  std::uint64_t left = test::of_length(4, known_to_be_found.size(), known_to_be_found.size());
  for (const Known& known : known_to_be_found) {
    if (left-- == 0) break;
    const std::string found = find(known);
    MESSAGE(std::string(planted::name_of(known.bug)) << ": " << found);
    CHECK_FALSE(found.empty());
  }
}

TEST_CASE("planted bugs, each of the list" *
          doctest::skip(std::getenv("BALLAST_PLANTED_ALL") == nullptr)) {
  for (unsigned char number = 1; number < static_cast<unsigned char>(Bug::count); ++number) {
    const auto bug = static_cast<Bug>(number);
    const std::string found = find({bug, 20});
    MESSAGE(std::string(planted::name_of(bug)) << ": " << (found.empty() ? "NOT FOUND" : found));
  }
}

}  // namespace
}  // namespace ballast
