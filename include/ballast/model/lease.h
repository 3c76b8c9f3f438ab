// Names of promises: epochs of slaves and ids of leases. Plain values that travel in messages.
#pragma once

#include <compare>
#include <cstdint>

#include "ballast/base/ids.h"

namespace ballast {

// Which life of a slave, and which attachment to a master in that life, a message belongs to.
// Chosen by the slave alone; the incarnation rises at each start and survives restarts. An order
// from an older epoch is refused (design, section 1).
struct Epoch {
  std::uint64_t incarnation = 0;
  std::uint64_t attachment = 0;
  auto operator<=>(const Epoch&) const = default;
};

// Room promised for one VM on one host: who promised it, in which of its lives, the how-manieth.
struct LeaseId {
  NodeId grantor;
  std::uint64_t incarnation = 0;
  std::uint64_t number = 0;
  auto operator<=>(const LeaseId&) const = default;
};

}  // namespace ballast
