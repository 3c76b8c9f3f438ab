// When the small state of a node goes to disk: seldom, but never too late.
#include "state_writer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "state.h"

namespace {

using namespace ballast;
using namespace std::chrono_literals;
using daemon::state_text;
using daemon::StateWriter;

constexpr TimePoint start = TimePoint(1h);

node::StoredState state_with(int rests, bool maintenance = false) {
  node::StoredState state;
  state.incarnation = 3;
  state.maintenance = maintenance;
  for (int n = 0; n < rests; ++n) state.rests.push_back({VmId("v" + std::to_string(n)), 10s});
  return state;
}

struct Disk {
  std::vector<std::string> written;
  bool broken = false;
  StateWriter writer{state_with(0), [this](const std::string& text) -> Status {
                       if (broken) return Error{"the disk is full"};
                       written.push_back(text);
                       return {};
                     }};
};

TEST_CASE("of many states in one second the first and the last are written") {
  Disk disk;
  for (int n = 1; n <= 100; ++n) CHECK(disk.writer.save(start + n * 5ms, state_with(n)).ok());
  CHECK(disk.written == std::vector<std::string>{state_text(state_with(1))});
  const TimePoint next = disk.writer.next_deadline();
  CHECK(next == start + 1005ms);
  CHECK(disk.writer.tick(next - 1us).ok());
  CHECK(disk.written.size() == 1);
  CHECK(disk.writer.tick(next).ok());
  REQUIRE(disk.written.size() == 2);
  CHECK(disk.written[1] == state_text(state_with(100)));
  CHECK(disk.writer.next_deadline() == time_never);
}

TEST_CASE("maintenance is on disk at once, on and off") {
  Disk disk;
  CHECK(disk.writer.save(start, state_with(1)).ok());
  CHECK(disk.writer.save(start + 1ms, state_with(1, true)).ok());
  CHECK(disk.written.back() == state_text(state_with(1, true)));
  CHECK(disk.writer.save(start + 2ms, state_with(2, false)).ok());
  CHECK(disk.written.back() == state_text(state_with(2, false)));
  CHECK(disk.writer.next_deadline() == time_never);
}

TEST_CASE("before the end what waits is written, and only that") {
  Disk disk;
  CHECK(disk.writer.flush(start).ok());
  CHECK(disk.written.empty());
  CHECK(disk.writer.save(start, state_with(1)).ok());
  CHECK(disk.writer.save(start + 1ms, state_with(2)).ok());
  CHECK(disk.writer.flush(start + 2ms).ok());
  CHECK(disk.written.back() == state_text(state_with(2)));
  CHECK(disk.writer.flush(start + 3ms).ok());
  CHECK(disk.written.size() == 2);
}

TEST_CASE("what could not be written is tried again a second later") {
  Disk disk;
  disk.broken = true;
  CHECK(disk.writer.save(start, state_with(1)).error().message == "the disk is full");
  CHECK(disk.writer.next_deadline() == start + 1s);
  CHECK(!disk.writer.tick(start + 1s).ok());
  disk.broken = false;
  CHECK(disk.writer.tick(start + 2s).ok());
  CHECK(disk.written == std::vector<std::string>{state_text(state_with(1))});
}

TEST_CASE("what a VM had at its source is on disk before the answer that lets it come") {
  Disk disk;
  CHECK(disk.writer.save(start, state_with(1)).ok());
  node::StoredState state = state_with(2);
  state.kept = {{VmId("v7"), true}, {VmId("web"), true}};
  CHECK(disk.writer.save(start + 1ms, state).ok());
  REQUIRE(disk.written.size() == 2);
  const auto read = daemon::parse_state(disk.written.back(), "state");
  REQUIRE(read.ok());
  CHECK(read->kept == state.kept);
  for (const char* bad : {"autostart\n", "autostart \n", "autostart a"})
    CHECK(!daemon::parse_state("incarnation 1\n" + std::string(bad), "state").ok());
}

TEST_CASE("property: at most one write a second without maintenance, none older than a second") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Disk disk;
    TimePoint now = start;
    std::string newest;
    TimePoint unwritten_since = time_never;
    for (int n = 0; n < 100; ++n) {
      TimePoint then = now + std::chrono::microseconds(random.below(700'000));
      for (; disk.writer.next_deadline() <= then;) {
        now = disk.writer.next_deadline();
        CHECK(disk.writer.tick(now).ok());
        CHECK(now <= unwritten_since + 1s);
        CHECK(disk.written.back() == newest);
      }
      now = then;
      const node::StoredState state = state_with(static_cast<int>(random.below(50)));
      newest = state_text(state);
      const bool waited = disk.writer.next_deadline() != time_never;
      if (!waited) unwritten_since = now;
      CHECK(disk.writer.save(now, state).ok());
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start).count();
    CHECK(static_cast<std::int64_t>(disk.written.size()) <= seconds + 1);
  }
}

}  // namespace
