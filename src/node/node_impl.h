// What a node is made of: it wires holder and master together, carries messages to the part that
// they are for, and says who leads.
#pragma once

#include "ballast/node/node.h"

#include <algorithm>
#include <utility>

#include "ballast/base/planted.h"
#include "ballast/base/words.h"
#include "ballast/discovery/seeker.h"
#include "desk.h"
#include "fleet_keeper.h"
#include "holder.h"
#include "leaders.h"
#include "master.h"
#include "masters.h"
#include "outbox.h"
#include "stand_by.h"

namespace ballast::node {

struct Node::Impl {
  static constexpr Duration no_master_told_after = std::chrono::seconds(30);
  static constexpr Duration given_back_after = std::chrono::seconds(60);

  Impl(TimePoint now, const Config& from, const std::string& endpoint,
       const std::string& migration_uri, const StoredState& stored, std::uint64_t from_seed,
       const MeshAccess& mesh_access)
      : config(from),
        access(mesh_access),
        incarnation(stored.incarnation),
        seed(from_seed),
        out(from.node.id, from.node.cluster),
        holder(now, config, endpoint, migration_uri, stored, seed, out),
        leaders(config, out),
        desk(now, config, seed ^ 0xDE5C0000U, leaders, out),
        seeker(seeker_settings(from), seed ^ 0x5EEC0000U),
        stand_by(from.node.id),
        fleet(from, mesh_access.fleet, seed ^ 0xF1EE0000U, out) {
    leaders.set_demoted(stored.demoted && !planted::on(planted::Bug::demotion_is_forgotten));
    note_whether_it_may_lead(now);
    if (config.node.role == Role::master) {
      lead(now);
    } else {
      seeker.start(now);  // beside the master that is configured, should that one not answer
    }
  }

  static discovery::SeekerSettings seeker_settings(const Config& config) {
    discovery::SeekerSettings settings;
    settings.self = config.node.id;
    settings.may_lead = config.node.role == Role::automatic;
    return settings;
  }

  // --- leading ---

  // Becomes a master: of itself to begin with, or one that stands by, whose own host stays where it
  // is.
  void lead(TimePoint now, bool stands_by = false) {
    if (master) {
      stand_by.end();
      return holder.set_master(now, PeerAddress{config.node.id, {}});
    }
    seeker.stop();
    // A second term uses no number of the first again.
    if (terms++ > 0) seed = seed * 0x9E3779B97F4A7C15U + 1;
    master.emplace(now, config, incarnation, seed ^ 0x3A57E200U, out);
    if (access.signer != nullptr) {
      const wire::Peer self{config.node.id, holder.facts().endpoint, access.feed};
      masters.emplace(now, config, self, incarnation, seed ^ 0x3E540000U, *access.signer, out);
      masters->hint(now, heard_of);
    }
    if (stands_by && !planted::on(planted::Bug::stands_by_for_nobody)) return stand_by.begin();
    if (config.node.role != Role::master) holder.set_master(now, PeerAddress{config.node.id, {}});
  }

  bool leads_itself() const { return master && holder.attachment().master() == config.node.id; }

  void note_whether_it_may_lead(TimePoint now) {
    const bool may = leaders.why_not_by_itself().empty();
    seeker.set_may_lead(now, may);
    holder.set_may_lead(now, may);
  }

  // By an operator: it lasts, as the demotion of before did.
  void promote(TimePoint now) {
    set_demoted(now, false);
    stood_in_for = {};
    out.event(now, EventKind::attached, {}, config.node.id,
              "promoted by an operator: this node leads a group now");
    lead(now);
  }

  void set_demoted(TimePoint now, bool demoted) {
    leaders.set_demoted(demoted);
    holder.set_demoted(now, demoted);
    note_whether_it_may_lead(now);
  }

  Error not_here() const;
  PeerAddress configured_master_but(const NodeId& not_this) const;

  bool another_can_lead() const;
  Status demote(TimePoint now);
  void step_down(TimePoint now);
  void step_down_if_it_may_not(TimePoint now);

  // --- messages ---

  void deliver(TimePoint now, const NodeId& from, const wire::Message& message) {
    out.set_epoch(holder.attachment().epoch());
    std::visit([&](const auto& body) { hand(now, from, message, body); }, message.body);
  }

