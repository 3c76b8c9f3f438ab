// A master among the other masters: keeps the mesh, says there how its group stands, knows who has
// room, and answers nodes that look for a master. Source: design, sections 3 (steps 4, 5 and 11)
// and 4.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/discovery/offerer.h"
#include "ballast/discovery/second_master.h"
#include "ballast/market/seller.h"
#include "ballast/mesh/mesh.h"
#include "ballast/model/config.h"
#include "outbox.h"

namespace ballast::node {

class Masters {
 public:
  Masters(TimePoint now, const Config& config, const wire::Peer& self, std::uint64_t incarnation,
          std::uint64_t seed, const wire::Signer& signer, Outbox& out);

  // How our group stands; published when it has changed by more than a tenth, or at once when room
  // was given or taken (`urgent`).
  void say(TimePoint now, const wire::Summary& summary, bool urgent);
  // It is time to look how the group stands, even if no room was given or taken; else
  // say_nothing().
  bool wants_summary(TimePoint now) const;
  void say_nothing(TimePoint now) { next_look_ = now + config_.mesh.gossip_interval; }
  // When it wants to be told next how the group stands.
  TimePoint next_say() const { return next_look_; }
  void set_group(std::size_t slaves) { offerer_.set_group(slaves, others()); }
  void set_open(bool open) { offerer_.set_open(open); }

  void tick(TimePoint now);
  TimePoint next_deadline() const;

  void take(TimePoint now, const NodeId& from, const wire::Body& body);
  void take(TimePoint now, const wire::BeaconHeard& heard);
  void hint(TimePoint now, const std::vector<wire::Peer>& peers) { mesh_.hint(now, peers); }
  void link_down(TimePoint now, const NodeId& peer) { mesh_.link_down(now, peer); }
  void link_up(TimePoint now, const NodeId& peer) { mesh_.link_up(now, peer); }

  // Who has room, as far as is known; whose spare is withdrawn is not among them.
  std::vector<market::Seller> sellers() const;
  // It is a master that the mesh tells of.
  bool knows(const NodeId& node) const {
    return mesh_.heard_of(node).incarnation > 0 && !mesh_.is_lost(node);
  }
  bool is_lost(const NodeId& master) const { return mesh_.is_lost(master); }
  // Masters that we are linked with: they live.
  std::size_t others() const { return mesh_.active_peers().size(); }
  std::vector<MasterView> views() const;  // in order of id
  void count_into(std::map<std::string, std::uint64_t>& counters) const;
  const mesh::Mesh& mesh() const { return mesh_; }
  bool paused() const { return mesh_.pause().paused; }
  Status set_pause(TimePoint now, bool paused);
  bool has_place_for(TimePoint now, const NodeId& node) const {
    return offerer_.has_place_for(now, node);
  }
  void attached(const NodeId& node) { offerer_.attached(node); }
  // There have been fewer masters than wanted for so long that it is no start-up.
  bool is_short(TimePoint now) const;
  // The slave to make a master now, because there are too few.
  std::optional<NodeId> to_promote(TimePoint now,
                                   const std::vector<discovery::PromotionCandidate>& slaves);

 private:
  void carry_out();

  Outbox& out_;
  const Config& config_;  // of the node: some of it changes while it runs
  mesh::Mesh mesh_;
  discovery::Offerer offerer_;
  wire::Summary said_;
  bool has_said_ = false;
  TimePoint said_at_;
  TimePoint next_look_;
  TimePoint next_summary_;
  discovery::MasterCount count_;
  std::uint64_t pause_stamp_ = 0;
  bool pause_ = false;
};

// Whether the group stands so differently that others should hear of it: something that is told
// changed by more than a tenth.
bool differs(const wire::Summary& a, const wire::Summary& b);

}  // namespace ballast::node
