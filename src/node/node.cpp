// Wires holder and master together and carries messages to the part that they are for.

#include "ballast/node/node.h"

#include <algorithm>
#include <utility>

#include "ballast/discovery/seeker.h"
#include "desk.h"
#include "holder.h"
#include "master.h"
#include "masters.h"
#include "outbox.h"

namespace ballast::node {

const char* name_of(EventKind kind) {
  switch (kind) {
    case EventKind::attached: return "attached";
    case EventKind::lost: return "lost";
    case EventKind::planned: return "planned";
    case EventKind::ordered: return "ordered";
    case EventKind::moved: return "moved";
    case EventKind::not_moved: return "not_moved";
    case EventKind::alarm: return "alarm";
    case EventKind::recovered: return "recovered";
    case EventKind::drain: return "drain";
  }
  return "?";
}

struct Node::Impl {
  Impl(TimePoint now, const Config& from, const std::string& endpoint,
       const std::string& migration_uri, const StoredState& stored, std::uint64_t from_seed,
       const MeshAccess& mesh_access)
      : config(from),
        access(mesh_access),
        incarnation(stored.incarnation),
        seed(from_seed),
        out(from.node.id, from.node.cluster),
        holder(now, config, endpoint, migration_uri, stored, seed, out),
        desk(from, seed ^ 0xDE5C0000U, out),
        seeker(seeker_settings(from), seed ^ 0x5EEC0000U) {
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

  // Becomes a master, of itself to begin with.
  void lead(TimePoint now) {
    seeker.stop();
    // A second term uses no number of the first again.
    if (terms++ > 0) seed = seed * 0x9E3779B97F4A7C15U + 1;
    master.emplace(now, config, incarnation, seed ^ 0x3A57E200U, out);
    if (access.signer != nullptr) {
      const wire::Peer self{config.node.id, holder.facts().endpoint, access.feed};
      masters.emplace(now, config, self, incarnation, seed ^ 0x3E540000U, *access.signer, out);
      masters->hint(now, heard_of);
    }
    if (config.node.role != Role::master) holder.set_master(now, PeerAddress{config.node.id, {}});
  }

  Status promote(TimePoint now, const NodeId& node) {
    if (node == config.node.id) {
      if (master) return Error{"this node is a master already"};
      out.event(now, EventKind::alarm, {}, node, "promoted: this node is a master now");
      lead(now);
      return {};
    }
    if (!master) return Error{"this node is no master: ask " + quoted(node.str()) + " itself"};
    if (!master->knows(node))
      return Error{quoted(node.str()) + " is no slave of this master: ask its own master"};
    out.send(node, {}, wire::Promote{"asked for by an operator"});
    return {};
  }

  Status demote(TimePoint now) {
    if (!master) return Error{"this node is no master"};
    if (config.node.role == Role::master)
      return Error{"its role is \"master\": change the configuration to \"auto\" or \"slave\""};
    for (const auto& [id, member] : master->group().members()) {
      if (id != config.node.id)
        out.send(id, {}, wire::Dismiss{member.epoch, "its master steps down"});
    }
    master.reset();
    masters.reset();
    holder.set_master(now, PeerAddress{});
    seeker.start(now);
    return {};
  }

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
    } else if constexpr (std::is_same_v<Body, wire::Promote>) {
      promoted(now, from, body);
    } else if constexpr (std::is_same_v<Body, wire::Dismiss>) {
      dismissed(now, from, body);
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
      master->take(now, from, epoch, body);
      if (masters && is_new && master->knows(from)) masters->attached(from);
    } else {
      master->take(now, from, epoch, body);
    }
  }

  void promoted(TimePoint now, const NodeId& from, const wire::Promote& order) {
    if (master || from != holder.attachment().master() || !holder.attachment().attached()) return;
    if (config.node.role != Role::automatic) {
      out.count("promotions_refused");
      return;
    }
    out.event(now, EventKind::attached, {}, from,
              "promoted by " + quoted(from.str()) + ": " + order.why);
    lead(now);
  }

  void dismissed(TimePoint now, const NodeId& from, const wire::Dismiss& word) {
    const Attachment& attachment = holder.attachment();
    if (master || from != attachment.master() || word.slave_epoch != attachment.epoch()) return;
    out.event(now, EventKind::lost, {}, from,
              "dismissed by " + quoted(from.str()) + ": " + word.why);
    holder.set_master(now, PeerAddress{});
    seeker.start(now);
    seeker.refused(now, from);
  }

