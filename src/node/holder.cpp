#include "holder.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "phrases.h"

namespace ballast::node {
namespace {

constexpr Duration tell_every = std::chrono::seconds(2);
constexpr Duration tell_left_every = std::chrono::seconds(5);
constexpr Duration leave_told_for = std::chrono::minutes(30);
constexpr std::size_t left_told_max = 8;
constexpr std::size_t ended_remembered_max = 256;

}  // namespace

Holder::Holder(TimePoint now, const Config& config, std::string endpoint, std::string migration_uri,
               const StoredState& stored, std::uint64_t seed, Outbox& out)
    : out_(out),
      config_(config),
      endpoint_(std::move(endpoint)),
      migration_uri_(std::move(migration_uri)),
      incarnation_(stored.incarnation),
      started_(now),
      maintenance_(stored.maintenance),
      demoted_(stored.demoted),
      master_(stored.master),
      sampler_(now, config, stored),
      attachment_(now, config, config.node.id, stored.incarnation, seed),
      kept_(stored.kept) {
  for (const StoredState::Kept& kept : kept_) kept_until_[kept.vm] = now + kept_for;
}

// --- time ---------------------------------------------------------------------------------------

void Holder::tick(TimePoint now) {
  sampler_.tick(now, out_);
  if (out_.take_alarms_changed() && attachment_.attached()) attachment_.report_soon(now);
  report_if_due(now);
  std::vector<LeaseId> due;
  for (const auto& [lease, job] : jobs_) {
    if (job.machine.next_deadline() <= now) due.push_back(lease);
  }
  for (const LeaseId& lease : due) step_job(now, lease, migrate::Tick{});
  for (auto& [lease, arrival] : arrivals_) {
    if (arrival.machine.tick(now)) out_.command(QueryVm{arrival.machine.vm()});
  }
  tell_left(now);
  if (!attachment_.attached()) return;
  for (auto& [lease, untold] : untold_) {
    if (untold.next > now) continue;
    if (planted::on(planted::Bug::holder_tells_once)) {
      untold.next = time_never;
      continue;
    }
    untold.next = now + tell_every;
    to_master(untold.body);
  }
}

TimePoint Holder::next_deadline() const {
  TimePoint next = sampler_.next_deadline();
  if (sampler_.ready()) next = std::min(next, attachment_.next_deadline());
  for (const auto& [lease, job] : jobs_) next = std::min(next, job.machine.next_deadline());
  for (const auto& [lease, arrival] : arrivals_)
    next = std::min(next, arrival.machine.next_deadline());
  if (attachment_.attached()) {
    for (const auto& [lease, untold] : untold_) next = std::min(next, untold.next);
    for (const Left& left : left_) next = std::min({next, left.next, left.until});
  }
  return next;
}

void Holder::report_if_due(TimePoint now) {
  if (!sampler_.ready()) return;
  const bool was_attached = attachment_.attached();
  const Attachment::Due due = attachment_.tick(now, out_);
  if (was_attached && !attachment_.attached()) detached(now);
  if (due == Attachment::Due::nothing) return;
  const std::uint64_t sequence = attachment_.sent(now, due);
  wire::HostFacts facts = this->facts();
  if (due == Attachment::Due::attach) {
    facts_told_.reset();
    to_master(wire::Attach{std::move(facts), report(now), sequence, attachment_.previous()});
    return;
  }
  wire::Report told{sequence, std::nullopt, report(now)};
  asked_ = false;
  // Until it is known that they were heard: a report may get lost.
  if (facts_told_ != facts) {
    facts_sent_ = {sequence, facts};
    told.facts = std::move(facts);
  }
  to_master(std::move(told));
  wire::Alarms alarms = out_.alarms(now, 3 * config_.sample.report_interval);
  if (!alarms.notes.empty() && attachment_.master() != out_.self()) to_master(std::move(alarms));
}

wire::HostFacts Holder::facts() const {
  wire::HostFacts facts = sampler_.facts(endpoint_);
  facts.automatic = config_.node.role == Role::automatic && may_lead_;
  return facts;
}

wire::HostReport Holder::report(TimePoint now) const {
  wire::HostReport report = sampler_.report(now, asked_);
  report.maintenance = maintenance_;
  for (const auto& [lease, job] : jobs_)
    report.jobs.push_back(wire::Job{lease, job.machine.vm(), job.target});
  // What the hypervisor was found doing without an order of this life: a migration goes on without
  // the process that asked for it.
  for (const wire::VmReport& vm : report.vms) {
    const bool ordered = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& job) {
      return job.second.machine.vm() == vm.vm.id;
    });
    if (vm.vm.presence == Presence::outgoing && !ordered &&
        report.jobs.size() < limits::jobs_per_host_max)
      report.jobs.push_back(wire::Job{std::nullopt, vm.vm.id, {}});
  }
  for (const auto& [lease, arrival] : arrivals_) {
    if (arrival.machine.phase() != migrate::Incoming::Phase::begun) continue;
    report.reservations.push_back(wire::Reservation{
        lease, arrival.machine.vm(), arrival.machine.from(), arrival.machine.load()});
  }
  return report;
}

