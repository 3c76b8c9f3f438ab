// Keeps the samples of one VM within the window, and answers by the formula of its kind
// (forecast.h), one resource at a time.
#include "ballast/estimate/estimator.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "ballast/base/assert.h"
#include "ballast/base/limits.h"
#include "forecast.h"
#include "swing.h"

namespace ballast::estimate {
namespace {

bool is_plausible(double value, double max) {
  return std::isfinite(value) && value >= 0 && value <= max;
}

bool is_plausible(const Resources& load) {
  return is_plausible(load.cpu_mhz, limits::cpu_mhz_max) &&
         is_plausible(load.memory_mib, limits::memory_mib_max) &&
         is_plausible(load.network_mbit, limits::network_mbit_max);
}

double forecast(EstimatorKind kind, std::span<const Point> points, double ahead_s) {
  switch (kind) {
    case EstimatorKind::latest: return latest_of(points);
    case EstimatorKind::mean: return mean_of(points);
    case EstimatorKind::trend: return trend_of(points, ahead_s);
  }
  return latest_of(points);
}

}  // namespace

struct LoadEstimator::State {
  struct Sample {
    TimePoint at;
    Resources load;
  };
  EstimatorKind kind;
  Duration window;
  std::deque<Sample> samples;
  std::size_t ignored = 0;
  Swing swing{};

  std::size_t capacity() const {
    return kind == EstimatorKind::latest ? 1 : limits::samples_per_vm_max;
  }
  // Samples of the window that ends at `now`; the last one where the window holds none.
  std::vector<Sample> recent(TimePoint now) const {
    std::vector<Sample> kept;
    for (const Sample& sample : samples)
      if (now - sample.at < window || &sample == &samples.back()) kept.push_back(sample);
    return kept;
  }
};

LoadEstimator::LoadEstimator(EstimatorKind kind, Duration window)
    : state_(std::make_unique<State>(State{kind, window, {}, 0, {}})) {
  BALLAST_ASSERT(window > Duration::zero(), "a window of no length");
}
LoadEstimator::LoadEstimator(LoadEstimator&&) noexcept = default;
LoadEstimator& LoadEstimator::operator=(LoadEstimator&&) noexcept = default;
LoadEstimator::~LoadEstimator() = default;

void LoadEstimator::add(TimePoint at, const Resources& load) {
  State& s = *state_;
  if (!is_plausible(load) || (!s.samples.empty() && at <= s.samples.back().at)) {
    ++s.ignored;
    return;
  }
  s.swing.add(at, load);
  s.samples.push_back({at, load});
  while (s.samples.size() > s.capacity() || at - s.samples.front().at >= s.window)
    s.samples.pop_front();
}

Resources LoadEstimator::estimate(TimePoint now, Duration horizon) const {
  const State& s = *state_;
  if (s.samples.empty()) return {};
  const std::vector<State::Sample> recent = s.recent(now);
  std::vector<Point> points(recent.size());
  Resources load;
  for (const Resource r : all_resources) {
    for (std::size_t i = 0; i < recent.size(); ++i)
      points[i] = {seconds_of(now - recent[i].at), recent[i].load[r]};
    load[r] = forecast(s.kind, points, seconds_of(horizon) / 2);
  }
  return load;
}

Resources LoadEstimator::swing() const { return state_->swing.deviation(); }

void LoadEstimator::begin_with_swing(TimePoint at, const Resources& load, const Resources& swing) {
  if (is_plausible(load) && is_plausible(swing)) state_->swing.begin_with(at, load, swing);
}

std::size_t LoadEstimator::samples() const { return state_->samples.size(); }
std::size_t LoadEstimator::ignored() const { return state_->ignored; }

}  // namespace ballast::estimate
