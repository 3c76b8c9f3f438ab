// What could still be helped: VMs on hosts over their threshold for which there is room elsewhere.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "ballast/model/snapshot.h"

namespace ballast::world {

struct Fitting {
  std::size_t vms = 0;
  std::string example;  // one of them, in words
};

// Moves VMs, one by one and in thought, from hosts over their threshold straight to hosts that stay
// under `target` x threshold, wherever they are, until a host is no longer over or none of its VMs
// fits anywhere. What is not worth a migration (plan::Options::min_gain) is not asked for, nor what
// one move alone cannot do (chains, swaps). `may_go` (empty: everything may) says which VM can go
// to which host at all.
using MayGo = std::function<bool(const VmId& vm, HostIndex host)>;
Fitting fitting_surplus(const Snapshot& truth, double target, const MayGo& may_go = {});

}  // namespace ballast::world
