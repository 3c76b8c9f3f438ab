// Makes some nodes liars, and says what must hold for the others while those go on: in a group of
// which nobody lies, slaves keep their master, the balancing is not paused, and no VM of a host
// over its threshold has room elsewhere in the group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ballast/world/world.h"

namespace ballast::world {

class HonestGroups {
 public:
  // The world must outlive it. With fewer than two groups nobody lies.
  HonestGroups(World& world, std::uint64_t seed);
  // VMs of overloaded hosts that fit elsewhere in their own group.
  std::size_t left() const;
  void judge();

 private:
  // Hosts of each honest group, its master first.
  std::vector<std::vector<std::size_t>> groups() const;
  std::string example(std::size_t& vms) const;

  World& world_;
};

}  // namespace ballast::world
