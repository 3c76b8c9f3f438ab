// Counts what a simulation is asked for: migrations that arrived, requests of the market, traffic
// between masters.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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
  // Now and then: what was sent in the phases of the run.
  void look(SimulateResult& result);
  void fill(SimulateResult& result) const;

 private:
  struct Sent {
    Duration at{0};
    double in = 0;
    double out = 0;
    std::uint64_t words = 0;
    std::size_t masters = 0;
  };
  Sent sent() const;
  static Bytes rate(const Sent& from, const Sent& to);

  World& world_;
  std::function<void(VmIndex, HostIndex, HostIndex)> on_moved_;
  std::optional<Sent> joining_until_;
  std::optional<Sent> joined_from_;
  std::uint64_t moved_ = 0;
  std::uint64_t moved_between_groups_ = 0;
};

}  // namespace ballast::world
