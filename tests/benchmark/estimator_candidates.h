// Forecasts that were weighed for `trend`, each a function of the samples of a window (oldest
// first, evenly spaced): the mean load expected over the next `next` samples. docs/estimators.md
// tells what came of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace ballast::benchmark {

using Window = std::span<const double>;

inline double mean_of(Window window) {
  double sum = 0;
  for (const double value : window) sum += value;
  return sum / static_cast<double>(window.size());
}

// The middle of what is to come, in samples after the last one.
inline double middle_of(int next) { return (next + 1) / 2.0; }

// Weighted least squares, told at `ahead` samples after the last.
inline double line_at(Window window, std::span<const double> weights, double ahead) {
  double w = 0;
  double x = 0;
  double y = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    w += weights[i];
    x += weights[i] * static_cast<double>(i);
    y += weights[i] * window[i];
  }
  x /= w;
  y /= w;
  double spread = 0;
  double together = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const double off = static_cast<double>(i) - x;
    spread += weights[i] * off * off;
    together += weights[i] * off * (window[i] - y);
  }
  if (spread <= 0) return y;
  return y + together / spread * (static_cast<double>(window.size() - 1) + ahead - x);
}

inline double least_squares(Window window, int next) {
  const std::vector<double> even(window.size(), 1.0);
  return line_at(window, even, middle_of(next));
}

// Local regression with tricube weights, the newest sample weighing most, then weighed down once
// more where it lies far off (bisquare): Cleveland 1979, as Beloglazov and Buyya use it ("Optimal
// online deterministic algorithms and adaptive heuristics ...", 2012, LR and LRR).
inline double loess(Window window, int next, bool robust) {
  std::vector<double> weights(window.size());
  const auto reach = static_cast<double>(window.size());
  for (std::size_t i = 0; i < window.size(); ++i) {
    const double u = static_cast<double>(window.size() - 1 - i) / reach;
    weights[i] = std::pow(1 - u * u * u, 3);
  }
  if (robust && window.size() > 2) {
    std::vector<double> off(window.size());
    for (std::size_t i = 0; i < window.size(); ++i)
      off[i] = std::abs(window[i] -
                        line_at(window, weights,
                                static_cast<double>(i) - static_cast<double>(window.size() - 1)));
    std::vector<double> sorted = off;
    std::nth_element(sorted.begin(),
                     sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    const double scale = 6 * sorted[sorted.size() / 2];
    for (std::size_t i = 0; scale > 0 && i < window.size(); ++i) {
      const double u = std::min(1.0, off[i] / scale);
      weights[i] *= (1 - u * u) * (1 - u * u) + 1e-9;
    }
  }
  return line_at(window, weights, middle_of(next));
}

// Holt 1957; with phi below 1 the damped trend of Gardner and McKenzie 1985.
inline double holt(Window window, int next, double alpha, double beta, double phi) {
  double level = window[0];
  double slope = 0;
  for (std::size_t i = 1; i < window.size(); ++i) {
    const double before = level;
    level = alpha * window[i] + (1 - alpha) * (level + phi * slope);
    slope = beta * (level - before) + (1 - beta) * phi * slope;
  }
  double sum = 0;
  double damped = 0;
  double power = 1;
  for (int step = 1; step <= next; ++step) {
    power *= phi;
    damped += power;
    sum += level + damped * slope;
  }
  return sum / next;
}

// Simple exponential smoothing.
inline double smoothed(Window window, double alpha) {
  double level = window[0];
  for (const double value : window.subspan(1)) level += alpha * (value - level);
  return level;
}

// First-order autoregression towards the window's mean.
inline double autoregression(Window window, int next) {
  const double mean = mean_of(window);
  double square = 0;
  double lagged = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    square += (window[i] - mean) * (window[i] - mean);
    if (i > 0) lagged += (window[i] - mean) * (window[i - 1] - mean);
  }
  const double rho = square > 0 ? std::clamp(lagged / square, 0.0, 1.0) : 0;
  double sum = 0;
  double power = 1;
  for (int step = 1; step <= next; ++step) {
    power *= rho;
    sum += mean + power * (window.back() - mean);
  }
  return sum / next;
}

// A least-squares line, trusted as far as its slope stands out of the noise: the slope is shrunk by
// 1 - doubt x (its variance / its square), never below 0 (positive-part James-Stein, Efron and
// Morris 1973). `trend` is the one with a doubt of 4.
inline double shrunk_line(Window window, int next, double doubt) {
  const double mean = mean_of(window);
  if (window.size() < 3) return mean;
  const std::vector<double> even(window.size(), 1.0);
  const auto last = static_cast<double>(window.size() - 1);
  const double slope = line_at(window, even, 1) - line_at(window, even, 0);
  double spread = 0;
  double residual = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const double off = static_cast<double>(i) - last / 2;
    const double error = window[i] - mean - slope * off;
    spread += off * off;
    residual += error * error;
  }
  const double variance = residual / (last - 1) / spread;
  const double trust = slope != 0 ? std::max(0.0, 1 - doubt * variance / (slope * slope)) : 0.0;
  return mean + trust * slope * (last / 2 + middle_of(next));
}

}  // namespace ballast::benchmark