  // Each body goes to the part that has a door for it: what slaves say to a master, what masters
  // say to each other, and all else to the holder.
  template <class Body>
  void hand(TimePoint now, const NodeId& from, const wire::Message& message, const Body& body) {
    if constexpr (requires { master->take(now, from, message.header.epoch, body); }) {
      to_master(now, from, message.header.epoch, body);
    } else if constexpr (requires { master->trade().take(now, from, body); }) {
      if (master) {
        master->trade().take(now, from, body);
      } else {
        out.count("messages_for_a_master");
      }
    } else if constexpr (requires { holder.take(now, from, body); }) {
      holder.take(now, from, body);
      if constexpr (std::is_same_v<Body, wire::AttachAnswer>) {
        if (!body.accepted && !master) seeker.refused(now, from);
      }
    } else if constexpr (requires { desk.take(now, from, body); }) {
      desk.take(now, from, body);
    } else if constexpr (requires { fleet.take(now, from, body); }) {
      fleet.take(now, from, body);
    } else if constexpr (std::is_same_v<Body, wire::Promote>) {
      promoted(now, from, body);
    } else if constexpr (std::is_same_v<Body, wire::Dismiss>) {
      dismissed(now, from, body);
    } else if constexpr (std::is_same_v<Body, wire::Disbelief>) {
      leaders.disbelieved_by(now, from);
    } else if (masters) {
      masters->take(now, from, message.body);
    } else {
      out.count("messages_for_a_master");
    }
  }

  // A node that is no master answers that it knows nobody.
  template <class Body>
  void to_master(TimePoint now, const NodeId& from, const Epoch& epoch, const Body& body) {
    if (!master) {
      out.count("messages_for_a_master");
      if constexpr (std::is_same_v<Body, wire::Leave>) {
        out.send(from, {}, wire::LeaveAck{body.left});
      } else {
        out.send(from, {}, wire::AttachAnswer{epoch, false, "this node is not a master"});
      }
      return;
    }
    if constexpr (std::is_same_v<Body, wire::Attach>) {
      const bool is_new = from != config.node.id && !master->knows(from);
      if (is_new && masters && !masters->has_place_for(now, from)) {
        out.count("attaches_refused");
        out.send(from, {}, wire::AttachAnswer{epoch, false, "its free places are held for others"});
        return;
      }
      // Two that stand by, each in the group of the other, would be led by nobody.
      if (stand_by.active() && from == holder.attachment().master()) lead(now);
      master->take(now, from, epoch, body);
      if (masters && is_new && master->knows(from)) masters->attached(from);
    } else {
      master->take(now, from, epoch, body);
    }
  }

  void promoted(TimePoint now, const NodeId& from, const wire::Promote& order);
  void dismissed(TimePoint now, const NodeId& from, const wire::Dismiss& word);