  void on(TimePoint, const Tick&) {}
  void on(TimePoint now, const HypervisorEvent& event) { holder.take(now, event); }
  void on(TimePoint now, const wire::BeaconHeard& heard) {
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
    }
  }

  // --- time ---

  void seek(TimePoint now) {
    if (master) return;
    const bool attached = holder.attachment().attached();
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
    const bool wants = masters && (master->wants_room() || master->draining());
    master->tick(now, wants ? masters->sellers() : std::vector<market::Seller>{},
                 masters && masters->paused());
    if (!masters) return;
    if (masters->next_say() <= now) {
      const std::uint64_t changes = master->room_changes();
      const bool urgent = changes != told_changes;
      told_changes = changes;
      masters->set_group(master->slaves());
      if (urgent || masters->wants_summary(now)) {
        masters->say(now, master->summary(now), urgent);
      } else {
        masters->say_nothing(now);
      }
      promote_another(now);
    }
    masters->tick(now);
  }

  void promote_another(TimePoint now) {
    if (masters->others() + 1 >= config.mesh.min_masters) {
      (void)masters->to_promote(now, {});
      return;
    }
    std::vector<discovery::PromotionCandidate> slaves;
    for (const auto& [id, member] : master->group().members()) {
      if (id == config.node.id || member.lost) continue;
      slaves.push_back({id, member.facts.automatic, true, member.report.maintenance});
    }
    if (const auto chosen = masters->to_promote(now, slaves))
      out.send(*chosen, {}, wire::Promote{"there are fewer masters than min_masters"});
  }

  // Until the node has nothing left to say to itself and nothing is due.
  void settle(TimePoint now) {
    for (int rounds = 0;; ++rounds) {
      BALLAST_ASSERT(rounds < 100000, "a node that never comes to rest at one moment");
      out.set_epoch(holder.attachment().epoch());
      while (out.has_own()) deliver(now, out.self(), out.take_own());
      seek(now);
      if (out.has_own()) continue;
      desk.tick(now, {holder, master ? &*master : nullptr, masters ? &*masters : nullptr});
      if (out.has_own()) continue;
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
    const TimePoint next = std::min(holder.next_deadline(), desk.next_deadline());
    return std::min(next, master ? master->next_deadline() : seeker.next_deadline());
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
  Desk desk;
  discovery::Seeker seeker;
  std::optional<Master> master;
  std::optional<Masters> masters;
  std::vector<wire::Peer> heard_of;  // masters that offers told of, for the day that we lead
  bool was_attached = false;
  int terms = 0;  // as a master, in this life
  std::uint64_t told_changes = 0;
  // As they were when the node last came to rest; unknown again when an operator has spoken.
  bool due_known = false;
  TimePoint due;
  TimePoint due_of_group;  // of all but the mesh
  int stuck = 0;
};

Node::Node(TimePoint now, const Config& config, const std::string& endpoint,
           const std::string& migration_uri, const StoredState& stored, std::uint64_t seed,
           const MeshAccess& access)
    : impl_(std::make_unique<Impl>(now, config, endpoint, migration_uri, stored, seed, access)) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Effects Node::step(TimePoint now, const Input& input) {
  if (!impl_->take_gossip(now, input)) {
    std::visit([&](const auto& what) { impl_->on(now, what); }, input);
    impl_->settle(now);
  }
  Effects effects = impl_->out.take_effects();
  effects.answers = impl_->desk.take_answers();
  return effects;
}

TimePoint Node::next_deadline() const {
  return impl_->due_known ? impl_->due : impl_->next_deadline();
}

Status Node::approve(TimePoint now, const std::string& plan_id) {
  impl_->due_known = false;
  if (!impl_->master)
    return Error{"this node is no master: ask " +
                 quoted(impl_->holder.attachment().master().str())};
  return impl_->master->approve(now, plan_id);
}

Status Node::promote(TimePoint now, const NodeId& node) {
  impl_->due_known = false;
  return impl_->promote(now, node);
}

Status Node::demote(TimePoint now) {
  impl_->due_known = false;
  return impl_->demote(now);
}

Status Node::pause(TimePoint now, bool paused) {
  impl_->due_known = false;
  if (!impl_->masters)
    return Error{"this node is no master of a mesh: ask " +
                 quoted(impl_->holder.attachment().master().str())};
  return impl_->masters->set_pause(now, paused);
}

std::uint64_t Node::ask(TimePoint now, const Question& question) {
  impl_->due_known = false;
  return impl_->desk.ask(now, question);
}

const NodeId& Node::id() const { return impl_->config.node.id; }
bool Node::is_master() const { return impl_->master.has_value(); }
const ledger::Ledger* Node::ledger() const {
  return impl_->master ? &impl_->master->ledger() : nullptr;
}
std::vector<LeaseView> Node::honoured() const { return impl_->holder.leases(); }

View Node::view(TimePoint now) const {
  const Holder& holder = impl_->holder;
  View view;
  view.id = id();
  view.role = is_master() ? Role::master : Role::slave;
  view.endpoint = holder.facts().endpoint;
  if (holder.attachment().attached()) view.master = holder.attachment().master();
  view.epoch = holder.attachment().epoch();
  view.mode = impl_->config.plan.mode;
  const wire::HostReport report = holder.report(now);
  for (const wire::VmReport& vm : report.vms) {
    if (vm.vm.presence == Presence::running) view.own_vms.push_back(vm.vm.id);
  }
  if (impl_->master) {
    view.hosts = impl_->master->hosts(now);
    view.plan = impl_->master->plan(now);
    view.in_flight = impl_->master->in_flight();
    view.leases = impl_->master->leases();
    view.failures = impl_->master->failures(now);
    if (impl_->masters) {
      view.masters = impl_->masters->views();
      view.paused = impl_->masters->paused();
    }
  } else {
    const wire::HostFacts facts = holder.facts();
    Resources load = report.base;
    for (const wire::VmReport& vm : report.vms) load += vm.vm.load;
    const bool over = report.over_samples > 0;
    view.hosts.push_back(HostView{id(), Role::slave, facts.capacity, load, facts.thresholds,
                                  report.vms.size(),
                                  !report.distrust.empty() ? "stale: " + report.distrust
                                  : report.maintenance     ? drain_state(report.vms.size())
                                  : over                   ? over_in_words(report.base, facts)
                                                           : "ok"});
    view.in_flight = holder.jobs();
    view.leases = holder.leases();
  }
  view.counters = impl_->out.counters();
  if (impl_->master) impl_->master->count_into(view.counters);
  if (impl_->masters) impl_->masters->count_into(view.counters);
  view.events.assign(impl_->out.recent().begin(), impl_->out.recent().end());
  return view;
}

}  // namespace ballast::node
