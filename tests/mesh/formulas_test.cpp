#include <doctest/doctest.h>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"
#include "ballast/mesh/formulas.h"

using namespace ballast;
using namespace ballast::mesh;

TEST_CASE("up to 13 masters everyone is everyone's peer; beyond, peers grow with log2 up to 12") {
  for (std::size_t masters = 1; masters <= 13; ++masters)
    CHECK(active_target(masters) == masters - 1);
  CHECK(active_target(0) == 0);
  CHECK(active_target(14) == 6);
  CHECK(active_target(64) == 8);
  CHECK(active_target(65) == 9);
  CHECK(active_target(1000) == 12);
  CHECK(active_target(limits::masters_known_max) == 12);
  CHECK(active_low(3) == 1);
  CHECK(active_low(1000) == 6);
}

TEST_CASE("relays cost no more than their budget, and are never too few to reach all") {
  // 5 % of 10,000 summaries a minute, of 230 bytes each.
  const RelayDegree large = relay_degree(8.33 * 230, 10'000, 12);
  CHECK(large == RelayDegree{2, 1});
  const RelayDegree middle = relay_degree(0.83 * 230, 1000, 12);
  CHECK(middle.first >= 6);
  CHECK(static_cast<double>(middle.first + middle.again) * 0.83 * 230 <=
        relay_budget_bytes_s(1000));
  CHECK(relay_degree(1e9, 10'000, 12) == RelayDegree{2, 1});  // a flood: the least
  CHECK(relay_degree(0, 5, 4) == RelayDegree{4, 4});          // no more than there are links
  CHECK(relay_degree(0, 1, 0) == RelayDegree{0, 0});
}

TEST_CASE("words that are not urgent wait ten seconds, and longer when the mesh is flooded") {
  using namespace std::chrono_literals;
  CHECK(pace(0, 3) == 10s);
  CHECK(pace(0.83 * 230, 1000) == 10s);
  CHECK(pace(2000, 1000) > 1min);
  CHECK(pace(1e9, 1000) == 5min);
  CHECK(pace(2000, 10'000) < pace(2000, 1000));
}

TEST_CASE("relays never rise with the rate of news") {
  for (const std::size_t masters : {12U, 100U, 1000U, 10'000U}) {
    std::size_t before = 100;
    for (double rate = 0; rate < 20'000; rate += 50) {
      const RelayDegree now = relay_degree(rate, masters, 12);
      CHECK(now.first + now.again <= before);
      before = now.first + now.again;
    }
  }
}

TEST_CASE("all masters together refresh one item in two seconds, none more than once a minute") {
  CHECK(refresh_interval(2) == std::chrono::minutes(1));
  CHECK(refresh_interval(10'000) == std::chrono::seconds(20'000));
}

TEST_CASE("more room is more useful, and so is newer news; ten minutes are worth a doubling") {
  wire::Summary none;
  wire::Summary some;
  some.spare = {20'000, 40'960, 0};  // 10 VMs of a usual size
  wire::Summary twice;
  twice.spare = {42'000, 86'016, 0};  // 21: with the 1 that is added, twice as many
  const TimePoint t{};
  CHECK(usefulness(some, t, 0) > usefulness(none, t, 0));
  CHECK(usefulness(none, t + std::chrono::seconds(1), 0) > usefulness(none, t, 0));
  CHECK(usefulness(twice, t, 0) ==
        doctest::Approx(usefulness(some, t + std::chrono::minutes(10), 0)));
  wire::Summary without_memory = twice;
  without_memory.spare.memory_mib = 0;
  CHECK(usefulness(without_memory, t, 0) == usefulness(none, t, 0));
}

TEST_CASE("tastes are spread evenly over [0, 1) and differ between masters") {
  Random random(7);
  double sum = 0;
  int same = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t key = random.next();
    const double taste = taste_of(1, key);
    REQUIRE(taste >= 0);
    REQUIRE(taste < 1);
    sum += taste;
    same += taste_of(2, key) == taste ? 1 : 0;
  }
  CHECK(sum / 10'000 == doctest::Approx(0.5).epsilon(0.05));
  CHECK(same == 0);
}
