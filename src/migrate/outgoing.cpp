// The table that decides an outcome, once the migration call has returned (or was never made):
//
//   source says    target says        outcome
//   running        absent             failed (refused, when nothing was started)
//   paused         absent             the same: somebody has paused it
//   running        silent for long    the same: a VM that runs here after the call cannot run there
//   absent         absent, ten times  failed, and said so: it was shut down meanwhile, or is lost
//   absent         running            arrived
//   absent         paused, twice      arrived, and said so: somebody, or an error, has paused it
//   running        running            unknown, and an alarm: nobody touches it
//   anything else                     ask again
//
// A paused or incoming copy at the target is not a running VM: libvirt is still cleaning up or
// finishing, so both ends are asked again until the picture is clear. Where the source has nothing
// left that could run, the target is told so; a copy that is paused even then is the VM.

#include "ballast/migrate/outgoing.h"

#include <algorithm>
#include <utility>

#include "ballast/base/planted.h"

namespace ballast::migrate {

using wire::OutcomeKind;

std::string paused_in_words(const std::string& why) {
  return why.empty() ? "paused" : "paused: " + why;
}

const char* name_of(Outgoing::Phase phase) {
  switch (phase) {
    case Outgoing::Phase::asking: return "asking";
    case Outgoing::Phase::migrating: return "migrating";
    case Outgoing::Phase::settling: return "settling";
    case Outgoing::Phase::ended: return "ended";
  }
  return "?";
}

Outgoing::Outgoing(TimePoint now, LeaseId lease, VmId vm, const OutgoingSettings& settings)
    : lease_(std::move(lease)),
      vm_(std::move(vm)),
      settings_(settings),
      began_(now),
      since_(now),
      next_ask_(now) {}

TimePoint Outgoing::next_deadline() const {
  switch (phase_) {
    case Phase::asking: return std::min(next_ask_, since_ + settings_.ask_for);
    case Phase::migrating: return aborted_ ? next_ask_ : since_ + settings_.timeout;
    case Phase::settling: return next_ask_;
    case Phase::ended: return time_never;
  }
  return time_never;
}

void Outgoing::step(TimePoint now, const OutgoingInput& input,
                    std::vector<OutgoingAction>& actions) {
  if (phase_ == Phase::ended) return;
  std::visit([&](const auto& what) { on(now, what, actions); }, input);
}

void Outgoing::on(TimePoint now, const Tick&, std::vector<OutgoingAction>& actions) {
  if (now < next_deadline()) return;
  switch (phase_) {
    case Phase::asking:
      if (now >= since_ + settings_.ask_for) {
        settle(now, "the target did not answer", actions);
      } else {
        actions.emplace_back(AskTargetToBegin{});
        next_ask_ = now + settings_.ask_every;
      }
      break;
    case Phase::migrating:
      if (aborted_ && now >= aborted_at_ + settings_.aborted_for) {
        settle(now, "it was aborted, and the hypervisor does not say how it ended", actions);
        break;
      }
      if (!aborted_) aborted_at_ = now;
      // Aborting is asked for again: a hypervisor that was away has not heard it.
      actions.emplace_back(Command{AbortMigration{vm_}});
      aborted_ = true;
      next_ask_ = now + settings_.settle_slowly_every;
      break;
    case Phase::settling: ask_both(now, actions); break;
    case Phase::ended: break;
  }
}

void Outgoing::on(TimePoint now, const TargetAnswered& answer,
                  std::vector<OutgoingAction>& actions) {
  if (phase_ != Phase::asking) return;
  if (!answer.yes && !planted::on(planted::Bug::source_starts_unasked)) {
    finish(OutcomeKind::refused, "the target says no: " + answer.reason, actions);
    return;
  }
  phase_ = Phase::migrating;
  since_ = now;
  started_ = true;
  actions.emplace_back(Command{StartMigration{lease_, vm_, answer.migration_uri,
                                              settings_.bandwidth_mib_s, settings_.target_host}});
}

// The target may have said yes already, so it is asked what it has.
void Outgoing::on(TimePoint now, const OrderVoid& order, std::vector<OutgoingAction>& actions) {
  if (phase_ == Phase::asking) settle(now, order.why, actions);
}

void Outgoing::on(TimePoint now, const CallReturned& call, std::vector<OutgoingAction>& actions) {
  if (phase_ != Phase::migrating) return;
  if (!call.ok && planted::on(planted::Bug::source_believes_failure))
    return finish(OutcomeKind::failed, call.detail, actions);
  if (call.ok && planted::on(planted::Bug::source_believes_success))
    return finish(OutcomeKind::arrived, {}, actions);
  std::string detail = call.detail;
  if (aborted_) detail = "took longer than the timeout and was aborted: " + detail;
  fault_ = call.fault;
  settle(now, call.ok ? std::string() : detail, actions);
}

void Outgoing::settle(TimePoint now, std::string detail, std::vector<OutgoingAction>& actions) {
  phase_ = Phase::settling;
  since_ = now;
  detail_ = std::move(detail);
  ask_both(now, actions);
}

void Outgoing::ask_both(TimePoint now, std::vector<OutgoingAction>& actions) {
  if (!told_unknown_ && now >= since_ + settings_.unknown_after) {
    told_unknown_ = true;
    const std::string source = source_ ? name_of(*source_) : "silent";
    const std::string target = target_ ? name_of(*target_) : "silent";
    actions.emplace_back(
        Tell{OutcomeKind::unknown, "source: " + source + ", target: " + target +
                                       (detail_.empty() ? "" : "; the call said: " + detail_)});
  }
  departed_ = source_ == Presence::absent && target_ == Presence::paused &&
              !planted::on(planted::Bug::source_waits_for_paused);
  // Old answers must not be joined with new ones: the two would tell of different moments.
  source_.reset();
  target_.reset();
  actions.emplace_back(Command{QueryVm{vm_}});
  actions.emplace_back(AskTargetToSettle{departed_});
  next_ask_ = now + (told_unknown_ ? settings_.settle_slowly_every : settings_.settle_every);
}

void Outgoing::on(TimePoint now, const SourceSays& says, std::vector<OutgoingAction>& actions) {
  if (phase_ != Phase::settling) return;
  source_ = says.presence;
  judge(now, actions);
}

void Outgoing::on(TimePoint now, const TargetSays& says, std::vector<OutgoingAction>& actions) {
  if (phase_ != Phase::settling) return;
  target_ = says.presence;
  target_spoke_ = true;
  target_detail_ = says.detail;
  judge(now, actions);
}

void Outgoing::judge(TimePoint now, std::vector<OutgoingAction>& actions) {
  if (source_ == Presence::absent && target_ == Presence::running) {
    finish(OutcomeKind::arrived, {}, actions);
    return;
  }
  if (departed_ && source_ == Presence::absent && target_ == Presence::paused)
    return finish(OutcomeKind::arrived, paused_in_words(target_detail_), actions);
  if (source_ == Presence::absent && target_ == Presence::absent &&
      ++absent_rounds_ >= settings_.gone_rounds) {
    finish(OutcomeKind::failed, "runs at neither end: it was shut down meanwhile, or it is lost",
           actions);
    return;
  }
  if (!target_ && planted::on(planted::Bug::source_guesses_at_silence))
    return finish(OutcomeKind::failed, "the target is silent", actions);
  const bool target_silent = !target_spoke_ && now >= since_ + settings_.silent_target_after;
  const bool at_source = source_ == Presence::running || source_ == Presence::paused;
  if (at_source &&
      (target_ == Presence::absent || (source_ == Presence::running && target_silent))) {
    const std::string detail = detail_.empty() ? "the VM is still at the source" : detail_;
    finish(started_ ? OutcomeKind::failed : OutcomeKind::refused, detail, actions);
    return;
  }
}

void Outgoing::finish(OutcomeKind kind, std::string detail, std::vector<OutgoingAction>& actions) {
  phase_ = Phase::ended;
  actions.emplace_back(Tell{kind, std::move(detail), fault_});
}

}  // namespace ballast::migrate