  void on(TimePoint, const Tick&) {}
  void on(TimePoint now, const HypervisorEvent& event) { holder.take(now, event); }
  void on(TimePoint now, const SelfAlarm& alarm) {
    out.self_alarm(now, alarm.over ? EventKind::recovered : EventKind::alarm, config.node.id,
                   alarm.text);
  }
  void on(TimePoint now, const TrustLoaded& trust) {
    leaders.loaded(now, trust);
    note_whether_it_may_lead(now);
    step_down_if_it_may_not(now);
  }
  void on(TimePoint now, const FleetLoaded& loaded) { fleet.load(now, loaded); }
  // The parts refer to this one configuration: each looks when it needs to know.
  void on(TimePoint now, const ConfigLoaded& loaded) {
    config = loaded.config;
    if (master) master->config_changed(now);
  }
  void on(TimePoint now, const wire::BeaconHeard& heard) {
    const auto* hello = std::get_if<wire::Hello>(&heard.body);
    if (!heard.believed) {
      const bool concerned = master || !holder.attachment().attached();
      if (hello != nullptr && concerned) (void)leaders.not_believed(now, hello->master.id, false);
      return;
    }
    if (masters) masters->take(now, heard);
    if (!master) seeker.take(now, heard);
  }
  void on(TimePoint now, const wire::TransportEvent& event) {
    if (const auto* delivered = std::get_if<wire::Delivered>(&event)) {
      deliver(now, delivered->from, delivered->message);
    } else if (const auto* down = std::get_if<wire::LinkDown>(&event)) {
      holder.link_down(now, down->peer);
      if (master) master->trade().link_down(now, down->peer);
      if (masters) masters->link_down(now, down->peer);
    } else if (const auto* feed = std::get_if<wire::FeedDown>(&event)) {
      if (masters) masters->link_down(now, feed->peer);
    } else if (const auto* up = std::get_if<wire::FeedUp>(&event)) {
      if (masters) masters->link_up(now, up->peer);
      leaders.taken_by(now, up->peer);
      fleet.met(now, up->peer);
    } else if (const auto* link = std::get_if<wire::LinkUp>(&event)) {
      leaders.taken_by(now, link->peer);
    } else if (const auto* claims = std::get_if<wire::NotBelieved>(&event)) {
      if (leaders.not_believed(now, claims->from, true))
        out.send(claims->from, {}, wire::Disbelief{});
    } else if (const auto* refusal = std::get_if<wire::KeyRefused>(&event)) {
      leaders.refused_by(now, refusal->by);
    }
  }

  // --- time ---

  void seek(TimePoint now) {
    const bool attached = holder.attachment().attached();
    tell_of_no_master(now, attached);
    if (master) return stand(now, attached);
    if (attached && !seeker.is_idle()) seeker.stop();
    if (was_attached && !attached) seeker.start(now);
    was_attached = attached;
    if (seeker.next_deadline() <= now) seeker.tick(now);
    discovery::Effects found = seeker.take_effects();
    for (wire::BeaconSend& send : found.sends) out.call(std::move(send));
    for (wire::Peer& peer : found.masters) remember(std::move(peer));
    if (found.attach_to) holder.set_master(now, *found.attach_to);
    if (found.lead) {
      out.event(now, EventKind::attached, {}, config.node.id,
                "no master answers: this node is one now");
      lead(now);
    }
  }

  void stand(TimePoint now, bool attached);
  void give_back(TimePoint now);

  void dismiss_slaves(const std::string& why);
  void tell_of_no_master(TimePoint now, bool attached);

  void remember(wire::Peer peer) {
    std::erase_if(heard_of, [&](const wire::Peer& known) { return known.id == peer.id; });
    if (heard_of.size() >= limits::peers_told_max) heard_of.erase(heard_of.begin());
    heard_of.push_back(std::move(peer));
  }

  void tick_master(TimePoint now) {
    if (!master) return;
    if (masters) {
      for (const NodeId& other : master->trade().awaited())
        if (masters->is_lost(other)) master->trade().lost(now, other);
    }
    const bool wants = masters && master->wants_room(now);
    master->tick(now, wants ? masters->sellers() : std::vector<market::Seller>{},
                 masters && masters->paused());
    if (!masters) return;
    if (masters->next_say() <= now) {
      const std::uint64_t changes = master->room_changes();
      const bool urgent = changes != told_changes;
      told_changes = changes;
      masters->set_group(master->slaves());
      masters->set_open(!stand_by.active() ||
                        stand_by.takes_slaves(holder.attachment().master(),
                                              holder.attachment().attached(),
                                              config.limits.max_slaves, masters->views()));
      if (urgent || masters->wants_summary(now)) {
        masters->say(now, master->summary(now), urgent);
      } else {
        masters->say_nothing(now);
      }
      promote_another(now);
      give_back(now);
    }
    masters->tick(now);
  }

  void tell_to_lead(const NodeId& node, const char* why);
  void promote_another(TimePoint now);

