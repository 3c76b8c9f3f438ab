// Faults of every kind, one after the other, drawn from a seed: what a data centre does to a system
// in years, in minutes.
#pragma once

#include <cstdint>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/world/world.h"

namespace ballast::world {

class Troubles {
 public:
  // Changes nothing yet. The world must outlive it.
  Troubles(World& world, std::uint64_t seed);

  // One more fault, somewhere; some of those before come to an end.
  void stir();
  // When the next one should come.
  Duration pause();
  // Every fault ends, every node and host comes back. What died with a host stays dead.
  void end();

 private:
  void bring_back();
  void trouble_node(std::size_t node);
  void trouble_network(std::size_t node);
  void trouble_hypervisor(std::size_t node);
  // Of hosts that never take certain VMs, or none, from the beginning to after the end.
  void draw_refusals();
  void trouble_guest();
  void let_guests_go_on(double share);
  std::size_t any_node() { return random_.below(world_.nodes()); }

  World& world_;
  Random random_;
  Random guests_;  // a course of its own: what else happens does not hang on it
  std::vector<VmId> suspended_;
  std::vector<VmId> hanging_;
  std::vector<bool> host_lost_;
  std::size_t hosts_lost_in_all_ = 0;
};

}  // namespace ballast::world
