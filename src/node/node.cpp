// Wires holder and master together and carries messages to the part that they are for.

#include "ballast/node/node.h"

#include <algorithm>
#include <utility>

#include "holder.h"
#include "master.h"
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
  }
  return "?";
}

struct Node::Impl {
  Impl(TimePoint now, const Config& from, const std::string& endpoint,
       const std::string& migration_uri, const StoredState& stored, std::uint64_t seed)
      : config(from),
        out(from.node.id, from.node.cluster),
        holder(now, config, endpoint, migration_uri, stored, seed, out) {
    if (config.node.role == Role::master || !config.node.master)
      master.emplace(now, config, stored.incarnation, out);
  }

  void deliver(TimePoint now, const NodeId& from, const wire::Message& message) {
    out.set_epoch(holder.attachment().epoch());
    std::visit([&](const auto& body) { hand(now, from, message.header.epoch, body); },
               message.body);
  }

  // What slaves say to masters. A node that is no master answers that it knows nobody.
  template <class Body>
  void to_master(TimePoint now, const NodeId& from, const Epoch& epoch, const Body& body) {
    if (master) {
      master->take(now, from, epoch, body);
      return;
    }
    out.count("messages_for_a_master");
    out.send(from, {}, wire::AttachAnswer{epoch, false, "this node is not a master"});
  }
  void hand(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Attach& body) {
    to_master(now, from, epoch, body);
  }
  void hand(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Report& body) {
    to_master(now, from, epoch, body);
  }
  void hand(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Outcome& body) {
    to_master(now, from, epoch, body);
  }
  void hand(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::LeaseState& body) {
    to_master(now, from, epoch, body);
  }
  template <class Body>
  void hand(TimePoint now, const NodeId& from, const Epoch&, const Body& body) {
    if constexpr (requires { holder.take(now, from, body); }) {
      holder.take(now, from, body);
    } else {
      out.count("messages_for_a_mesh");
    }
  }

  void on(TimePoint, const Tick&) {}
  void on(TimePoint now, const HypervisorEvent& event) { holder.take(now, event); }
  void on(TimePoint now, const wire::TransportEvent& event) {
    if (const auto* delivered = std::get_if<wire::Delivered>(&event)) {
      deliver(now, delivered->from, delivered->message);
    } else if (const auto* down = std::get_if<wire::LinkDown>(&event)) {
      holder.link_down(now, down->peer);
    }
  }

  // Until the node has nothing left to say to itself and nothing is due.
  void settle(TimePoint now) {
    for (;;) {
      out.set_epoch(holder.attachment().epoch());
      while (out.has_own()) deliver(now, out.self(), out.take_own());
      if (next_deadline() > now) return;
      holder.tick(now);
      if (master) master->tick(now);
      if (!out.has_own() && next_deadline() <= now) {
        // Something stays due although it was ticked: it would spin here for ever.
        BALLAST_ASSERT(++stuck < 1000, "a deadline that passes without effect");
      } else {
        stuck = 0;
      }
    }
  }

  TimePoint next_deadline() const {
    const TimePoint next = holder.next_deadline();
    return master ? std::min(next, master->next_deadline()) : next;
  }

  Config config;
  Outbox out;
  Holder holder;
  std::optional<Master> master;
  int stuck = 0;
};

Node::Node(TimePoint now, const Config& config, const std::string& endpoint,
           const std::string& migration_uri, const StoredState& stored, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(now, config, endpoint, migration_uri, stored, seed)) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Effects Node::step(TimePoint now, const Input& input) {
  std::visit([&](const auto& what) { impl_->on(now, what); }, input);
  impl_->settle(now);
  return impl_->out.take_effects();
}

TimePoint Node::next_deadline() const { return impl_->next_deadline(); }

Status Node::approve(TimePoint now, const std::string& plan_id) {
  if (!impl_->master)
    return Error{"this node is no master: ask " +
                 quoted(impl_->holder.attachment().master().str())};
  return impl_->master->approve(now, plan_id);
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
  } else {
    const wire::HostFacts facts = holder.facts();
    Resources load = report.base;
    for (const wire::VmReport& vm : report.vms) load += vm.vm.load;
    const bool over = report.over_samples > 0;
    view.hosts.push_back(HostView{id(), Role::slave, facts.capacity, load, facts.thresholds,
                                  report.vms.size(),
                                  !report.distrust.empty() ? "stale: " + report.distrust
                                  : report.maintenance     ? "maintenance"
                                  : over                   ? "over"
                                                           : "ok"});
    view.in_flight = holder.jobs();
    view.leases = holder.leases();
  }
  view.counters = impl_->out.counters();
  view.events.assign(impl_->out.recent().begin(), impl_->out.recent().end());
  return view;
}

}  // namespace ballast::node
