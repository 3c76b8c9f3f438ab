// What the bazaar looks for it finds: bugs planted in the market on purpose are found within the
// stated number of seeds. bazaar_test shows that without them the same seeds are clean.

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "ballast/base/planted.h"
#include "bazaar.h"

namespace ballast {
namespace {

using planted::Bug;

constexpr std::uint64_t seeds_max = 20;
constexpr std::array<Bug, 7> bugs = {Bug::grantor_forgets_quota,   Bug::grantor_answers_anew,
                                     Bug::asker_keeps_late_grants, Bug::asker_asks_all_at_once,
                                     Bug::asker_forgets_refusals,  Bug::asker_starves,
                                     Bug::asker_waits_for_the_dead};

// What is found, and with which seed; nothing when it is not.
std::string find(Bug bug) {
  planted::plant(bug);
  std::string found;
  for (std::uint64_t seed = 1; found.empty() && seed <= seeds_max; ++seed) {
    const market::BazaarResult result = market::run_bazaar(seed);
    if (!result.findings.empty())
      found = "seed " + std::to_string(seed) + ": " + result.findings.front();
  }
  planted::plant(Bug::none);
  return found;
}

TEST_CASE("planted bugs of the market are found") {
  for (const Bug bug : bugs) {
    const std::string found = find(bug);
    MESSAGE(std::string(planted::name_of(bug)) << ": " << found);
    CHECK_FALSE(found.empty());
  }
}

}  // namespace
}  // namespace ballast
