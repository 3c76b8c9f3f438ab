// Forecasts over one series of samples: plain functions, so that each formula is seen and tested
// alone. How they compare on recorded loads is told in docs/estimators.md.
#pragma once

#include <span>

namespace ballast::estimate {

// One sample: seconds before now (0 or more), and the load then.
struct Point {
  double age_s = 0;
  double value = 0;
};

// All take at least one point, oldest first.
double latest_of(std::span<const Point> points);
double mean_of(std::span<const Point> points);
// Expected load `ahead_s` after now.
double trend_of(std::span<const Point> points, double ahead_s);

}  // namespace ballast::estimate
