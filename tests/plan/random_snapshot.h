// Snapshots of every kind, from a seed: tight and roomy, with rules, maintenance, unlike hosts, and
// data that cannot be trusted.
#pragma once

#include "ballast/base/random.h"
#include "ballast/model/snapshot.h"

namespace ballast::test {

Snapshot random_snapshot(std::uint64_t seed);

}  // namespace ballast::test
