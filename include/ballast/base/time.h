// Time as the core sees it: a number that the caller hands in. There is no clock here; the daemon
// takes it from the monotonic clock, a simulation from its event queue.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace ballast {

// A span of time, in microseconds.
using Duration = std::chrono::duration<std::int64_t, std::micro>;

// Tag type of the core's time line. Its zero is arbitrary and differs between nodes: a TimePoint
// never crosses the wire.
struct CoreClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CoreClock, Duration>;
  static constexpr bool is_steady = true;
};

using TimePoint = CoreClock::time_point;

inline constexpr TimePoint time_never = TimePoint::max();

// Seconds as a real number, for formulas and messages to people.
constexpr double seconds_of(Duration span) { return static_cast<double>(span.count()) / 1e6; }

// The nearest Duration to a number of seconds; hostile numbers saturate, and one that is none is 0.
constexpr Duration duration_of_seconds(double seconds) {
  constexpr double seconds_max = 9.0e12;
  if (!(seconds >= -seconds_max || seconds <= seconds_max)) return Duration(0);
  const double micros = std::clamp(seconds, -seconds_max, seconds_max) * 1e6;
  return Duration(static_cast<std::int64_t>(micros + (micros < 0 ? -0.5 : 0.5)));
}

}  // namespace ballast
