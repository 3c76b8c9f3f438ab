// The way of a migration: begin, prepare (the target takes the memory), perform (the copy, under a
// bandwidth that the migrations of a host share evenly), finish (the target starts the VM), confirm
// (the source removes its copy). One deadline a migration, kept in order.
#include "ballast/hypermodel/fleet.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ballast/base/assert.h"
#include "fleet_state.h"

namespace ballast::hypermodel {
namespace {

using Stage = Job::Stage;

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

TimePoint later(TimePoint now, Duration span) {
  return span > time_never - now ? time_never : now + span;
}

}  // namespace

void must(const Status& status) {
  BALLAST_ASSERT(status.ok(), status.ok() ? "" : status.error().message.c_str());
}

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::begin: return "begin";
    case Phase::prepare: return "prepare";
    case Phase::perform: return "perform";
    case Phase::finish: return "finish";
    case Phase::confirm: return "confirm";
  }
  return "?";
}

Fleet::State::State(std::shared_ptr<const Trace> trace, const Timing& timing_, TimePoint started_)
    : timing(timing_), loads(std::move(trace)), started(started_), now(started_) {
  for (const TraceHost& host : loads.trace().hosts) {
    const auto index = static_cast<HostIndex>(hosts.size());
    hosts.emplace_back();
    hosts.back().model = HostModel(host.capacity, Resources{});
    const bool added = host_by_uri.emplace("model://" + host.id.str(), index).second;
    BALLAST_ASSERT(added, "a trace that names a host twice");
  }
  for (HostIndex host = 0; host < hosts.size(); ++host) {
    hosts[host].model.set_base(base_in(loads.trace().hosts[host], 0));
    if (!loads.trace().hosts[host].base.empty()) loads_vary = true;
  }
  await_lives();
}

void Fleet::State::advance(TimePoint until) {
  BALLAST_ASSERT(until >= now, "time went back");
  for (;;) {
    const TimePoint job = deadlines.empty() ? time_never : deadlines.begin()->first;
    const TimePoint life = lives.empty() ? time_never : lives.begin()->first;
    if (std::min(job, life) > until) break;
    now = std::max(now, std::min(job, life));
    if (life <= job) {
      live(lives.extract(lives.begin()).value().second);
    } else {
      fire(jobs.at(deadlines.begin()->second));
    }
  }
  now = until;
}

void Fleet::State::command(HostIndex host, const HypervisorCommand& command) {
  HostState& here = hosts.at(host);
  if (!here.up) return;
  std::visit(
      Overloaded{[&](const SampleHost&) {
                   if (!here.daemon_up) {
                     events.push_back({host, SampleFailed{"the hypervisor does not answer"}});
                   } else {
                     if (loads_vary) follow_trace(host);
                     HostSample sample = here.model.sample(loads, now - started, timing);
                     sample.host = loads.trace().hosts[host].id.str();
                     events.push_back({host, HostSampled{std::move(sample)}});
                   }
                   if (loads_vary) touched.push_back(host);
                 },
                 [&](const QueryVm& query) {
                   if (here.daemon_up)
                     events.push_back({host, VmQueried{query.vm, here.model.presence(query.vm)}});
                 },
                 [&](const StartMigration& order) { start(host, order); },
                 [&](const SetAutostart& order) {
                   if (here.daemon_up) here.model.set_autostart(order.vm, order.autostart);
                 },
                 [&](const AbortMigration& order) { abort(host, order.vm); }},
      command);
}

void Fleet::State::start(HostIndex host, const StartMigration& order) {
  const auto refuse = [&](const std::string& why) {
    events.push_back({host, MigrationEnded{order.lease, order.vm, false, why}});
  };
  if (!hosts[host].daemon_up) return refuse("the hypervisor does not answer");
  const auto target = host_by_uri.find(order.target_uri);
  if (target == host_by_uri.end())
    return refuse("no hypervisor at " + quoted(order.target_uri) + ", expected model://HOST");
  if (target->second == host) return refuse("the target is the source");
  const std::string& there = loads.trace().hosts[target->second].id.str();
  if (!order.target_host.empty() && order.target_host != there)
    return refuse("the hypervisor at " + quoted(order.target_uri) + " is that of " + quoted(there) +
                  ", the order is for " + quoted(order.target_host));
  const std::uint64_t number = ++last_number;
  if (const Status begun =
          hosts[host].model.begin(order.vm, order.target_uri, std::to_string(number));
      !begun)
    return refuse(begun.error().message);
  Job& job = jobs[number];
  job.number = number;
  job.lease = order.lease;
  job.vm = order.vm;
  job.from = host;
  job.to = target->second;
  job.bandwidth_limit_mib_s = std::max(0.0, order.bandwidth_mib_s);
  const bool added = job_of_vm.emplace(job.vm, number).second;
  BALLAST_ASSERT(added, "a VM with two migrations");
  touch(job);
  enter(job, Stage::begin);
}

