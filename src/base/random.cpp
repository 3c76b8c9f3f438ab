#include "ballast/base/random.h"

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

}  // namespace ballast
