#include "ballast/hypermodel/precopy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ballast/base/assert.h"

namespace ballast::hypermodel {

Precopy::Precopy(double memory_mib, double dirty_mib_s, Duration downtime_limit)
    : memory_mib_(memory_mib),
      dirty_mib_s_(dirty_mib_s),
      downtime_limit_s_(seconds_of(downtime_limit)),
      rest_mib_(memory_mib) {
  BALLAST_ASSERT(std::isfinite(memory_mib) && memory_mib >= 0, "memory of a VM");
  BALLAST_ASSERT(std::isfinite(dirty_mib_s) && dirty_mib_s >= 0, "dirty rate of a VM");
  BALLAST_ASSERT(downtime_limit >= Duration::zero(), "a downtime below none");
  done_ = memory_mib == 0;
}

bool Precopy::converges(double bandwidth_mib_s) const {
  if (done_) return true;
  if (!(bandwidth_mib_s > 0)) return false;
  return stopped_ || dirty_mib_s_ < converging_share * bandwidth_mib_s;
}

Duration Precopy::left(double bandwidth_mib_s) const {
  BALLAST_ASSERT(converges(bandwidth_mib_s), "time left of a copy that never ends");
  Precopy ahead = *this;
  const double needed_s = ahead.run(std::numeric_limits<double>::infinity(), bandwidth_mib_s);
  return duration_of_seconds(needed_s) + Duration(1);
}

void Precopy::advance(Duration span, double bandwidth_mib_s) {
  const double seconds = seconds_of(span);
  if (done_ || seconds <= 0) return;
  if (converges(bandwidth_mib_s)) {
    run(seconds, bandwidth_mib_s);
    return;
  }
  if (stopped_) {  // only without bandwidth: it waits
    downtime_s_ += seconds;
    return;
  }
  // Rounds go on without shrinking: what matters of them is how much is left to send.
  copied_mib_ += std::max(0.0, bandwidth_mib_s) * seconds;
  const double grown = (dirty_mib_s_ - std::max(0.0, bandwidth_mib_s)) * seconds;
  rest_mib_ = std::clamp(rest_mib_ + dirtied_mib_ + grown, 0.0, memory_mib_);
  dirtied_mib_ = 0;
}

// Round by round, for that long or until done. Returns the seconds it took.
double Precopy::run(double seconds, double bandwidth_mib_s) {
  double used_s = 0;
  while (!done_ && seconds > 0) {
    const double round_s = rest_mib_ / bandwidth_mib_s;
    const double span_s = std::min(seconds, round_s);
    used_s += span_s;
    copied_mib_ += span_s * bandwidth_mib_s;
    if (stopped_)
      downtime_s_ += span_s;
    else
      dirtied_mib_ = std::min(memory_mib_, dirtied_mib_ + dirty_mib_s_ * span_s);
    if (seconds < round_s) {
      rest_mib_ -= span_s * bandwidth_mib_s;
      return used_s;
    }
    seconds -= span_s;
    end_round(bandwidth_mib_s);
  }
  return used_s;
}

void Precopy::end_round(double bandwidth_mib_s) {
  rest_mib_ = dirtied_mib_;
  dirtied_mib_ = 0;
  if (stopped_ || rest_mib_ <= 0) {
    rest_mib_ = 0;
    done_ = true;
    return;
  }
  ++rounds_;
  stopped_ = rest_mib_ <= bandwidth_mib_s * downtime_limit_s_;
}

}  // namespace ballast::hypermodel
