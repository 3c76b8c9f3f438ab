// Duration of a live migration's copy against the formulas it stands for.
#include "ballast/hypermodel/precopy.h"

#include <doctest/doctest.h>

#include <cmath>

#include "ballast/base/random.h"

namespace ballast::hypermodel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

TEST_CASE("without dirtying a copy is memory / bandwidth, in one round without downtime") {
  Precopy copy(8192, 0, milliseconds(300));
  CHECK(seconds_of(copy.left(62.5)) == doctest::Approx(8192 / 62.5));
  copy.advance(copy.left(62.5), 62.5);
  CHECK(copy.done());
  CHECK(copy.rounds() == 1);
  CHECK(copy.downtime() == Duration::zero());
}

TEST_CASE("with dirtying the rounds shrink until the rest fits into the downtime") {
  // 4000 MiB at 100 MiB/s, 50 MiB/s dirtied: rounds of 4000, 2000, ... 31.25 (above the 30 MiB of
  // 300 ms), then 15.625 while the VM stands.
  Precopy copy(4000, 50, milliseconds(300));
  const double sum_mib = 4000 + 2000 + 1000 + 500 + 250 + 125 + 62.5 + 31.25 + 15.625;
  CHECK(seconds_of(copy.left(100)) == doctest::Approx(sum_mib / 100));
  copy.advance(copy.left(100), 100);
  CHECK(copy.done());
  CHECK(copy.rounds() == 9);
  CHECK(copy.copied_mib() == doctest::Approx(sum_mib));
  CHECK(seconds_of(copy.downtime()) == doctest::Approx(0.15625));
}

TEST_CASE("a VM that dirties as fast as is copied never converges, until bandwidth is there") {
  Precopy copy(4000, 100, milliseconds(300));
  CHECK_FALSE(copy.converges(100));
  CHECK_FALSE(copy.converges(50));
  copy.advance(seconds(3600), 100);
  CHECK_FALSE(copy.done());
  REQUIRE(copy.converges(200));
  CHECK(copy.left(200) <= seconds(41));
  copy.advance(copy.left(200), 200);
  CHECK(copy.done());
}

TEST_CASE("without bandwidth a copy waits") {
  Precopy copy(1000, 0, milliseconds(300));
  CHECK_FALSE(copy.converges(0));
  copy.advance(seconds(4), 100);
  copy.advance(seconds(100), 0);
  CHECK(seconds_of(copy.left(100)) == doctest::Approx(6));
}

TEST_CASE("an empty VM is copied at once") { CHECK(Precopy(0, 0, milliseconds(300)).done()); }

TEST_CASE("a copy in pieces takes as long as in one go, and its downtime keeps the limit") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const double memory = random.between(1, 65536);
    const double bandwidth = random.between(1, 2000);
    const double dirty = bandwidth * random.between(0, 0.98);
    const Precopy fresh(memory, dirty, milliseconds(300));
    const Duration whole = fresh.left(bandwidth);
    CHECK(seconds_of(whole) >= memory / bandwidth);
    Precopy pieces = fresh;
    Duration spent = Duration::zero();
    while (!pieces.done()) {
      const Duration piece =
          std::min(pieces.left(bandwidth), whole / (1 + static_cast<int>(random.below(40))));
      pieces.advance(piece, bandwidth);
      spent += piece;
      REQUIRE(spent <= 2 * whole + seconds(1));
    }
    CHECK(seconds_of(spent) == doctest::Approx(seconds_of(whole)).epsilon(0.001));
    CHECK(pieces.downtime() <= milliseconds(301));
  }
}

}  // namespace ballast::hypermodel
