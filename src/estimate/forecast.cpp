// `trend` is a least-squares line through the window, whose slope is trusted only as far as it
// stands out of the noise: the forecast goes from the mean towards the line by 1 - 4 x (variance of
// the slope / its square), never below 0. So a slope under two standard errors counts as none, and
// the mean is told. It is shrinkage after James and Stein (positive part: Efron and Morris,
// "Stein's estimation rule and its competitors", JASA 1973). A plain line, Loess and Holt's
// smoothing all follow noise: docs/estimators.md has the figures.
#include "forecast.h"

#include <algorithm>
#include <cmath>

#include "ballast/base/assert.h"

namespace ballast::estimate {
namespace {

// Squared standard errors that a slope must exceed.
constexpr double slope_doubt = 4;

struct Line {
  double level_now = 0;
  double slope_per_s = 0;
  double slope_variance = 0;
};

// Least squares; the line is told at age 0.
Line line_through(std::span<const Point> points) {
  const auto count = static_cast<double>(points.size());
  double mean_age = 0;
  double mean_value = 0;
  for (const Point& p : points) {
    mean_age += p.age_s / count;
    mean_value += p.value / count;
  }
  double spread = 0;
  double together = 0;
  for (const Point& p : points) {
    spread += (p.age_s - mean_age) * (p.age_s - mean_age);
    together += (p.age_s - mean_age) * (p.value - mean_value);
  }
  if (spread <= 0) return {mean_value, 0, 0};
  const double per_age = together / spread;
  double residual = 0;
  for (const Point& p : points) {
    const double off = p.value - mean_value - per_age * (p.age_s - mean_age);
    residual += off * off;
  }
  return {mean_value - per_age * mean_age, -per_age, residual / (count - 2) / spread};
}

}  // namespace

double latest_of(std::span<const Point> points) {
  BALLAST_ASSERT(!points.empty(), "a forecast needs a sample");
  return points.back().value;
}

double mean_of(std::span<const Point> points) {
  BALLAST_ASSERT(!points.empty(), "a forecast needs a sample");
  double sum = 0;
  for (const Point& p : points) sum += p.value;
  return sum / static_cast<double>(points.size());
}

double trend_of(std::span<const Point> points, double ahead_s) {
  const double mean = mean_of(points);
  if (points.size() < 3) return mean;
  const Line line = line_through(points);
  const double forecast = line.level_now + line.slope_per_s * ahead_s;
  const double squared = line.slope_per_s * line.slope_per_s;
  const double trust =
      squared > 0 ? std::max(0.0, 1 - slope_doubt * line.slope_variance / squared) : 0.0;
  return std::max(0.0, mean + trust * (forecast - mean));
}

}  // namespace ballast::estimate
