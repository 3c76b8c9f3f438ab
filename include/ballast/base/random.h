// A seeded generator (xoshiro256**, Blackman and Vigna, "Scrambled linear pseudorandom number
// generators", 2021). The same seed gives the same numbers on every machine, which the standard
// library's distributions do not promise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ballast {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  // Uniform in [0, bound); bound must be above 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();
  // Uniform in [low, high); high itself can come up only by rounding.
  double between(double low, double high) { return low + (high - low) * unit(); }
  bool chance(double probability) { return unit() < probability; }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace ballast