// --- the master ---------------------------------------------------------------------------------

void Holder::to_master(wire::Body body) {
  out_.set_epoch(attachment_.epoch());
  out_.send(attachment_.master(), attachment_.master_endpoint(), std::move(body));
}

void Holder::tell_master(TimePoint now, const LeaseId& lease, wire::Body body) {
  if (attachment_.attached()) to_master(body);
  if (untold_.size() >= limits::news_untold_max && !untold_.contains(lease)) {
    untold_.erase(untold_.begin());
    out_.count("news_dropped");
  }
  untold_.insert_or_assign(lease, Untold{std::move(body), now + tell_every});
}

bool Holder::from_master(const NodeId& from) const {
  if (planted::on(planted::Bug::holder_obeys_anyone)) return true;
  return attachment_.attached() && from == attachment_.master();
}

void Holder::take(TimePoint now, const NodeId& from, const wire::AttachAnswer& answer) {
  const bool was_attached = attachment_.attached();
  attachment_.take(now, from, answer, out_);
  if (was_attached && !attachment_.attached()) detached(now);
  if (!was_attached && attachment_.attached()) remember_master(now);
}

// A host that was away, and comes back into another group, is to be missed no longer where it was:
// its own past life cannot say so.
void Holder::remember_master(TimePoint now) {
  PeerAddress next;
  if (attachment_.master() != out_.self())
    next = {attachment_.master(), attachment_.master_endpoint()};
  const bool of_a_past_life = master_.id != next.id && !master_told_;
  if (of_a_past_life && !master_.id.empty() && left_.size() < left_told_max)
    left_.push_back({master_, Epoch{incarnation_ - 1, UINT64_MAX}, now, now + leave_told_for});
  master_told_ = true;
  if (master_.id == next.id && master_.endpoint == next.endpoint) return;
  master_ = next;
  out_.save(stored(now));
}

void Holder::take(TimePoint, const NodeId& from, const wire::ReportAck& ack) {
  attachment_.take(from, ack);
  const bool current = from_master(from) && ack.slave_epoch == attachment_.epoch();
  if (current && facts_sent_.first != 0 && ack.sequence >= facts_sent_.first)
    facts_told_ = facts_sent_.second;
}

void Holder::set_master(TimePoint now, const PeerAddress& master) {
  if (attachment_.attached() && attachment_.master() == master.id) return;
  const PeerAddress old{attachment_.master(), attachment_.master_endpoint()};
  std::erase_if(left_, [&](const Left& left) {
    return left.master.id == old.id || left.master.id == master.id;
  });
  if (!old.id.empty() && old.id != master.id && old.id != out_.self()) {
    if (left_.size() >= left_told_max) left_.erase(left_.begin());
    left_.push_back({old, attachment_.epoch(), now, now + leave_told_for});
  }
  attachment_.set_master(now, master);
  detached(now);
}

// Only once we belong to another: until then the old one may come back and is told all we know.
void Holder::tell_left(TimePoint now) {
  std::erase_if(left_, [&](const Left& left) { return left.until <= now; });
  if (!attachment_.attached()) return;
  for (Left& left : left_) {
    if (left.next > now) continue;
    left.next = now + tell_left_every;
    out_.send(left.master.id, left.master.endpoint,
              wire::Leave{left.epoch, "it belongs to " + quoted(attachment_.master().str())});
  }
}

void Holder::take(TimePoint now, const NodeId& from, const wire::ReportAsk& ask) {
  if (!from_master(from) || ask.slave_epoch != attachment_.epoch()) return;
  asked_ = true;
  attachment_.report_soon(now);
}

void Holder::take(TimePoint now, const NodeId& from, const wire::Paused& word) {
  if (!from_master(from) || word.slave_epoch != attachment_.epoch()) return;
  paused_until_ = word.paused ? now + 2 * config_.sample.report_interval : now;
}

void Holder::take(TimePoint now, const NodeId& from, const wire::Drain& drain) {
  if (!from_master(from) || drain.slave_epoch != attachment_.epoch()) return;
  set_maintenance(now, drain.maintenance, drain.why);
  attachment_.report_soon(now);
}

void Holder::set_maintenance(TimePoint now, bool maintenance, const std::string& why) {
  if (maintenance == maintenance_) return;
  maintenance_ = maintenance;
  out_.save(stored(now));
  out_.event(now, EventKind::drain, {}, out_.self(),
             (maintenance ? "this host is to be emptied: " : "this host takes VMs again: ") + why);
  if (attachment_.attached()) attachment_.report_soon(now);
}

