// Makes some nodes liars, and says what must hold for the others while those go on: in a group
// whose master does not lie, honest slaves keep it, the balancing is not paused, and no VM of an
// honest host over its threshold has room on another honest one of the group.
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
  // VMs of overloaded honest hosts that fit on another of their own group.
  std::size_t left() const;
  void judge();

 private:
  // Honest hosts of each group with an honest master, which is the first.
  std::vector<std::vector<std::size_t>> groups() const;
  std::string example(std::size_t& vms) const;

  World& world_;
};

}  // namespace ballast::world
