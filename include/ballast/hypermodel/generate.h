// A made-up day of a fleet, uneven on purpose: in every group some hosts are clearly overloaded for
// hours while the group as a whole has room. The demo and the simulations run on it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ballast/base/time.h"
#include "ballast/model/resources.h"
#include "ballast/model/trace.h"

namespace ballast::hypermodel {

struct DayShape {
  std::uint64_t seed = 1;
  std::size_t hosts = 8;
  std::size_t vms = 64;
  std::size_t groups = 1;  // hosts are dealt to groups g0, g1, ... in turn; at most `hosts`
  Duration interval = std::chrono::minutes(5);
  Duration length = std::chrono::hours(24);
  Resources host_capacity = {83200, 131072, 10000};  // 32 cores of 2.6 GHz, 128 GiB, 10 Gbit/s
  // Where the load of a group peaks, as a share of its CPU. With the default threshold of 0.8 a
  // group keeps room for all.
  double peak_share = 0.60;
  // Share of the hosts that hold the heavy VMs, and are overloaded in their hours: at least one a
  // group of two hosts or more.
  double hot_share = 0.25;
};

// Same shape, same trace. Hosts are h000, h001, ...; VMs v00000, ...; every number within the
// bounds of limits.h. The VMs of a host take at most half of its memory and network. Hot hosts need
// a few VMs each (8 or more a host is right): with fewer, single VMs are too big to move.
Trace generate_day(const DayShape& shape);

}  // namespace ballast::hypermodel
