#include "group_world.h"

#include <algorithm>

#include "ballast/wire/codec.h"
#include "common/plain_words.h"

namespace ballast::test {

std::shared_ptr<const Trace> trace_of(const std::vector<std::vector<double>>& loads) {
  auto trace = std::make_shared<Trace>();
  trace->interval = std::chrono::hours(24);
  for (std::size_t h = 0; h < loads.size(); ++h) {
    trace->hosts.push_back(
        TraceHost{HostId("h" + std::to_string(h)), {10000, 65536, 10000}, "g0", {}});
    for (const double share : loads[h]) {
      TraceVm vm;
      vm.id = VmId("v" + std::to_string(trace->vms.size()));
      vm.host = static_cast<std::uint32_t>(h);
      vm.size = {10000, 2048, 10};
      vm.cpu_percent = {static_cast<float>(share * 100)};
      trace->vms.push_back(std::move(vm));
    }
  }
  return trace;
}

GroupWorld::GroupWorld(std::uint64_t seed, std::shared_ptr<const Trace> trace,
                       const hypermodel::Timing& timing, const std::function<void(Config&)>& adjust)
    : trace_(std::move(trace)),
      random_(seed),
      now_(TimePoint(std::chrono::hours(1))),
      fleet_(trace_, timing, now_) {
  const std::size_t count = trace_->hosts.size();
  configs_.resize(count);
  stored_.resize(count);
  nodes_.resize(count);
  lives_.assign(count, 0);
  cut_.assign(count, false);
  for (std::size_t h = 0; h < count; ++h) {
    Config& config = configs_[h];
    config.node.id = trace_->hosts[h].id;
    config.node.role = h == 0 ? Role::master : Role::slave;
    if (h != 0) config.node.master = PeerAddress{trace_->hosts[0].id, "tcp://h0:1"};
    config.plan.mode = Mode::act;
    adjust(config);
    index_of_.emplace(config.node.id, h);
  }
  for (std::size_t h = 0; h < count; ++h) restart(h);
}

void GroupWorld::crash(std::size_t host) {
  nodes_[host].reset();
  // Whoever had a connection to it notices that it broke.
  for (std::size_t h = 0; h < nodes_.size(); ++h) {
    if (h != host)
      push(now_ + std::chrono::milliseconds(1), h, lives_[h],
           wire::TransportEvent(wire::LinkDown{configs_[host].node.id}));
  }
}

void GroupWorld::restart(std::size_t host) {
  ++lives_[host];
  liars_.erase(host);
  ++stored_[host].incarnation;
  nodes_[host].emplace(now_, configs_[host], "tcp://" + configs_[host].node.id.str() + ":1",
                       fleet_.migration_uri(static_cast<HostIndex>(host)), stored_[host],
                       random_.next());
  step_node(host, node::Tick{});
}

void GroupWorld::fail_migration(const VmId& vm, hypermodel::Phase phase,
                                hypermodel::Failure failure) {
  step_fleet(hypermodel::MigrationFails{vm, phase, failure});
}

void GroupWorld::hypervisor_daemon(std::size_t host, bool up) {
  const auto index = static_cast<HostIndex>(host);
  if (up) {
    step_fleet(hypermodel::DaemonReturns{index});
  } else {
    step_fleet(hypermodel::DaemonFails{index});
  }
}

void GroupWorld::inject(std::size_t to, const NodeId& from, const wire::Message& message) {
  step_node(to, wire::TransportEvent(wire::Delivered{from, message}));
}

Status GroupWorld::approve(const std::string& plan_id) {
  Status status = nodes_[0]->approve(now_, plan_id);
  step_node(0, node::Tick{});
  return status;
}

void GroupWorld::reload(std::size_t host, const std::function<void(Config&)>& change) {
  change(configs_[host]);
  step_node(host, node::ConfigLoaded{configs_[host]});
}

wire::Reply GroupWorld::ask(std::size_t host, const node::Question& question) {
  const std::uint64_t ticket = nodes_[host]->ask(now_, question);
  step_node(host, node::Tick{});
  for (int tries = 0; tries < 600 && !answers_.contains(ticket); ++tries)
    run_for(std::chrono::milliseconds(100));
  if (!answers_.contains(ticket)) findings_.push_back("an operator was not answered in a minute");
  return answers_[ticket];
}

// Whatever a person may read.
void GroupWorld::audit_words(const std::string& text) {
  if (std::string raw = test::what_is_raw(text); !raw.empty()) findings_.push_back(std::move(raw));
}

void GroupWorld::push(TimePoint at, std::size_t host, std::uint64_t life, node::Input input) {
  pending_.push(Pending{at, ++order_, host, life, std::move(input)});
}

void GroupWorld::step_node(std::size_t host, const node::Input& input) {
  if (nodes_[host]) apply(host, nodes_[host]->step(now_, input));
}

void GroupWorld::apply(std::size_t host, node::Effects effects) {
  if (effects.save) stored_[host] = *effects.save;
  for (const node::Answer& answer : effects.answers) {
    audit_words(answer.reply.text);
    for (const wire::Fact& fact : answer.reply.facts) audit_words(fact.text);
    answers_[answer.ticket] = answer.reply;
  }
  for (const node::Event& event : effects.events) audit_words(event.text);
  for (const wire::Envelope& envelope : effects.sends) send(host, envelope);
  for (const HypervisorCommand& command : effects.commands) {
    if (const auto* start = std::get_if<StartMigration>(&command)) {
      ++migrations_started_;
      first_migration_ = std::min(first_migration_, now_);
      started_in_life_[start->vm] = lives_[host];
    }
    step_fleet(hypermodel::HostCommand{static_cast<HostIndex>(host), command});
  }
}

void GroupWorld::send(std::size_t from, const wire::Envelope& said) {
  ++messages_;
  wire::Envelope envelope = said;
  const bool lie = tamper && tamper(configs_[from].node.id, envelope);
  if (on_send) on_send(configs_[from].node.id, envelope);
  if (lie) liars_.insert(from);
  const auto* report = std::get_if<wire::Report>(&envelope.message.body);
  if (leases_demanded_ && report != nullptr && !liars_.contains(from))
    audit_reservations(from, *report);
  const auto to = index_of_.find(envelope.to);
  if (to == index_of_.end() || cut_[from] || cut_[to->second]) return;
  // What travels is bytes.
  const Result<wire::Message> read = wire::decode(wire::encode(envelope.message));
  if (lie && !read) return;  // refused by whoever decodes it
  if (!lie && (!read || !(*read == envelope.message))) {
    findings_.push_back(
        "a message did not survive the wire: " + std::string(wire::name_of(envelope.message.body)) +
        (read ? "" : ": " + read.error().message));
    return;
  }
  mix(envelope.message.body.index());
  const int copies = random_.chance(faults.doubling) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (random_.chance(faults.loss)) continue;
    const Duration delay = duration_of_seconds(
        random_.between(seconds_of(faults.delay_min), seconds_of(faults.delay_max)));
    push(now_ + delay, to->second, 0,
         wire::TransportEvent(wire::Delivered{configs_[from].node.id, *read}));
  }
}

