// What breaks, and what each end then makes of it. One question decides all: has the source handed
// the VM over? Before, it takes the VM back at once. After, its copy stands still until the target
// can be asked; the answer is binding, because a VM that arrived stays until it is confirmed.
#include <algorithm>

#include "ballast/base/assert.h"
#include "ballast/base/planted.h"
#include "fleet_state.h"

namespace ballast::hypermodel {
namespace {

using Stage = Job::Stage;

constexpr const char* target_gone = "the target is gone";
constexpr const char* daemon_gone = "the connection to the hypervisor broke";

bool matches(Phase phase, Stage stage) {
  return static_cast<unsigned>(phase) == static_cast<unsigned>(stage);
}

bool has_it(const HostModel& host, const VmId& vm) {
  const Copy* copy = host.find(vm);
  return copy != nullptr && runs(copy->state);
}

}  // namespace

const char* name_of(Failure failure) {
  switch (failure) {
    case Failure::source_error: return "source error";
    case Failure::target_error: return "target error";
    case Failure::link_cut: return "link cut";
    case Failure::source_daemon: return "source daemon";
    case Failure::target_daemon: return "target daemon";
    case Failure::source_host: return "source host";
    case Failure::target_host: return "target host";
  }
  return "?";
}

void Fleet::State::inject(Job& job) {
  const auto found = armed.find(job.vm);
  if (found == armed.end() || !matches(found->second.phase, job.stage)) return;
  const Phase phase = found->second.phase;
  const Failure failure = found->second.failure;
  armed.erase(found);
  switch (failure) {
    case Failure::link_cut: return link_fails(job.from, job.to);
    case Failure::source_daemon: return daemon_fails(job.from);
    case Failure::target_daemon: return daemon_fails(job.to);
    case Failure::source_host: return host_fails(job.from);
    case Failure::target_host: return host_fails(job.to);
    case Failure::source_error:
    case Failure::target_error: break;
  }
  const std::string why = std::string(name_of(failure)) + " in " + name_of(phase);
  if (job.stage != Stage::confirm) return fail(job, why);
  if (failure == Failure::target_error) return;  // it has started the VM: its part is done
  touch(job);
  must(hosts[job.from].model.leave_over(job.vm));
  tell_ended(job, false, why);
  enter(job, Stage::doubt);
}

bool Fleet::State::link_is_up(HostIndex a, HostIndex b) const {
  return !cut_links.contains(std::minmax(a, b));
}

bool Fleet::State::in_contact(const Job& job) const {
  return hosts[job.from].answers() && hosts[job.to].answers() && link_is_up(job.from, job.to);
}

// On entering a stage: a target that is down is noticed at once, a cut link by keepalive only.
void Fleet::State::check_contact(Job& job) {
  if (job.stage == Stage::begin || in_contact(job)) return;
  if (!hosts[job.to].answers()) return lose_contact(job, target_gone);
  deadlines.erase({wakes(job), job.number});
  job.cut_noticed = now + timing.keepalive;
  schedule(job, time_never);
}

void Fleet::State::lose_contact(Job& job, const std::string& why) {
  deadlines.erase({wakes(job), job.number});
  job.cut_noticed = time_never;
  if (job.stage == Stage::doubt) return schedule(job, now + timing.ask_again);
  if (job.stage <= Stage::perform) return fail(job, why);
  touch(job);
  if (hosts[job.to].model.presence(job.vm) == Presence::incoming)
    must(hosts[job.to].model.drop(job.vm));
  if (planted::on(planted::Bug::model_resumes_in_doubt) && job.stage == Stage::confirm)
    return fail(job, why);
  must(hosts[job.from].model.doubt(job.vm));
  tell_ended(job, false, why);
  enter(job, Stage::doubt);
}

// A source that does not know asks until it does.
void Fleet::State::ask(Job& job) {
  if (!in_contact(job)) return schedule(job, now + timing.ask_again);
  HostModel& source = hosts[job.from].model;
  HostModel& target = hosts[job.to].model;
  if (has_it(target, job.vm)) {
    must(source.remove(job.vm));
    must(target.confirm(job.vm));
  } else {
    if (planted::on(planted::Bug::model_drops_in_doubt)) {
      must(source.remove(job.vm));
    } else {
      must(source.roll_back(job.vm));
    }
  }
  end(job);
}

std::vector<std::uint64_t> Fleet::State::jobs_at(HostIndex host) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, job] : jobs)
    if (job.from == host || job.to == host) numbers.push_back(number);
  return numbers;
}

std::vector<std::uint64_t> Fleet::State::jobs_between(HostIndex a, HostIndex b) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, job] : jobs)
    if (std::minmax(job.from, job.to) == std::minmax(a, b)) numbers.push_back(number);
  return numbers;
}