void Fleet::State::abort(HostIndex host, const VmId& vm) {
  const auto found = job_of_vm.find(vm);
  if (found == job_of_vm.end() || !hosts[host].daemon_up) return;
  Job& job = jobs.at(found->second);
  if (job.from == host && job.stage <= Stage::perform) fail(job, "aborted");
}

void Fleet::State::touch(const Job& job) {
  touched.push_back(job.from);
  touched.push_back(job.to);
}

// What the end of a stage brings.
void Fleet::State::fire(Job& job) {
  touch(job);
  if (job.cut_noticed <= now) return lose_contact(job, "the connection to the target broke");
  switch (job.stage) {
    case Stage::begin: return enter(job, Stage::prepare);
    case Stage::prepare: {
      const Copy* copy = hosts[job.from].model.find(job.vm);
      if (hosts[job.to].refuses_all || hosts[job.to].refused.contains(job.vm))
        return fail(job, "Cannot get interface MTU on 'br1': No such device");
      const Status prepared = hosts[job.to].model.prepare(
          job.vm, copy->memory_mib, timing.refuses_overcommit,
          "model://" + loads.trace().hosts[job.from].id.str(), copy->token);
      if (!prepared) return fail(job, prepared.error().message);
      return enter(job, Stage::perform);
    }
    case Stage::perform: return continue_copy(job);
    case Stage::finish: {
      HostModel& target = hosts[job.to].model;
      must(target.finish(job.vm, hosts[job.from].model.find(job.vm)->suspended));
      return enter(job, Stage::confirm);
    }
    case Stage::confirm: return settle(job);
    case Stage::doubt: return ask(job);
  }
}

void Fleet::State::enter(Job& job, Stage stage) {
  job.stage = stage;
  switch (stage) {
    case Stage::begin: schedule(job, later(now, timing.begin)); break;
    case Stage::prepare: schedule(job, later(now, timing.prepare)); break;
    case Stage::perform: start_copy(job); break;
    case Stage::finish: schedule(job, later(now, timing.finish)); break;
    case Stage::confirm: schedule(job, later(now, timing.confirm)); break;
    case Stage::doubt: schedule(job, later(now, timing.ask_again)); return;
  }
  const std::uint64_t number = job.number;
  inject(job);
  const auto still = jobs.find(number);
  if (still != jobs.end() && still->second.stage == stage) check_contact(still->second);
}

void Fleet::State::start_copy(Job& job) {
  const Copy* copy = hosts[job.from].model.find(job.vm);
  const double cpu_mhz = loads.load(job.vm, now - started).value_or(Resources{}).cpu_mhz;
  job.copy =
      Precopy(copy->memory_mib, cpu_mhz / 1000 * timing.dirty_mib_s_per_ghz, timing.downtime_limit);
  job.copied_until = now;
  job.rate_mib_s = 0;
  job.gives_up = later(now, timing.perform_max);
  hosts[job.from].sending.push_back(job.number);
  hosts[job.to].receiving.push_back(job.number);
  share_bandwidth(job.from);
  share_bandwidth(job.to);
}

void Fleet::State::stop_copy(Job& job) {
  std::erase(hosts[job.from].sending, job.number);
  std::erase(hosts[job.to].receiving, job.number);
  share_bandwidth(job.from);
  share_bandwidth(job.to);
}

void Fleet::State::continue_copy(Job& job) {
  job.copy.advance(now - job.copied_until, job.rate_mib_s);
  job.copied_until = now;
  if (job.copy.done()) {
    stop_copy(job);
    must(hosts[job.from].model.hand_over(job.vm));
    return enter(job, Stage::finish);
  }
  if (job.gives_up <= now) return fail(job, "the copy did not end in time");
  share_bandwidth(job.from);
}

// Every copy of this host goes on at its share from now.
void Fleet::State::share_bandwidth(HostIndex host) {
  const auto share = [&](std::uint64_t number) {
    Job& job = jobs.at(number);
    job.copy.advance(now - job.copied_until, job.rate_mib_s);
    job.copied_until = now;
    const auto flows = std::max(hosts[job.from].sending.size(), hosts[job.to].receiving.size());
    job.rate_mib_s =
        link_is_up(job.from, job.to) ? timing.link_mib_s / static_cast<double>(flows) : 0;
    if (job.bandwidth_limit_mib_s > 0)
      job.rate_mib_s = std::min(job.rate_mib_s, job.bandwidth_limit_mib_s);
    const TimePoint done =
        job.copy.converges(job.rate_mib_s) ? later(now, job.copy.left(job.rate_mib_s)) : time_never;
    schedule(job, std::min(done, std::max(now, job.gives_up)));
  };
  for (const std::uint64_t number : hosts[host].sending) share(number);
  for (const std::uint64_t number : hosts[host].receiving) share(number);
}

