// Counts what a simulation is asked for: migrations that arrived, requests of the market, traffic
// between masters.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "ballast/world/simulate.h"
#include "ballast/world/world.h"

namespace ballast::world {

class Tally {
 public:
  explicit Tally(World& world);
  // To be called with each VM that has come to run on another host.
  void on_moved(std::function<void(VmIndex vm, HostIndex from, HostIndex to)> call) {
    on_moved_ = std::move(call);
  }
  void fill(SimulateResult& result) const;

 private:
  World& world_;
  std::function<void(VmIndex, HostIndex, HostIndex)> on_moved_;
  std::uint64_t moved_ = 0;
  std::uint64_t moved_between_groups_ = 0;
};

}  // namespace ballast::world