void GroupWorld::shut_down(const VmId& vm) { step_fleet(hypermodel::GuestShutsDown{vm}); }

void GroupWorld::suspend(const VmId& vm, bool suspended) {
  step_fleet(hypermodel::GuestSuspends{vm, suspended});
}

void GroupWorld::audit_reservations(std::size_t from, const wire::Report& report) {
  if (report.report.reservations.empty() || !nodes_[0]) return;
  const std::vector<node::LeaseView> leases = view(0).leases;
  for (const wire::Reservation& held : report.report.reservations) {
    const bool known = std::any_of(leases.begin(), leases.end(), [&](const node::LeaseView& lease) {
      return lease.vm == held.vm && lease.from == held.from && lease.to == configs_[from].node.id;
    });
    if (!known)
      findings_.push_back(quoted(configs_[from].node.id.str()) + " keeps room for " +
                          quoted(held.vm.str()) + " of which its master has no lease, at " +
                          std::to_string(seconds_of(now_.time_since_epoch())) + " s");
  }
}

void GroupWorld::step_fleet(const hypermodel::FleetInput& input) {
  for (hypermodel::FleetEvent& event : fleet_.step(now_, input)) {
    std::uint64_t life = lives_[event.host];
    // A call returns to the process that made it, or to nobody.
    if (const auto* ended = std::get_if<MigrationEnded>(&event.event))
      life = started_in_life_[ended->vm];
    else if (random_.chance(faults.answer_loss))
      continue;
    push(now_, event.host, life, std::move(event.event));
  }
  audit();
}

void GroupWorld::audit() {
  for (const hypermodel::Finding& finding : fleet_.audit()) {
    findings_.push_back(std::string(hypermodel::name_of(finding.kind)) + " at " +
                        std::to_string(seconds_of(now_.time_since_epoch())) +
                        " s: " + finding.detail);
  }
  if (findings_.size() > 20) findings_.resize(20);
}

void GroupWorld::run_for(Duration span) {
  const TimePoint end = now_ + span;
  for (;;) {
    TimePoint next = pending_.empty() ? time_never : pending_.top().at;
    next = std::min(next, fleet_.next_deadline());
    for (const auto& node : nodes_) {
      if (node) next = std::min(next, node->next_deadline());
    }
    if (next > end) break;
    now_ = std::max(now_, next);
    if (fleet_.next_deadline() <= now_) step_fleet(hypermodel::TimePasses{});
    while (!pending_.empty() && pending_.top().at <= now_) {
      const Pending due = pending_.top();
      pending_.pop();
      mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()) * 31 + due.host);
      if (due.life == 0 || due.life == lives_[due.host]) step_node(due.host, due.input);
    }
    for (std::size_t h = 0; h < nodes_.size(); ++h) {
      if (nodes_[h] && nodes_[h]->next_deadline() <= now_) step_node(h, node::Tick{});
    }
  }
  now_ = end;
}

Snapshot GroupWorld::truth() const {
  Snapshot snapshot;
  for (const TraceHost& from : trace_->hosts) {
    Host host;
    host.id = from.id;
    host.capacity = from.capacity;
    host.thresholds = configs_[0].plan.thresholds;
    snapshot.hosts.push_back(std::move(host));
  }
  std::map<VmId, const TraceVm*> vms;
  for (const TraceVm& vm : trace_->vms) vms.emplace(vm.id, &vm);
  for (std::size_t h = 0; h < trace_->hosts.size(); ++h) {
    for (const auto& [id, copy] : fleet_.host(static_cast<HostIndex>(h)).copies()) {
      if (!hypermodel::runs(copy.state)) continue;
      Vm vm;
      vm.id = id;
      vm.host = static_cast<HostIndex>(h);
      vm.load = load_at(*trace_, *vms.at(id), now_.time_since_epoch() - std::chrono::hours(1));
      snapshot.vms.push_back(std::move(vm));
    }
  }
  return snapshot;
}

}  // namespace ballast::test
