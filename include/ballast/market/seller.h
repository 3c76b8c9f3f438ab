// What the market knows of a master that may have room.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/model/resources.h"

namespace ballast::market {

struct Seller {
  NodeId master;
  std::string endpoint;
  std::uint64_t incarnation = 0;  // with `version`: which summary says so
  std::uint64_t version = 0;
  std::vector<Resources> holes;  // room on single hosts, largest first
};

// How many VMs of this load fit into the holes, each hole on its own.
std::size_t slots_for(const std::vector<Resources>& holes, const Resources& load);
// Rounded down to whole units, as room is told to others; never below 0.
Resources whole_units(const Resources& room);
bool fits(const Resources& hole, const Resources& load);

}  // namespace ballast::market
