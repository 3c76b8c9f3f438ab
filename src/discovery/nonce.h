// A number that was not used before: an offer proves by it that it answers this seek.
#pragma once

#include "ballast/base/random.h"
#include "ballast/wire/beacon.h"

namespace ballast::discovery {

inline wire::Nonce fresh_nonce(Random& random) {
  wire::Nonce nonce;
  for (std::uint8_t& byte : nonce) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  return nonce;
}

}  // namespace ballast::discovery