// Only an open migration lets a second host hold more than an empty shell of a VM.
bool Fleet::State::held_elsewhere(const VmId& vm, HostIndex host) const {
  const auto open = job_of_vm.find(vm);
  if (open == job_of_vm.end()) return false;
  const Job& job = jobs.at(open->second);
  const Copy* other = hosts[job.from == host ? job.to : job.from].model.find(vm);
  return other != nullptr && other->state != CopyState::incoming;
}

std::optional<HostIndex> Fleet::State::running_at(const VmId& vm) const {
  for (HostIndex h = 0; h < hosts.size(); ++h)
    if (has_it(hosts[h].model, vm)) return h;
  return std::nullopt;
}

void Fleet::State::guest_shuts_down(const VmId& vm) {
  const std::optional<HostIndex> here = running_at(vm);
  if (!here) return;
  if (const auto open = job_of_vm.find(vm); open != job_of_vm.end()) {
    Job& job = jobs.at(open->second);
    if (*here == job.from) fail(job, "the guest was shut down");
  }
  touched.push_back(*here);
  if (hosts[*here].model.shut_down(vm)) shut_down.insert(vm);
}

// A VM that stands still already cannot be suspended: nothing happens to it then.
void Fleet::State::guest_suspends(const VmId& vm, bool suspended) {
  if (suspended) {
    const std::optional<HostIndex> here = running_at(vm);
    if (here) static_cast<void>(hosts[*here].model.suspend(vm, true));
    return;
  }
  for (HostState& host : hosts) host.model.let_go_on(vm);
}

void Fleet::State::guest_hangs(const VmId& vm, bool hangs) {
  const std::optional<HostIndex> here = running_at(vm);
  if (here && hangs) static_cast<void>(hosts[*here].model.hang(vm));
  for (HostState& host : hosts) {
    if (!hangs) host.model.answer_again(vm);
  }
}

void Fleet::State::host_refuses(const HostRefuses& refusal) {
  HostState& host = hosts.at(refusal.host);
  if (refusal.vm.empty()) {
    host.refuses_all = refusal.refuses;
  } else if (refusal.refuses) {
    host.refused.insert(refusal.vm);
  } else {
    host.refused.erase(refusal.vm);
  }
}

void Fleet::State::host_fails(HostIndex host) {
  HostState& here = hosts.at(host);
  if (!here.up) return;
  here.up = false;
  touched.push_back(host);
  for (const auto& [vm, copy] : here.model.copies())
    if (copy.state != CopyState::incoming && !held_elsewhere(vm, host)) died.insert(vm);
  here.model.clear();
  for (const std::uint64_t number : jobs_at(host)) {
    Job& job = jobs.at(number);
    if (job.to == host) {
      lose_contact(job, target_gone);
      continue;
    }
    touch(job);
    HostModel& target = hosts[job.to].model;
    if (target.presence(job.vm) == Presence::incoming) must(target.drop(job.vm));
    if (has_it(target, job.vm)) must(target.confirm(job.vm));
    end(job);
  }
}

void Fleet::State::host_returns(HostIndex host) {
  HostState& here = hosts.at(host);
  if (here.up) return;
  here.up = true;
  here.daemon_up = true;
}

void Fleet::State::daemon_fails(HostIndex host) {
  HostState& here = hosts.at(host);
  if (!here.answers()) return;
  here.daemon_up = false;
  for (const std::uint64_t number : jobs_at(host)) {
    Job& job = jobs.at(number);
    lose_contact(job, job.from == host ? daemon_gone : target_gone);
  }
}

void Fleet::State::link_fails(HostIndex a, HostIndex b) {
  if (a == b || !cut_links.insert(std::minmax(a, b)).second) return;
  for (const std::uint64_t number : jobs_between(a, b)) {
    Job& job = jobs.at(number);
    if (job.stage == Stage::begin || job.stage == Stage::doubt) continue;
    if (job.stage == Stage::perform) job.copy.advance(now - job.copied_until, job.rate_mib_s);
    job.copied_until = now;
    job.rate_mib_s = 0;
    check_contact(job);
  }
}

// A connection whose link returns before keepalive gave up goes on.
void Fleet::State::link_returns(HostIndex a, HostIndex b) {
  if (cut_links.erase(std::minmax(a, b)) == 0) return;
  for (const std::uint64_t number : jobs_between(a, b)) {
    Job& job = jobs.at(number);
    if (job.cut_noticed == time_never) continue;
    deadlines.erase({wakes(job), job.number});
    job.cut_noticed = time_never;
    if (job.stage == Stage::perform)
      share_bandwidth(job.from);
    else
      enter(job, job.stage);
  }
}

}  // namespace ballast::hypermodel
