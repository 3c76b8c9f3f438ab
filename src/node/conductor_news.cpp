// What a conductor makes of the news from holders and targets.

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "conductor.h"

namespace ballast::node {

using wire::LeasePhase;
using wire::OutcomeKind;

namespace {
constexpr Duration ask_after_arrival = std::chrono::seconds(5);
constexpr Duration confirmed_after = std::chrono::seconds(20);  // longer than messages are late

// As the news of an arrival tell: why it does not run there, or nothing.
Presence presence_in(const std::string& detail) {
  return detail.empty() ? Presence::running : Presence::paused;
}
}  // namespace

void Conductor::heard(TimePoint now, const NodeId& from, const wire::Outcome& outcome) {
  out_.send(from, {}, wire::OutcomeAck{outcome.lease, outcome.kind});
  Move* move = by_lease(outcome.lease);
  const ledger::Lease* lease = ledger_.find(outcome.lease);
  const bool of_another =
      (lease != nullptr && lease->from != from) || (move != nullptr && move->planned.from != from);
  if (of_another && !planted::on(planted::Bug::conductor_hears_anyone)) {
    out_.count("outcomes_of_others");
    return;
  }
  if (outcome.kind == OutcomeKind::arrived) {
    group_.news_from(from, outcome.sequence);
    if (lease != nullptr) {
      ledger_.departed(outcome.lease);
      group_.moved(ledger::Lease(*lease), config_.plan.cooldown, ledger_,
                   presence_in(outcome.detail));
    } else if (move != nullptr && move->planned.foreign) {
      ledger::Lease left;
      left.vm = move->planned.vm;
      left.from = from;
      left.to = move->planned.to;
      left.load = move->planned.load;
      group_.moved(left, config_.plan.cooldown, ledger_, presence_in(outcome.detail));
    }
  }
  if (move == nullptr || !under_way(*move)) return;
  if (planted::on(planted::Bug::conductor_ignores_failures) &&
      outcome.kind != OutcomeKind::arrived && outcome.kind != OutcomeKind::accepted)
    return;
  switch (outcome.kind) {
    case OutcomeKind::accepted:
      if (move->state != State::ordering) break;
      move->state = State::running;
      move->since = now;
      move->next = time_never;
      break;
    case OutcomeKind::unknown:
      move->state = State::unknown;
      move->next = time_never;
      move->detail = outcome.detail;
      out_.event(now, EventKind::alarm, outcome.vm, from,
                 "nobody can tell where " + quoted(outcome.vm.str()) + " runs: " + outcome.detail);
      break;
    case OutcomeKind::arrived: finish(now, *move, outcome.detail); break;
    case OutcomeKind::refused:
    case OutcomeKind::failed:
      revoke(now, outcome.lease, true);
      finish(now, *move,
             NotMoved{outcome.detail, outcome.kind == OutcomeKind::failed, outcome.fault});
      break;
  }
}

void Conductor::heard(TimePoint now, const NodeId& from, const wire::LeaseState& state) {
  const bool over = state.phase == LeasePhase::arrived || state.phase == LeasePhase::absent;
  if (over) out_.send(from, {}, wire::LeaseStateAck{state.lease, state.phase});
  const ledger::Lease* lease = ledger_.find(state.lease);
  Move* move = by_lease(state.lease);
  if ((lease != nullptr && lease->to != from) || (move != nullptr && move->planned.to != from)) {
    out_.count("lease_states_of_others");
    return;
  }
  if (const auto asked = revocations_.find(state.lease);
      over && asked != revocations_.end() && asked->second.target == from)
    revocations_.erase(asked);
  switch (state.phase) {
    case LeasePhase::told:
      if (move != nullptr && move->state == State::telling) order(now, *move);
      return;
    case LeasePhase::begun: ledger_.begun(state.lease); return;
    case LeasePhase::arrived: {
      group_.news_from(from, state.sequence);
      if (lease == nullptr) return;
      const ledger::Lease known = *lease;
      ledger_.departed(state.lease);
      ledger_.end(state.lease);
      group_.moved(known, config_.plan.cooldown, ledger_, presence_in(state.detail));
      // Where the VM runs is settled; that the source is through is for the source to say, if it
      // can.
      if (move != nullptr && nobody_will_tell(*move)) finish(now, *move, state.detail);
      return;
    }
    case LeasePhase::absent: {
      ledger_.end(state.lease);
      if (move == nullptr) return;
      const bool not_begun = move->state == State::telling || move->state == State::ordering;
      if (not_begun || nobody_will_tell(*move))
        finish(now, *move, NotMoved{"its target gave the room back"});
      return;
    }
  }
}

void Conductor::settled(Move& move, bool arrived, const std::string& detail) {
  move.state = arrived ? State::done : State::failed;
  move.detail = detail;
  move.next = time_never;
  if (move.planned.foreign)
    foreign_ends_.push_back({move.lease, move.planned.vm, move.planned.from, arrived, detail});
}

// `detail`: why it does not run there; empty: it does.
void Conductor::finish(TimePoint now, Move& move, const std::string& detail) {
  if (move.state == State::running) slowest_ = std::max(slowest_, now - move.since);
  settled(move, true, detail);
  failures_.arrived(move.planned.vm, move.planned.from, move.planned.to);
  remember_departure(now, move);
  if (!move.planned.foreign) ++done_;
  out_.count("migrations_done");
  if (move.planned.foreign) out_.count("migrations_done_remote");
  if (move.planned.swap) out_.count("migrations_done_in_swaps");
  // The target says itself how its lease ended. Should it have forgotten, it is asked.
  if (ledger_.find(move.lease) != nullptr) revoke(now + ask_after_arrival, move.lease, true);
  const std::string vm = quoted(move.planned.vm.str());
  const std::string at = quoted(move.planned.to.str());
  out_.event(now, EventKind::moved, move.planned.vm, move.planned.to, vm + " arrived on " + at);
  if (!detail.empty())
    out_.event(now, EventKind::alarm, move.planned.vm, move.planned.to,
               vm + " arrived on " + at + ", but does not run there: it is " + detail);
  begin_what_can(now);
}

void Conductor::finish(TimePoint now, Move& move, const NotMoved& how) {
  const bool was_running = move.state == State::running;
  if (was_running) slowest_ = std::max(slowest_, now - move.since);
  const bool was_begun = move.state != State::waiting;
  const bool was_ordered = was_begun && move.state != State::telling;
  settled(move, false, how.detail);
  if (!move.planned.foreign) ++failed_;
  if (move.has_lease) {
    out_.count("migrations_not_done");
    out_.event(now, EventKind::not_moved, move.planned.vm, move.planned.to,
               quoted(move.planned.vm.str()) + " did not move to " + quoted(move.planned.to.str()) +
                   ": " + how.detail);
    if (was_begun) remember_failure(now, move, how, was_running);
    revoke(now, move.lease, false);
    if (!was_ordered) ledger_.end(move.lease);  // no holder will ask for it
  }
  if (move.planned.foreign) return;
  drop_waiting("an earlier migration of the plan was not done");
  abandoned_ = quoted(move.planned.vm.str()) + ": " + how.detail;
}

void Conductor::remember_failure(TimePoint now, const Move& move, const NotMoved& how,
                                 bool was_running) {
  Failures::Failure failure;
  failure.vm = move.planned.vm;
  failure.from = move.planned.from;
  failure.to = move.planned.to;
  failure.reason = how.detail;
  failure.started = how.started;
  failure.fault = how.fault;
  // Most of it: the holder counts by its own clock, from a little later.
  failure.too_slow = was_running && now >= move.since + config_.migrate.timeout * 3 / 4;
  if (const std::string alarm = failures_.failed(now, failure); !alarm.empty())
    out_.event(now, EventKind::alarm, failure.vm, failure.to, alarm);
  if (failure.too_slow) {
    // Still when it is tried again: then it shall have the link for itself.
    const Duration longest = std::max(config_.plan.cooldown, config_.migrate.timeout);
    slow_[failure.from] = now + failures_.left(now, failure.vm) + 4 * longest;
  }
}

void Conductor::remember_departure(TimePoint now, const Move& move) {
  const TimePoint oldest = now - config_.plan.no_return;
  for (auto& [vm, departures] : departures_)
    std::erase_if(departures, [&](const Departure& one) { return one.at <= oldest; });
  std::erase_if(departures_, [](const auto& known) { return known.second.empty(); });
  if (departures_.size() >= limits::departures_max && !departures_.contains(move.planned.vm)) {
    out_.count("departures_forgotten");
    return;
  }
  std::vector<Departure>& mine = departures_[move.planned.vm];
  std::erase_if(mine, [&](const Departure& one) { return one.from == move.planned.from; });
  mine.push_back({move.planned.from, now});
}

void Conductor::drop_waiting(const std::string& why) {
  for (Move& move : moves_) {
    if (move.state != State::waiting || move.planned.foreign) continue;
    move.state = State::failed;
    move.detail = why;
    if (move.has_lease) ledger_.end(move.lease);  // no target was told of it yet
  }
}

void Conductor::revoke(TimePoint now, const LeaseId& lease, bool holder_is_done) {
  const ledger::Lease* known = ledger_.find(lease);
  if (known == nullptr) return;
  ledger_.revoke(lease);
  if (revocations_.size() >= limits::revocations_max && !revocations_.contains(lease)) {
    out_.count("revocations_dropped");
    revocations_left_out_ = true;
    return;
  }
  const auto [found, added] =
      revocations_.try_emplace(lease, Revocation{known->to, known->vm, false, now});
  if (!added && found->second.holder_is_done >= holder_is_done) return;
  found->second.holder_is_done = holder_is_done;
  found->second.next = now;
}

// The ledger says which promises are being revoked. Of a lease that has begun, its target says how
// it ends, and the reports of its holder that it has.
void Conductor::revoke_what_was_left_out(TimePoint now) {
  if (!revocations_left_out_) return;
  revocations_left_out_ = false;
  for (const auto& [id, lease] : ledger_.leases()) {
    if (lease.phase != ledger::Phase::revoking || revocations_.contains(id)) continue;
    const Move* move = by_lease(id);
    const bool in_use = move != nullptr && under_way(*move);
    if (in_use || group_.find(lease.to) == nullptr) continue;
    if (revocations_.size() >= limits::revocations_max) {
      revocations_left_out_ = true;
      return;
    }
    revocations_.emplace(id, Revocation{lease.to, lease.vm, false, now});
  }
}

// A target that attaches names every lease that it honours: all others have ended. A holder that
// attaches in a new life has forgotten its orders: what its hypervisor still does is in its report.
void Conductor::reattached(TimePoint now, const Member& member, bool new_life) {
  settle_leases_of(now, member);
  for (Move& move : moves_) {
    if (!under_way(move)) continue;
    if (move.planned.to == member.id && move.state == State::telling) {
      finish(now, move, NotMoved{"its target attached anew"});
    } else if (move.planned.from == member.id &&
               (move.state == State::telling || move.state == State::ordering)) {
      finish(now, move, NotMoved{"its host attached anew"});
    } else if (move.planned.from == member.id && new_life) {
      move.holder_forgot = true;
    }
  }
  reported(now, member);
}

// Its target may have given it room: it said so, or the holder has taken the order and asks for it.
// What the target says of that may be lost, and a target that starts again has forgotten it.
bool Conductor::may_have_begun(const ledger::Lease& lease) const {
  if (lease.phase != ledger::Phase::promised) return true;
  return std::any_of(moves_.begin(), moves_.end(), [&](const Move& move) {
    return move.has_lease && move.lease == lease.id &&
           (move.state == State::running || move.state == State::unknown);
  });
}

bool Conductor::nobody_will_tell(const Move& move) const {
  if (!under_way(move)) return false;
  const Member* source = group_.find(move.planned.from);
  return move.holder_forgot || source == nullptr || source->lost;
}

// Whether the holder says that it is still at the migration under this lease, or the VM is there in
// a state that may be that of a migration.
bool Conductor::holder_is_at_it(const Member& holder, const LeaseId& lease, const VmId& vm) {
  const wire::VmReport* known = holder.find(vm);
  if (known != nullptr && known->vm.presence != Presence::running) return true;
  return std::any_of(holder.report.jobs.begin(), holder.report.jobs.end(),
                     [&](const wire::Job& job) { return job.lease == lease; });
}

// Whether the target says that it honours this lease, or the VM is there in a state that may be
// that of a migration. It forgets leases when it restarts.
bool Conductor::target_is_at_it(const Member& target, const LeaseId& lease, const VmId& vm) {
  const wire::VmReport* known = target.find(vm);
  if (known != nullptr && known->vm.presence != Presence::running) return true;
  return std::any_of(target.report.reservations.begin(), target.report.reservations.end(),
                     [&](const wire::Reservation& honoured) { return honoured.lease == lease; });
}

// One report may have been written before the holder took a late order, or while its outcome was
// under way: two with some time between them may not.
bool Conductor::suspected_twice(TimePoint now, const LeaseId& lease, const Member& by) {
  const auto [known, first] = suspected_.try_emplace(lease, Suspicion{by.sequence, now});
  return !first && known->second.sequence < by.sequence &&
         now >= known->second.since + confirmed_after;
}

void Conductor::reported(TimePoint now, const Member& member) {
  if (!member.report.distrust.empty()) return;
  std::vector<LeaseId> over;
  for (const auto& [id, lease] : ledger_.leases()) {
    if (!may_have_begun(lease)) continue;
    const Move* move = by_lease(id);
    const bool followed = move != nullptr && under_way(*move) && !move->holder_forgot;
    const bool holder_through =
        lease.from == member.id && !followed && !holder_is_at_it(member, id, lease.vm);
    const bool target_forgot = lease.to == member.id && !target_is_at_it(member, id, lease.vm);
    if (holder_through || target_forgot) over.push_back(id);
  }
  for (const LeaseId& id : over) {
    if (suspected_twice(now, id, member)) revoke(now, id, true);
  }
  // It may have told the outcome to another master, to which it belonged meanwhile.
  for (Move& move : moves_) {
    const bool accepted = move.state == State::running || move.state == State::unknown;
    if (accepted && move.planned.from == member.id && !move.holder_forgot &&
        !holder_is_at_it(member, move.lease, move.planned.vm))
      move.holder_forgot = suspected_twice(now, move.lease, member);
  }
  std::erase_if(suspected_, [&](const auto& known) {
    const Move* move = by_lease(known.first);
    return ledger_.find(known.first) == nullptr && (move == nullptr || !under_way(*move));
  });
  for (Move& move : moves_) {
    if (under_way(move) && move.holder_forgot) resolve_forgotten(now, move);
  }
}

void Conductor::slept(Duration span) {
  for (Move& move : moves_)
    if (under_way(move)) move.since += span;
}

// What its target says must be younger than the doubt: an older report cannot know.
bool Conductor::target_has_spoken(TimePoint now, Move& move, const Member* target) {
  if (target == nullptr) return true;
  if (!move.doubted_at) {
    move.doubted_at = now;
    if (!target->lost) out_.send(target->id, {}, wire::ReportAsk{target->epoch});
  }
  return target->reported_at > *move.doubted_at;
}

// The holder has restarted and will not tell the outcome: what the reports show must do.
void Conductor::resolve_forgotten(TimePoint now, Move& move) {
  const Member* source = group_.find(move.planned.from);
  const Member* target = group_.find(move.planned.to);
  if (source != nullptr && !source->lost && source->find(move.planned.vm) != nullptr &&
      !holder_is_at_it(*source, move.lease, move.planned.vm)) {
    revoke(now, move.lease, true);
    finish(now, move, NotMoved{"its host no longer knows of it, and the VM still runs there"});
    return;
  }
  if (ledger_.find(move.lease) != nullptr) return;  // the target has not said yet
  const wire::VmReport* there = target == nullptr ? nullptr : target->find(move.planned.vm);
  const bool paused = there != nullptr && there->vm.presence == Presence::paused;
  const bool arrived = there != nullptr && (there->vm.presence == Presence::running || paused);
  // In another group the target tells its own master.
  const bool left = move.planned.foreign && source != nullptr && !source->lost &&
                    source->find(move.planned.vm) == nullptr;
  if (arrived || left) {
    finish(now, move, paused ? "paused" : "");
  } else if (!target_has_spoken(now, move, target)) {
    return;
  } else if (source == nullptr || source->lost) {
    finish(
        now, move,
        NotMoved{target == nullptr ? "neither its host nor its target is heard of"
                                   : "its host is not heard of, and its target does not have it"});
  } else if (source->find(move.planned.vm) == nullptr) {
    finish(now, move,
           NotMoved{target == nullptr
                        ? "it has left its host, and its target is not of this group any more"
                        : "its host no longer knows of it, and it runs at neither end: it was "
                          "shut down"});
  }
}

// The word of a promise may still reach it: should it come back, it must hear that it is void.
void Conductor::lost(TimePoint now, const HostId& host) {
  std::vector<LeaseId> void_leases;
  for (const auto& [id, lease] : ledger_.leases()) {
    if (lease.to == host && lease.phase != ledger::Phase::begun) void_leases.push_back(id);
  }
  for (const LeaseId& id : void_leases) {
    revoke(now, id, false);
    ledger_.end(id);
  }
}

void Conductor::left(const HostId& host) {
  std::vector<LeaseId> to_it;
  for (const auto& [id, lease] : ledger_.leases()) {
    if (lease.to == host) to_it.push_back(id);
  }
  for (const LeaseId& id : to_it) {
    ledger_.end(id);
    revocations_.erase(id);
  }
}

// Which leases it honours a target knows itself, whatever its hypervisor says; what runs there only
// when its figures are trusted.
void Conductor::settle_leases_of(TimePoint now, const Member& member) {
  const bool trusted = member.report.distrust.empty();
  std::vector<ledger::Lease> over;
  for (const LeaseId& id : ledger_.leases_to(member.id)) {
    const ledger::Lease& lease = *ledger_.find(id);
    if (!may_have_begun(lease)) continue;
    const bool honoured =
        std::any_of(member.report.reservations.begin(), member.report.reservations.end(),
                    [&](const auto& known) { return known.lease == id; });
    if (!honoured) over.push_back(lease);
  }
  for (const ledger::Lease& lease : over) {
    const wire::VmReport* vm = member.find(lease.vm);
    // Its node has forgotten the lease, but its hypervisor is at it.
    if (vm != nullptr && vm->vm.presence == Presence::incoming) {
      ledger_.begun(lease.id);
      continue;
    }
    const bool here = trusted && vm != nullptr && vm->vm.presence == Presence::running;
    if (here) ledger_.departed(lease.id);
    ledger_.end(lease.id);
    revocations_.erase(lease.id);
    if (here) group_.moved(lease, config_.plan.cooldown, ledger_);
    Move* move = by_lease(lease.id);
    if (move == nullptr || !trusted || !nobody_will_tell(*move)) continue;
    if (here)
      finish(now, *move);
    else
      finish(now, *move, NotMoved{"its target no longer knows of it"});
  }
  for (const wire::Reservation& reservation : member.report.reservations) {
    ledger::Lease lease;
    lease.id = reservation.lease;
    lease.vm = reservation.vm;
    lease.from = reservation.from;
    lease.to = member.id;
    lease.load = reservation.load;
    if (!ledger_.adopt(lease)) out_.count("reservations_refused");
  }
  group_.update_room(member, ledger_);
}

}  // namespace ballast::node
