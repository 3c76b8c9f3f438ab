// Askers and grantors by themselves, without nodes: a few groups, some in need, over a network that
// loses, doubles and delays, with word of each other's room that is seconds old, and sometimes one
// master that does not answer at all. A seed is a run; what must never be is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::market {

struct BazaarResult {
  std::vector<std::string> findings;
  std::uint64_t placed = 0;  // VMs
  std::uint64_t asked = 0;   // VMs, each asking counted
};

BazaarResult run_bazaar(std::uint64_t seed);

}  // namespace ballast::market