// The source has heard that the target runs it.
void Fleet::State::settle(Job& job) {
  must(hosts[job.from].model.remove(job.vm));
  must(hosts[job.to].model.confirm(job.vm));
  tell_ended(job, true, {});
  end(job);
}

void Fleet::State::fail(Job& job, const std::string& why) {
  touch(job);
  must(hosts[job.from].model.roll_back(job.vm));
  if (hosts[job.to].model.presence(job.vm) == Presence::incoming)
    must(hosts[job.to].model.drop(job.vm));
  tell_ended(job, false, why);
  end(job);
}

void Fleet::State::end(Job& job) {
  deadlines.erase({wakes(job), job.number});
  job_of_vm.erase(job.vm);
  if (job.stage == Stage::perform) stop_copy(job);
  jobs.erase(job.number);
}

void Fleet::State::tell_ended(const Job& job, bool ok, const std::string& detail) {
  if (hosts[job.from].up)
    events.push_back({job.from, MigrationEnded{job.lease, job.vm, ok, detail}});
}

void Fleet::State::schedule(Job& job, TimePoint due) {
  deadlines.erase({wakes(job), job.number});
  job.due = due;
  if (wakes(job) != time_never) deadlines.emplace(wakes(job), job.number);
}

Fleet::Fleet(std::shared_ptr<const Trace> trace, const Timing& timing, TimePoint started)
    : state_(std::make_unique<State>(std::move(trace), timing, started)) {}
Fleet::Fleet(Fleet&&) noexcept = default;
Fleet& Fleet::operator=(Fleet&&) noexcept = default;
Fleet::~Fleet() = default;

std::vector<FleetEvent> Fleet::step(TimePoint now, const FleetInput& input) {
  State& s = *state_;
  s.touched.clear();
  s.advance(now);
  std::visit(
      Overloaded{[&](const HostCommand& in) { s.command(in.host, in.command); },
                 [&](const HostFails& in) { s.host_fails(in.host); },
                 [&](const HostReturns& in) { s.host_returns(in.host); },
                 [&](const DaemonFails& in) { s.daemon_fails(in.host); },
                 [&](const DaemonReturns& in) { s.hosts.at(in.host).daemon_up = true; },
                 [&](const LinkFails& in) { s.link_fails(in.a, in.b); },
                 [&](const LinkReturns& in) { s.link_returns(in.a, in.b); },
                 [&](const MigrationFails& in) { s.armed[in.vm] = in; },
                 [&](const NothingFails&) { s.armed.clear(); },
                 [&](const GuestShutsDown& in) { s.guest_shuts_down(in.vm); },
                 [&](const GuestSuspends& in) { s.guest_suspends(in.vm, in.suspended); },
                 [&](const GuestHangs& in) { s.guest_hangs(in.vm, in.hangs); },
                 [&](const HostRefuses& in) { s.host_refuses(in); }, [](const TimePasses&) {}},
      input);
  return std::exchange(s.events, {});
}

TimePoint Fleet::next_deadline() const {
  const State& s = *state_;
  return std::min(s.deadlines.empty() ? time_never : s.deadlines.begin()->first,
                  s.lives.empty() ? time_never : s.lives.begin()->first);
}

std::string Fleet::migration_uri(HostIndex host) const {
  return "model://" + state_->loads.trace().hosts.at(host).id.str();
}

const HostModel& Fleet::host(HostIndex host) const { return state_->hosts.at(host).model; }
bool Fleet::is_up(HostIndex host) const { return state_->hosts.at(host).up; }
std::size_t Fleet::migrations_open() const { return state_->jobs.size(); }
std::size_t Fleet::vms_died() const { return state_->died.size(); }
bool Fleet::is_gone(const VmId& vm) const {
  return state_->died.contains(vm) || state_->absent.contains(vm);
}
bool Fleet::is_overfull_by_trace(HostIndex host) const {
  return state_->hosts.at(host).overfull_by_trace;
}
bool Fleet::refuses(HostIndex host, const VmId& vm) const {
  const HostState& there = state_->hosts.at(host);
  return there.refuses_all || there.refused.contains(vm);
}
VmIndex Fleet::index_of(const VmId& vm) const { return state_->loads.index_of(vm); }
Fleet::Streams Fleet::streams(HostIndex host) const {
  Streams streams;
  for (const auto& [number, job] : state_->jobs) {
    if (job.stage >= Stage::confirm) continue;
    if (job.from == host) ++streams.outgoing;
    if (job.to == host) ++streams.incoming;
  }
  return streams;
}
const std::vector<HostIndex>& Fleet::touched() const { return state_->touched; }
std::size_t Fleet::vms_shut_down() const { return state_->shut_down.size(); }

}  // namespace ballast::hypermodel
