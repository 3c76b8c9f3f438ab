// A made-up fleet for simulations: groups of unlike load, hosts in each that are over their
// threshold, room elsewhere, and loads that step from minute to minute.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ballast/model/trace.h"

namespace ballast::world {

struct FleetShape {
  std::uint64_t seed = 1;
  std::size_t masters = 3;
  std::size_t slaves = 4;  // of each master
  std::size_t vms = 4;     // of each host, at the start
  std::size_t minutes = 10;
  // Loads of a group change by more than a tenth in a minute with this probability, ...
  double change_share = 0.05;
  // The same of single hosts, ...
  double host_change_share = 0;
  // ... but no more from here on.
  std::size_t calm_from_minute = SIZE_MAX;
  // Memory of a VM, as a share of what its host has for each of its VMs.
  double memory_min = 0.15;
  double memory_max = 0.7;
  // Share of the groups whose load is more than they can carry under their thresholds.
  double groups_over = 0.2;
};

// Same shape, same trace. The master of group g is host g * (slaves + 1); ids are UUIDs that tell
// group and host.
Trace make_fleet(const FleetShape& shape);

}  // namespace ballast::world
