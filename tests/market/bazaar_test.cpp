// The market alone, over a bad network: whatever gets lost or comes twice, nobody is asked twice at
// once, nothing is granted twice, no bound is passed, and everybody is served in the end.

#include "bazaar.h"

#include <doctest/doctest.h>

namespace ballast {
namespace {

TEST_CASE("a market over a bad network: no finding, and all VMs have a place") {
  std::uint64_t placed = 0;
  std::uint64_t asked = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const market::BazaarResult result = market::run_bazaar(seed);
    placed += result.placed;
    asked += result.asked;
    for (const std::string& finding : result.findings)
      FAIL_CHECK("seed " << seed << ": " << finding);
  }
  CHECK(placed > 200 * 8);
  MESSAGE(placed << " VMs placed, asked for " << asked << " times");
}

}  // namespace
}  // namespace ballast
