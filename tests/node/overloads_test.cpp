// What past overloads of a host say of how long the present one lasts.
#include "overloads.h"

#include <doctest/doctest.h>

namespace ballast::node {
namespace {

using namespace std::chrono_literals;

struct Host {
  TimePoint now = TimePoint(1h);
  Overloads overloads{};

  void run(bool over, Duration span) {
    for (const TimePoint until = now + span; now < until; now += 10s) overloads.sample(now, over);
  }
  // Over for that long, then not for ten minutes.
  void burst(Duration length, bool relieved = false) {
    run(true, length);
    if (relieved) overloads.relieved();
    run(false, 10min);
  }
};

TEST_CASE("bursts of one length pass when that length is over, and not a moment later") {
  Host host;
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(host.overloads.passes_in(host.now));  // it is not over
    host.burst(60s);
  }
  host.run(true, 20s);
  REQUIRE(host.overloads.passes_in(host.now));
  CHECK(*host.overloads.passes_in(host.now) == 40s);
  host.run(true, 60s);  // as long as none before
  CHECK_FALSE(host.overloads.passes_in(host.now));
}

TEST_CASE("a few are too few to tell") {
  Host host;
  for (int i = 0; i < 3; ++i) host.burst(60s);
  host.run(true, 20s);
  CHECK_FALSE(host.overloads.passes_in(host.now));
}

TEST_CASE("the more often overloads last, the less it is waited for: the median decides") {
  Host host;
  for (int i = 0; i < 4; ++i) host.burst(60s);
  for (int i = 0; i < 5; ++i) host.burst(20min);
  host.run(true, 20s);
  REQUIRE(host.overloads.passes_in(host.now));
  CHECK(*host.overloads.passes_in(host.now) == 20min - 20s);
  host.run(true, 60s);  // what was short is over by now
  CHECK(*host.overloads.passes_in(host.now) == 20min - 80s);
}

TEST_CASE("overloads that a leaving VM ended would have lasted on") {
  Host host;
  for (int i = 0; i < 4; ++i) host.burst(60s);
  for (int i = 0; i < 5; ++i) host.burst(90s, true);
  host.run(true, 20s);
  CHECK_FALSE(host.overloads.passes_in(host.now));
}

TEST_CASE("what was more than a day ago says nothing") {
  Host host;
  for (int i = 0; i < 6; ++i) host.burst(60s);
  host.run(false, 24h);
  host.run(true, 20s);
  CHECK_FALSE(host.overloads.passes_in(host.now));
}

}  // namespace
}  // namespace ballast::node
