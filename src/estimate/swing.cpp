#include "swing.h"

#include <cmath>

namespace ballast::estimate {
namespace {
constexpr double fades_s = 1800;
constexpr double first_s = 1;  // of the first sample, of which nobody knows for how long it held
}  // namespace

void Swing::begin_with(TimePoint at, const Resources& load, const Resources& deviation) {
  last_ = at;
  weight_s_ = fades_s;
  mean_ = load;
  for (const Resource r : all_resources) variance_[r] = deviation[r] * deviation[r];
}

void Swing::add(TimePoint at, const Resources& load) {
  const double span_s = weight_s_ > 0 ? seconds_of(at - last_) : first_s;
  last_ = at;
  weight_s_ = weight_s_ * std::exp(-span_s / fades_s) + span_s;
  const double share = span_s / weight_s_;
  for (const Resource r : all_resources) {
    const double off = load[r] - mean_[r];
    mean_[r] += share * off;
    variance_[r] = (1 - share) * (variance_[r] + share * off * off);
  }
}

Resources Swing::deviation() const {
  Resources deviation;
  for (const Resource r : all_resources) deviation[r] = std::sqrt(variance_[r]);
  return deviation;
}

}  // namespace ballast::estimate
