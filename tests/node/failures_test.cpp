// What a master remembers of failed migrations: how often the same is tried, what it keeps others
// from, and when it ends.

#include "failures.h"
#include "ballast/base/words.h"

#include <doctest/doctest.h>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"

namespace ballast::node {
namespace {

using namespace std::chrono_literals;

const TimePoint start{};

Failures::Failure failure(const std::string& vm, const std::string& from, const std::string& to) {
  Failures::Failure made;
  made.vm = VmId(vm);
  made.from = HostId(from);
  made.to = HostId(to);
  made.reason = "no bridge";
  made.started = true;
  return made;
}

// Tries as often as it may.
std::size_t tries_of_a_day(const Failures::Failure& what, Duration look_every) {
  Failures failures(5min);
  std::size_t tries = 0;
  for (TimePoint now = start; now < start + 24h; now += look_every) {
    if (failures.rests(now, what.vm, what.from, what.to)) continue;
    (void)failures.failed(now, what);
    ++tries;
  }
  return tries;
}

TEST_CASE("what fails for ever is tried a few times a day, however often it is looked at") {
  for (const Duration every : {Duration(1s), Duration(61s), Duration(17min)}) {
    Failures::Failure what = failure("v", "a", "b");
    CHECK(tries_of_a_day(what, every) <= 8);
    CHECK(tries_of_a_day(what, every) >= 5);
    what.fault = FaultOf::pair;
    CHECK(tries_of_a_day(what, every) <= 8);
    what.fault = FaultOf::vm;
    what.too_slow = true;
    CHECK(tries_of_a_day(what, every) <= 8);
    what.too_slow = false;
    what.started = false;
    CHECK(tries_of_a_day(what, every) <= 12);
    CHECK(tries_of_a_day(what, every) >= 5);
  }
}

TEST_CASE("the first rest is ten minutes, each one after it twice as long, up to a day") {
  Failures failures(5min);
  const auto what = failure("v", "a", "b");
  TimePoint now = start;
  Duration expected = 10min;
  for (int i = 0; i < 12; ++i) {
    (void)failures.failed(now, what);
    CHECK(failures.rests(now + expected - 1s, what.vm, what.from, what.to));
    CHECK(!failures.rests(now + expected, what.vm, what.from, what.to));
    now += expected;
    expected = std::min<Duration>(2 * expected, 24h);
  }
  CHECK(expected == Duration(24h));
  // Long after, it is another trouble.
  now += 25h;
  (void)failures.failed(now, what);
  CHECK(!failures.rests(now + 10min, what.vm, what.from, what.to));
}

TEST_CASE("a VM that failed at three targets rests by itself, and others do not") {
  Failures failures(5min);
  CHECK(failures.failed(start, failure("v", "a", "b")).empty());
  CHECK(failures.failed(start, failure("v", "a", "c")).empty());
  CHECK(!failures.rests(start, VmId("v")));
  CHECK(!failures.rests(start, VmId("v"), HostId("a"), HostId("d")));
  const std::string alarm = failures.failed(start, failure("v", "a", "d"));
  CHECK(alarm.find("no bridge") != std::string::npos);
  CHECK(alarm.find("3 targets") != std::string::npos);
  CHECK(failures.rests(start, VmId("v")));
  CHECK(failures.rests(start, VmId("v"), HostId("a"), HostId("e")));
  CHECK(!failures.rests(start, VmId("w")));
  CHECK(failures.why(start, VmId("v"), HostId("a")).find("no bridge") != std::string::npos);
}

TEST_CASE("a target at which three VMs failed rests for all, and not for longer with each") {
  Failures failures(5min);
  TimePoint now = start;
  CHECK(failures.failed(now, failure("u", "a", "t")).empty());
  CHECK(failures.failed(now, failure("v", "b", "t")).empty());
  CHECK(!failures.rests(now, VmId("x"), HostId("c"), HostId("t")));
  CHECK(failures.failed(now, failure("w", "a", "t")).find("3 VMs failed at 't'") == 0);
  CHECK(failures.rests(now, VmId("x"), HostId("c"), HostId("t")));
  CHECK(!failures.rests(now, VmId("x"), HostId("c"), HostId("s")));
  CHECK(failures.why(now, VmId("x"), HostId("c")).find("no bridge") != std::string::npos);
  for (const char* vm : {"u", "v", "w", "x", "y"}) {
    now += 5min;
    CHECK(!failures.rests(now, VmId("z"), HostId("c"), HostId("t")));
    CHECK(failures.failed(now, failure(vm, "a", "t")).find("none is sent") == std::string::npos);
    CHECK(failures.rests(now + 5min - 1s, VmId("z"), HostId("c"), HostId("t")));
  }
  // One that arrives shows that it was not the target.
  failures.arrived(VmId("z"), HostId("c"), HostId("t"));
  CHECK(!failures.rests(now, VmId("z"), HostId("c"), HostId("t")));
  CHECK(failures.rests(now, VmId("y"), HostId("a"), HostId("t")));
}

TEST_CASE("spans are told in whole units, rounded up") {
  CHECK(in_words(Duration(0)) == "1 s");
  CHECK(in_words(59s) == "59 s");
  CHECK(in_words(60s) == "1 min");
  CHECK(in_words(61s) == "2 min");
  CHECK(in_words(10min) == "10 min");
  CHECK(in_words(2h) == "2 h");
  CHECK(in_words(24h) == "24 h");
}

TEST_CASE("refusals keep a VM from a target, and never make it rest by itself") {
  Failures failures(5min);
  for (const char* to : {"b", "c", "d", "e"}) {
    Failures::Failure what = failure("v", "a", to);
    what.started = false;
    CHECK(failures.failed(start, what).empty());
    CHECK(failures.rests(start + 4min, what.vm, what.from, what.to));
    CHECK(!failures.rests(start + 5min, what.vm, what.from, what.to));
  }
  CHECK(!failures.rests(start, VmId("v")));
}

TEST_CASE("a rest ends with a change of either host, a word of an operator, or a success") {
  const auto what = failure("v", "a", "b");
  for (const char* host : {"a", "b"}) {
    Failures failures(5min);
    (void)failures.failed(start, what);
    failures.changed(HostId("c"));
    CHECK(failures.rests(start, what.vm, what.from, what.to));
    failures.changed(HostId(host));
    CHECK(!failures.rests(start, what.vm, what.from, what.to));
  }
  Failures failures(5min);
  (void)failures.failed(start, what);
  CHECK(failures.retry(start, VmId("w"), HostId("a")) == 0);
  CHECK(failures.retry(start, VmId("v"), HostId("a")) == 1);
  CHECK(!failures.rests(start, what.vm, what.from, what.to));
  (void)failures.failed(start, what);
  failures.arrived(what.vm, what.from, what.to);
  CHECK(!failures.rests(start, what.vm, what.from, what.to));
  CHECK(failures.views(start).empty());
}

TEST_CASE("a host that can be reached again ends what met any VM there, and nothing else") {
  Failures failures(5min);
  auto pair = failure("v", "a", "b");
  pair.fault = FaultOf::pair;
  (void)failures.failed(start, pair);
  (void)failures.failed(start, failure("w", "a", "c"));
  failures.reachable(HostId("c"));
  CHECK(failures.rests(start, pair.vm, pair.from, pair.to));
  failures.reachable(HostId("b"));
  CHECK(!failures.rests(start, pair.vm, pair.from, pair.to));
  CHECK(failures.rests(start, VmId("w"), HostId("a"), HostId("c")));
}

TEST_CASE("what is told fits where it is told, however many targets failed with whatever reason") {
  Failures failures(5min);
  for (int n = 0; n < 30; ++n) {
    auto what = failure("v", "a", "target-" + std::to_string(n));
    what.reason = std::string(limits::text_bytes_max, 'x');
    (void)failures.failed(start, what);
  }
  const std::string why = failures.why(start, VmId("v"), HostId("a"));
  CHECK(why.size() <= limits::text_bytes_max);
  CHECK(why.find(" more") != std::string::npos);
}

TEST_CASE("what is remembered is bounded, and what ends first gives way") {
  Failures failures(5min);
  for (std::size_t n = 0; n < limits::failed_rests_max + 3; ++n)
    (void)failures.failed(start + Duration(n),
                          failure("v" + std::to_string(n), "a", "t" + std::to_string(n)));
  const TimePoint now = start + Duration(limits::failed_rests_max + 3);
  CHECK(failures.views(now).size() == limits::failures_shown_max);
  CHECK(!failures.rests(now, VmId("v2"), HostId("a"), HostId("t2")));
  CHECK(failures.rests(now, VmId("v3"), HostId("a"), HostId("t3")));
  Failures many(5min);
  for (std::size_t n = 0; n < limits::failed_targets_max + 3; ++n)
    (void)many.failed(start + Duration(n), failure("v", "a", "t" + std::to_string(n)));
  CHECK(many.not_to(now, VmId("v"), HostId("a")).size() == limits::failed_targets_max);
}

// Whatever happens in whatever order: never tried sooner than the last rest allows, never kept from
// a target without a failure that says so.
TEST_CASE("against a plain model, at random") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    Failures failures(5min);
    std::map<std::pair<std::string, std::string>, TimePoint> last;  // (VM, target) -> failure
    TimePoint now = start;
    for (int step = 0; step < 300; ++step) {
      now += duration_of_seconds(random.between(1, 1800));
      const std::string vm = "v" + std::to_string(random.below(3));
      const std::string to = "t" + std::to_string(random.below(4));
      const bool rests = failures.rests(now, VmId(vm), HostId("a"), HostId(to));
      const auto known = last.find({vm, to});
      const bool fresh = known != last.end() && now < known->second + 10min;
      if (fresh) CHECK(rests);
      const bool any = std::any_of(last.begin(), last.end(),
                                   [&](const auto& one) { return one.first.first == vm; });
      if (!any) CHECK(!rests);
      if (rests) continue;
      if (random.chance(0.7)) {
        (void)failures.failed(now, failure(vm, "a", to));
        last[{vm, to}] = now;
      } else if (random.chance(0.5)) {
        failures.arrived(VmId(vm), HostId("a"), HostId(to));
        last.erase({vm, to});
      } else {
        (void)failures.retry(now, VmId(vm), HostId("a"));
        std::erase_if(last, [&](const auto& one) { return one.first.first == vm; });
      }
    }
  }
}

}  // namespace
}  // namespace ballast::node
