// Estimators on ramps, steps, noise and hostile samples, through the public door. One sample every
// 10 s, a window of 3 minutes, a forecast of the next minute.
#include "ballast/estimate/estimator.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"

namespace ballast::estimate {
namespace {

using std::chrono::seconds;

constexpr std::array kinds = {EstimatorKind::latest, EstimatorKind::mean, EstimatorKind::trend};
constexpr Duration window = seconds(180);
constexpr Duration horizon = seconds(60);
constexpr Duration every = seconds(10);

TimePoint at(int sample) { return TimePoint(seconds(1000)) + sample * every; }
Resources cpu(double mhz) { return {mhz, 1024, 0}; }

using Series = std::function<double(int sample)>;

LoadEstimator fed(EstimatorKind kind, int samples, const Series& series) {
  LoadEstimator estimator(kind, window);
  for (int i = 0; i < samples; ++i) estimator.add(at(i), cpu(series(i)));
  return estimator;
}

// Mean absolute error of the forecast of the mean of the next six samples.
double error_on(EstimatorKind kind, int samples, const Series& series) {
  LoadEstimator estimator(kind, window);
  double sum = 0;
  int forecasts = 0;
  for (int i = 0; i < samples; ++i) {
    estimator.add(at(i), cpu(series(i)));
    if (i < 18) continue;
    double truth = 0;
    for (int next = 1; next <= 6; ++next) truth += series(i + next) / 6;
    sum += std::abs(estimator.estimate(at(i), horizon).cpu_mhz - truth);
    ++forecasts;
  }
  return sum / forecasts;
}

// White noise that can be asked twice for the same sample.
Series noise(std::uint64_t seed, double mean, double width) {
  return [=](int sample) {
    Random random(seed * 1'000'003 + static_cast<std::uint64_t>(sample));
    return mean + width * (random.unit() - 0.5);
  };
}

}  // namespace

TEST_CASE("before the first sample every kind expects nothing") {
  for (const EstimatorKind kind : kinds) {
    const LoadEstimator estimator(kind, window);
    CHECK(estimator.estimate(at(0), horizon) == Resources{});
    CHECK(estimator.samples() == 0);
  }
}

TEST_CASE("a constant load is expected to stay, by every kind and for every resource") {
  for (const EstimatorKind kind : kinds) {
    LoadEstimator estimator(kind, window);
    for (int i = 0; i < 40; ++i) estimator.add(at(i), {700, 2048, 30});
    const Resources load = estimator.estimate(at(39), horizon);
    CHECK(load.cpu_mhz == doctest::Approx(700));
    CHECK(load.memory_mib == doctest::Approx(2048));
    CHECK(load.network_mbit == doctest::Approx(30));
  }
}

TEST_CASE("on a ramp, up or down, trend errs least and mean most") {
  for (const double slope : {25.0, -25.0}) {
    CAPTURE(slope);
    const Series ramp = [=](int i) { return 4000 + slope * i; };
    const double trend = error_on(EstimatorKind::trend, 100, ramp);
    const double latest = error_on(EstimatorKind::latest, 100, ramp);
    const double mean = error_on(EstimatorKind::mean, 100, ramp);
    CHECK(trend < 0.5 * latest);
    CHECK(latest < mean);
  }
}

TEST_CASE("on white noise mean errs less than latest, and trend hardly more than mean") {
  double all_mean = 0;
  double all_trend = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const Series series = noise(seed, 1000, 400);
    const double latest = error_on(EstimatorKind::latest, 400, series);
    const double mean = error_on(EstimatorKind::mean, 400, series);
    const double trend = error_on(EstimatorKind::trend, 400, series);
    CHECK(mean < 0.8 * latest);
    CHECK(trend < 0.8 * latest);
    all_mean += mean;
    all_trend += trend;
  }
  CHECK(all_trend < 1.15 * all_mean);
}

TEST_CASE("on a ramp with noise around it trend still errs less than mean and latest") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const Series around = noise(seed, 0, 200);
    const Series ramp = [&](int i) { return 1000 + 25.0 * i + around(i); };
    const double trend = error_on(EstimatorKind::trend, 200, ramp);
    CHECK(trend < error_on(EstimatorKind::latest, 200, ramp));
    CHECK(trend < error_on(EstimatorKind::mean, 200, ramp));
  }
}

TEST_CASE("one window after a step every kind has converged") {
  for (const EstimatorKind kind : kinds)
    for (const double after : {3000.0, 0.0}) {
      CAPTURE(name_of(kind));
      const int step = 40;
      const int settled = step + static_cast<int>(window / every);
      const auto estimator = fed(kind, settled, [=](int i) { return i < step ? 800 : after; });
      CHECK(estimator.estimate(at(settled - 1), horizon).cpu_mhz == doctest::Approx(after));
    }
}

