// The node's door: what comes in, how everything stands.

#include "ballast/node/node.h"

#include "node_impl.h"

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

std::string in_text(EventKind kind) {
  std::string text = name_of(kind);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

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
  if (!impl_->master) return impl_->not_here();
  return impl_->master->approve(now, plan_id);
}

Status Node::demote(TimePoint now) {
  impl_->due_known = false;
  return impl_->demote(now);
}

Status Node::pause(TimePoint now, bool paused) {
  impl_->due_known = false;
  if (!impl_->master) return impl_->not_here();
  if (!impl_->masters)
    return Error{"this master has no feed ([mesh] bind), so it cannot tell the others"};
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
  if (holder.attachment().attached() || impl_->leads_itself())
    view.master = holder.attachment().master();
  if (!view.master.empty())
    view.master_endpoint =
        view.master == id() ? view.endpoint : holder.attachment().master_endpoint();
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
      // One that was demoted and follows this node now.
      std::erase_if(view.masters, [&](const MasterView& one) {
        return !one.peer && impl_->master->knows(one.id);
      });
      view.paused = impl_->masters->paused();
    }
  } else {
    view.paused = holder.is_told_of_pause(now);
    view.in_flight = holder.jobs();
    view.leases = holder.leases();
  }
  // The master of its own host shows it with its group.
  if (!impl_->master || !impl_->master->knows(id())) view.hosts.push_back(holder.view(now));
  view.counters = impl_->out.counters();
  if (impl_->master) impl_->master->count_into(view.counters);
  if (impl_->masters) impl_->masters->count_into(view.counters);
  view.events.assign(impl_->out.recent().begin(), impl_->out.recent().end());
  return view;
}

}  // namespace ballast::node
