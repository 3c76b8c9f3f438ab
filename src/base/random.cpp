#include "ballast/base/random.h"

#include <bit>

#include "ballast/base/assert.h"

namespace ballast {

Random::Random(std::uint64_t seed) : state_{} {
  // splitmix64, as the authors of xoshiro recommend for filling the state from one word.
  for (std::uint64_t& word : state_) {
    seed += 0x9E3779B97F4A7C15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    word = z ^ (z >> 31U);
  }
}

std::uint64_t Random::next() {
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

std::uint64_t Random::below(std::uint64_t bound) {
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

double Random::unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

}  // namespace ballast
