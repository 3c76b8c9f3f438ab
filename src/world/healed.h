// What must be true once all faults have ended and some time has passed: every slave has a master
// that knows it, no lease is left over, and no VM of a host over its threshold
// has room elsewhere.
#pragma once

#include <set>
#include <string>

#include "ballast/world/world.h"
#include "fitting.h"

namespace ballast::world {

class Healed {
 public:
  explicit Healed(World& world) : world_(world) {}
  // Whatever lease is open now must have ended when judge() looks.
  void note_leases();
  void judge();
  // VMs of overloaded hosts that fit elsewhere.
  std::size_t left() const;

 private:
  void judge_slaves();
  void judge_leases();
  std::string unfinished() const;
  Fitting fitting() const;

  World& world_;
  std::set<std::pair<NodeId, LeaseId>> open_;
};

}  // namespace ballast::world
