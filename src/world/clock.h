// A node's own time. It begins somewhere, unlike everybody else's, and may run a little too fast or
// too slow: a node that mistakes another's time for its own is found out.
#pragma once

#include "ballast/base/time.h"

namespace ballast::world {

class LocalClock {
 public:
  LocalClock() = default;
  LocalClock(TimePoint begun, Duration offset, int ppm)
      : begun_(begun), offset_(offset), ppm_(ppm) {}

  // The same time now, another rate from now on.
  LocalClock with_rate(TimePoint now, int ppm) const {
    return LocalClock(now, local(now) - now, ppm);
  }

  TimePoint local(TimePoint world) const {
    const Duration passed = world - begun_;
    return begun_ + offset_ + passed + passed * ppm_ / million;
  }

  // The first moment of the world at which the node's own time has reached `local_time`.
  TimePoint world(TimePoint local_time) const {
    if (local_time == time_never) return time_never;
    const Duration own = local_time - begun_ - offset_;
    TimePoint at = begun_ + Duration(own.count() / (million + ppm_) * million +
                                     own.count() % (million + ppm_) * million / (million + ppm_));
    while (local(at) < local_time) at += Duration(1);
    return at;
  }

 private:
  static constexpr std::int64_t million = 1000000;
  TimePoint begun_;
  Duration offset_{0};
  int ppm_ = 0;
};

}  // namespace ballast::world
