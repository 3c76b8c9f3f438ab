// The holder as the source of migrations: orders, and what becomes of them.

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "ballast/base/words.h"
#include "holder.h"
#include "phrases.h"

namespace ballast::node {

using wire::OutcomeKind;

namespace {
migrate::OutgoingSettings settings_of(const MigrateSettings& from, std::string target_host) {
  migrate::OutgoingSettings settings;
  settings.timeout = from.timeout;
  settings.bandwidth_mib_s = from.bandwidth_mib_s;
  settings.target_host = std::move(target_host);
  return settings;
}

}  // namespace

// What this host's own master says already is not said twice in its log.
void Holder::say(TimePoint now, EventKind kind, const VmId& vm, const HostId& host,
                 const std::string& text) {
  if (attachment_.master() != out_.self()) out_.event(now, kind, vm, host, text);
}

std::optional<std::string> Holder::why_not(const NodeId& from, const wire::Order& order) const {
  if (!from_master(from)) return "the order is not from this node's master";
  if (order.holder_epoch != attachment_.epoch()) return "the order is from an older epoch";
  if (order.target == out_.self()) return "the target is this host itself";
  // Where hypervisors tell who they are, nothing goes to one that has not.
  const std::string own = facts().hypervisor;
  if (!own.empty() && order.target_hypervisor.empty())
    return "the target has not told who its hypervisor is";
  if (!own.empty() && order.target_hypervisor == own)
    return "the target's hypervisor is this host's own";
  const VmSample* vm = sampler_.find(order.vm);
  if (vm == nullptr) return "the VM is not on this host";
  if (vm->presence != Presence::running) return "the VM is " + presence_in_words(vm->presence);
  if (!vm->movable) return "the VM cannot move: " + vm->immovable_reason;
  std::size_t sending = 0;
  for (const auto& [lease, job] : jobs_) {
    if (job.machine.vm() == order.vm) return "the VM is in flight already";
    if (job.machine.phase() != migrate::Outgoing::Phase::settling) ++sending;
  }
  if (planted::on(planted::Bug::streams_are_endless)) return std::nullopt;
  if (sending >= config_.migrate.outgoing || jobs_.size() >= limits::jobs_per_host_max)
    return "this host sends " + counted(jobs_.size(), "VM") + " already, the most it may";
  return std::nullopt;
}

void Holder::take(TimePoint now, const NodeId& from, const wire::Order& order) {
  if (jobs_.contains(order.lease)) {
    if (from_master(from))
      to_master(
          wire::Outcome{order.lease, order.vm, OutcomeKind::accepted, attachment_.sequence(), {}});
    return;
  }
  // A late double of an order that has been carried out: its outcome is on its way, or was heard.
  if (has_ended(order.lease)) {
    out_.count("orders_doubled");
    return;
  }
  if (const auto reason = why_not(from, order); reason) {
    out_.count("orders_refused");
    if (!from_master(from) || order.holder_epoch != attachment_.epoch()) return;
    tell_master(now, order.lease,
                wire::Outcome{order.lease, order.vm, OutcomeKind::refused, attachment_.sequence(),
                              *reason});
    remember_ended(order.lease);  // a late double may find that nothing forbids it any more
    return;
  }
  Job job{
      migrate::Outgoing(now, order.lease, order.vm,
                        settings_of(config_.migrate, planted::on(planted::Bug::source_asks_no_name)
                                                         ? std::string()
                                                         : order.target_hypervisor)),
      order.target,
      order.target_endpoint,
      sampler_.find(order.vm)->load,
      order.why,
      sampler_.find(order.vm)->autostart};
  jobs_.emplace(order.lease, std::move(job));
  say(now, EventKind::ordered, order.vm, order.target,
      "migrating " + quoted(order.vm.str()) + " to " + quoted(order.target.str()) + ": " +
          order.why);
  to_master(
      wire::Outcome{order.lease, order.vm, OutcomeKind::accepted, attachment_.sequence(), {}});
  step_job(now, order.lease, migrate::Tick{});
}

void Holder::take(TimePoint now, const NodeId& from, const wire::BeginAnswer& answer) {
  const auto job = jobs_.find(answer.lease);
  if (job == jobs_.end() || job->second.target != from) return;
  step_job(now, answer.lease,
           migrate::TargetAnswered{answer.yes, answer.reason, answer.migration_uri});
}

void Holder::take(TimePoint now, const NodeId& from, const wire::SettleAnswer& answer) {
  const auto job = jobs_.find(answer.lease);
  if (job == jobs_.end() || job->second.target != from) return;
  step_job(now, answer.lease, migrate::TargetSays{answer.presence, answer.detail});
}

void Holder::take(TimePoint, const NodeId& from, const wire::OutcomeAck& ack) {
  if (!from_master(from)) return;
  const auto found = untold_.find(ack.lease);
  if (found == untold_.end()) return;
  const auto* outcome = std::get_if<wire::Outcome>(&found->second.body);
  if (outcome != nullptr && outcome->kind == ack.kind) untold_.erase(found);
}

void Holder::step_job(TimePoint now, const LeaseId& lease, const migrate::OutgoingInput& input) {
  const auto found = jobs_.find(lease);
  if (found == jobs_.end()) return;
  std::vector<migrate::OutgoingAction> actions;
  found->second.machine.step(now, input, actions);
  for (const migrate::OutgoingAction& action : actions) carry_out(now, found->second, action);
  if (found->second.machine.phase() != migrate::Outgoing::Phase::ended) return;
  remember_ended(lease);
  jobs_.erase(found);
}

void Holder::carry_out(TimePoint now, Job& job, const migrate::OutgoingAction& action) {
  const LeaseId& lease = job.machine.lease();
  const VmId& vm = job.machine.vm();
  if (std::holds_alternative<migrate::AskTargetToBegin>(action)) {
    out_.send(job.target, job.target_endpoint,
              wire::Begin{lease, vm, job.load, job.autostart, sampler_.swing_of(vm)});
  } else if (const auto* settle = std::get_if<migrate::AskTargetToSettle>(&action)) {
    out_.send(job.target, job.target_endpoint, wire::Settle{lease, vm, settle->departed});
  } else if (const auto* command = std::get_if<migrate::Command>(&action)) {
    out_.command(command->command);
  } else if (const auto* tell = std::get_if<migrate::Tell>(&action)) {
    told_outcome(now, job, *tell);
  }
}

void Holder::told_outcome(TimePoint now, const Job& job, const migrate::Tell& tell) {
  const VmId vm = job.machine.vm();
  const std::string what = quoted(vm.str()) + " to " + quoted(job.target.str());
  switch (tell.kind) {
    case OutcomeKind::arrived:
      sampler_.left(vm);
      say(now, EventKind::moved, vm, job.target, "moved " + what);
      if (!tell.detail.empty())
        say(now, EventKind::alarm, vm, job.target,
            "moved " + what + ", but it does not run there: it is " + tell.detail);
      break;
    case OutcomeKind::unknown:
      out_.event(now, EventKind::alarm, vm, job.target,
                 "cannot tell where " + what + " runs, nothing is done with it: " + tell.detail);
      break;
    case OutcomeKind::failed:
    case OutcomeKind::refused:
      say(now, EventKind::not_moved, vm, job.target, "did not move " + what + ": " + tell.detail);
      break;
    case OutcomeKind::accepted: break;
  }
  std::string detail = tell.detail.substr(0, limits::text_bytes_max);
  tell_master(now, job.machine.lease(),
              wire::Outcome{job.machine.lease(), vm, tell.kind, attachment_.sequence(),
                            std::move(detail), tell.fault});
}

}  // namespace ballast::node