  // Until the node has nothing left to say to itself and nothing is due.
  void settle(TimePoint now) {
    for (int rounds = 0;; ++rounds) {
      BALLAST_ASSERT(rounds < 100000, "a node that never comes to rest at one moment");
      out.set_epoch(holder.attachment().epoch());
      while (out.has_own()) deliver(now, out.self(), out.take_own());
      seek(now);
      if (out.has_own()) continue;
      desk.tick(now, {holder, master ? &*master : nullptr, masters ? &*masters : nullptr});
      if (const NodeId leads = desk.take_promoted(); !leads.empty())
        tell_to_lead(leads, "an operator has promoted it");
      if (desk.take_promotion()) {
        promote(now);
        continue;
      }
      if (out.has_own()) continue;
      tell_of_fleet(now);
      note_deadlines();
      if (due > now) return;
      holder.tick(now);
      tick_master(now);
      if (!out.has_own() && next_deadline() <= now) {
        // Something stays due although it was ticked: it would spin here for ever.
        BALLAST_ASSERT(++stuck < 1000, "a deadline that passes without effect");
      } else {
        stuck = 0;
      }
    }
  }

  // Our master, our slaves, and the masters that we are linked with.
  FleetKeeper::Neighbours neighbours() const {
    FleetKeeper::Neighbours all;
    const Attachment& attachment = holder.attachment();
    if (attachment.attached() && attachment.master() != config.node.id)
      all.emplace_back(attachment.master(), attachment.master_endpoint());
    if (master) {
      for (const NodeId& slave : master->nodes())
        if (slave != config.node.id) all.emplace_back(slave, "");
    }
    if (masters) {
      for (const MasterView& one : masters->views())
        if (one.peer && one.id != attachment.master()) all.emplace_back(one.id, one.endpoint);
    }
    return all;
  }

  void tell_of_fleet(TimePoint now) {
    if (!fleet.has_book()) return;
    if (holder.attachment().attached() && fleet_told_in != holder.attachment().epoch()) {
      fleet_told_in = holder.attachment().epoch();
      fleet.met_master(now);
    }
    if (fleet.is_due(now)) fleet.tick(now, neighbours());
  }

  // Most of what a master hears is gossip, which changes nothing but its mesh. False when this is
  // something else, or more is due.
  bool take_gossip(TimePoint now, const Input& input) {
    if (!masters || !due_known || due_of_group <= now || out.has_own()) return false;
    const auto* event = std::get_if<wire::TransportEvent>(&input);
    const auto* delivered = event == nullptr ? nullptr : std::get_if<wire::Delivered>(event);
    if (delivered == nullptr || !std::holds_alternative<wire::Gossip>(delivered->message.body))
      return false;
    out.set_epoch(holder.attachment().epoch());
    masters->take(now, delivered->from, delivered->message.body);
    due = std::min(due_of_group, masters->next_deadline());
    if (due <= now) settle(now);
    return true;
  }

  TimePoint deadline_of_group() const {
    const TimePoint next =
        std::min({holder.next_deadline(), desk.next_deadline(), fleet.next_deadline()});
    if (!master) return std::min(next, seeker.next_deadline());
    return std::min({next, master->next_deadline(), stand_by.next_deadline()});
  }
  TimePoint next_deadline() const {
    const TimePoint next = deadline_of_group();
    return masters ? std::min(next, masters->next_deadline()) : next;
  }
  void note_deadlines() {
    due_of_group = deadline_of_group();
    due = masters ? std::min(due_of_group, masters->next_deadline()) : due_of_group;
    due_known = true;
  }

  Config config;
  MeshAccess access;
  std::uint64_t incarnation;
  std::uint64_t seed;
  Outbox out;
  Holder holder;
  Leaders leaders;
  Desk desk;
  discovery::Seeker seeker;
  StandBy stand_by;
  FleetKeeper fleet;
  Epoch fleet_told_in;  // the attachment in which our master was told last what we know
  std::optional<Master> master;
  std::optional<Masters> masters;
  std::vector<wire::Peer> heard_of;  // masters that offers told of, for the day that we lead
  bool was_attached = false;
  TimePoint unattached_since = time_never;
  bool told_of_no_master = false;
  NodeId stood_in_for;  // leads in the place of this one; empty: of nobody
  TimePoint back_since = time_never;
  int terms = 0;  // as a master, in this life
  std::uint64_t told_changes = 0;
  // As they were when the node last came to rest; unknown again when an operator has spoken.
  bool due_known = false;
  TimePoint due;
  TimePoint due_of_group;  // of all but the mesh
  int stuck = 0;
};

}  // namespace ballast::node
