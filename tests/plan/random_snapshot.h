// Snapshots of every kind, from a seed: tight and roomy, with rules, maintenance, unlike hosts, and
// data that cannot be trusted.
#pragma once

#include "ballast/base/random.h"
#include "ballast/model/snapshot.h"

namespace ballast::test {

Snapshot random_snapshot(std::uint64_t seed);

// Many small VMs, and hosts that are over by little, by their own load, or by what may not move.
Snapshot trifling_snapshot(std::uint64_t seed);

}  // namespace ballast::test