TEST_CASE("a forecast is never negative, nor endless") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    for (const EstimatorKind kind : kinds) {
      LoadEstimator estimator(kind, window);
      TimePoint now = at(0);
      for (int i = 0; i < 60; ++i) {
        now += duration_of_seconds(random.between(0.1, 120));
        const double load = random.chance(0.3) ? 0 : std::pow(10, random.between(-3, 9));
        estimator.add(now, {load, load, load});
        const Duration ahead = duration_of_seconds(random.between(0, 3600));
        const Resources expected = estimator.estimate(now + ahead / 2, ahead);
        for (const Resource r : all_resources) {
          CHECK(std::isfinite(expected[r]));
          CHECK(expected[r] >= 0);
        }
      }
    }
  }
}

TEST_CASE("memory is bounded, however fast and long samples come") {
  for (const EstimatorKind kind : kinds) {
    LoadEstimator estimator(kind, std::chrono::hours(24 * 365));
    for (int i = 0; i < 5000; ++i) estimator.add(at(i), cpu(1));
    CHECK(estimator.samples() <= limits::samples_per_vm_max);
  }
  LoadEstimator windowed(EstimatorKind::mean, window);
  for (int i = 0; i < 5000; ++i) windowed.add(at(i), cpu(1));
  CHECK(windowed.samples() == static_cast<std::size_t>(window / every));
}

TEST_CASE("a sample that cannot be true is ignored and counted") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const EstimatorKind kind : kinds) {
    auto estimator = fed(kind, 20, [](int) { return 500; });
    const Resources before = estimator.estimate(at(19), horizon);
    const std::array<Resources, 6> hostile = {
        {{nan, 1, 1}, {1, inf, 1}, {1, 1, -1}, {-inf, 1, 1}, {1e300, 1, 1}, {1, 1, nan}}};
    for (const Resources& load : hostile) estimator.add(at(20), load);
    estimator.add(at(19), cpu(9));  // not newer
    estimator.add(at(3), cpu(9));   // older
    CHECK(estimator.ignored() == 8);
    CHECK(estimator.estimate(at(19), horizon) == before);
  }
}

TEST_CASE("when samples stop, the last one still stands") {
  for (const EstimatorKind kind : kinds) {
    const auto estimator = fed(kind, 30, [](int i) { return i < 29 ? 100 : 900; });
    const Resources later = estimator.estimate(at(29) + 10 * window, horizon);
    CHECK(later.cpu_mhz == doctest::Approx(900));
  }
}

TEST_CASE("swing is the deviation over about the last hour, and forgets what was before") {
  for (const EstimatorKind kind : kinds) {
    CHECK(fed(kind, 1, [](int) { return 500; }).swing().cpu_mhz == 0);
    CHECK(fed(kind, 1000, [](int) { return 500; }).swing().cpu_mhz ==
          doctest::Approx(0).epsilon(0.01));
    // A square wave between 400 and 600 deviates by 100, whatever its period within the hour.
    for (const int half : {1, 6, 30}) {
      const auto wave = [&](int i) { return i / half % 2 == 0 ? 400.0 : 600.0; };
      CHECK(fed(kind, 720, wave).swing().cpu_mhz == doctest::Approx(100).epsilon(0.08));
    }
    Random random(7);
    const auto noise = [&](int) { return 1000 + random.between(-50, 50) * std::sqrt(3.0); };
    CHECK(fed(kind, 720, noise).swing().cpu_mhz == doctest::Approx(50).epsilon(0.2));
    // Four hours after it has become calm, little is left of it.
    const auto calm = [&](int i) { return i < 360 && i % 2 == 0 ? 400.0 : 600.0; };
    CHECK(fed(kind, 360 + 1440, calm).swing().cpu_mhz < 5);
    CHECK(fed(kind, 360 + 1440, calm).swing().memory_mib == 0);
  }
}

TEST_CASE("what another host told of the swing counts until samples have replaced it") {
  LoadEstimator estimator(EstimatorKind::mean, window);
  estimator.begin_with_swing(at(0), cpu(500), {200, 0, 0});
  CHECK(estimator.swing().cpu_mhz == doctest::Approx(200));
  CHECK(estimator.samples() == 0);
  for (int i = 1; i <= 180; ++i) estimator.add(at(i), cpu(500));
  CHECK(estimator.swing().cpu_mhz == doctest::Approx(200 * std::exp(-0.5)).epsilon(0.02));
  // Nonsense is not believed.
  estimator.begin_with_swing(at(181), cpu(500), {-1, 0, 0});
  estimator.begin_with_swing(at(181), cpu(500), {std::numeric_limits<double>::infinity(), 0, 0});
  CHECK(estimator.swing().cpu_mhz < 200);
}

}  // namespace ballast::estimate