void Holder::set_demoted(TimePoint now, bool demoted) {
  if (std::exchange(demoted_, demoted) != demoted) out_.save(stored(now));
}

// Its master counts on it as one that could be made a master.
void Holder::set_may_lead(TimePoint now, bool may_lead) {
  if (std::exchange(may_lead_, may_lead) == may_lead) return;
  if (attachment_.attached()) attachment_.report_soon(now);
}

void Holder::take(TimePoint, const NodeId& from, const wire::LeaveAck& ack) {
  std::erase_if(left_,
                [&](const Left& left) { return left.master.id == from && left.epoch <= ack.left; });
}

void Holder::link_down(TimePoint now, const NodeId& peer) {
  if (peer != attachment_.master()) return;
  if (attachment_.lose(now, "the connection broke", out_)) detached(now);
}

// Promises of a master that we have left, and that nobody has begun, are void; what has begun goes
// on, and is told to the next master when we attach.
void Holder::detached(TimePoint now) {
  std::vector<LeaseId> jobs;
  for (const auto& [lease, job] : jobs_) jobs.push_back(lease);
  for (const LeaseId& lease : jobs)
    step_job(now, lease, migrate::OrderVoid{"its master was lost before it began"});
  std::erase_if(arrivals_, [](const auto& known) {
    return known.second.machine.phase() == migrate::Incoming::Phase::told;
  });
  // How leases ended is in the next Attach: the VM is in its list or it is not.
  std::erase_if(untold_, [](const auto& known) {
    return std::holds_alternative<wire::LeaseState>(known.second.body);
  });
}

// --- the hypervisor -----------------------------------------------------------------------------

void Holder::take(TimePoint now, const HypervisorEvent& event) {
  std::visit([&](const auto& what) { on_event(now, what); }, event);
}

void Holder::on_event(TimePoint now, const HostSampled& event) {
  if (sampler_.take(now, event.sample, out_)) attachment_.report_soon(now);
  std::vector<VmId> here;
  for (const auto& [lease, arrival] : arrivals_) {
    const VmSample* vm = sampler_.find(arrival.machine.vm());
    if (vm != nullptr && vm->presence == Presence::running) here.push_back(vm->id);
  }
  for (const VmId& vm : here) arrival_heard(now, {vm, Presence::running});
  give_back_what_was_kept(now);
}

void Holder::on_event(TimePoint now, const SampleFailed& event) {
  sampler_.failed(now, event.reason, out_);
}

void Holder::on_event(TimePoint now, const VmQueried& event) {
  std::vector<LeaseId> asking;
  for (const auto& [lease, job] : jobs_) {
    if (job.machine.vm() == event.vm) asking.push_back(lease);
  }
  for (const LeaseId& lease : asking) step_job(now, lease, migrate::SourceSays{event.presence});
  arrival_heard(now, event);
  answer_questions(event);
}

void Holder::on_event(TimePoint now, const MigrationEnded& event) {
  step_job(now, event.lease, migrate::CallReturned{event.ok, event.detail, event.fault});
}

StoredState Holder::stored(TimePoint now) const {
  return StoredState{incarnation_, maintenance_, demoted_, master_, sampler_.rests(now), kept_};
}

HostView Holder::view(TimePoint now) const {
  const wire::HostReport report = this->report(now);
  const wire::HostFacts facts = this->facts();
  HostView view;
  view.id = out_.self();
  view.role = attachment_.master() == out_.self() ? Role::master : Role::slave;
  view.capacity = facts.capacity;
  view.load = report.base;
  for (const wire::VmReport& vm : report.vms) view.load += vm.vm.load;
  view.thresholds = facts.thresholds;
  view.vms = report.vms.size();
  view.state = !report.distrust.empty()  ? "stale: " + report.distrust
               : report.maintenance      ? drain_state(report.vms.size())
               : report.over_samples > 0 ? over_in_words(report.base, facts)
                                         : "ok";
  return view;
}

std::vector<MoveView> Holder::jobs() const {
  std::vector<MoveView> views;
  for (const auto& [lease, job] : jobs_) {
    MoveView view;
    view.vm = job.machine.vm();
    view.from = out_.self();
    view.to = job.target;
    view.state = migrate::name_of(job.machine.phase());
    view.why = job.why;
    views.push_back(std::move(view));
  }
  return views;
}

bool Holder::has_ended(const LeaseId& lease) const {
  return std::find(ended_.begin(), ended_.end(), lease) != ended_.end();
}

void Holder::remember_ended(const LeaseId& lease) {
  ended_.push_back(lease);
  if (ended_.size() > ended_remembered_max) ended_.pop_front();
}

}  // namespace ballast::node
