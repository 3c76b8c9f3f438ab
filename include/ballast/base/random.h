// A seeded generator (xoshiro256**, Blackman and Vigna, "Scrambled linear pseudorandom number
// generators", 2021). The same seed gives the same numbers on every machine, which the standard
// library's distributions do not promise.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ballast/base/assert.h"

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

// Here, as searches and simulations draw more often than they do anything else.
inline std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5U, 7) * 9U;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

inline std::uint64_t Random::below(std::uint64_t bound) {
  BALLAST_ASSERT(bound > 0, "a range without numbers");
  // The high word of draw x bound (Lemire, "Fast Random Integer Generation in an Interval", 2019).
  // A low word under 2^64 mod bound would make some numbers come up once too often, so it is
  // rejected; as that is under bound, the division is needed for hardly any draw.
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t reject_below = (0U - bound) % bound;
    while (static_cast<std::uint64_t>(product) < reject_below) {
      product = static_cast<Wide>(next()) * bound;
    }
  }
  return static_cast<std::uint64_t>(product >> 64U);
}

inline double Random::unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

}  // namespace ballast
