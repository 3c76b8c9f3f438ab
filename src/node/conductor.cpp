#include "conductor.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::node {

using namespace std::chrono_literals;

namespace {

constexpr Duration repeat_every = std::chrono::seconds(2);
constexpr Duration silence_max = std::chrono::seconds(20);
constexpr Duration lease_ttl = std::chrono::seconds(60);

// Long enough that what was in the way of a moment is gone; not longer than what failed rests.
Duration rest_of_refused(const Config& config) {
  const Duration least = 3 * config.sample.sample_interval;
  return std::clamp<Duration>(config.plan.cooldown / 6, std::min<Duration>(least, 10min), 10min);
}

}  // namespace

Conductor::Conductor(const Config& config, Group& group, ledger::Ledger& ledger, Outbox& out)
    : config_(config),
      group_(group),
      ledger_(ledger),
      out_(out),
      failures_(rest_of_refused(config)) {}

void Conductor::config_changed() { failures_.set_refused_rest(rest_of_refused(config_)); }

// --- the plan -----------------------------------------------------------------------------------

bool Conductor::ended(const Move& move) {
  return move.state == State::done || move.state == State::failed;
}

bool Conductor::under_way(const Move& move) { return move.state != State::waiting && !ended(move); }

void Conductor::start(TimePoint now, std::vector<PlannedMove> moves) {
  drop_waiting("a newer plan took its place");
  std::erase_if(moves_, [](const Move& move) { return ended(move); });
  // What is still under way comes before anything new at the same hosts.
  for (Move& move : moves_) {
    if (move.planned.foreign) continue;
    move.planned.step = 0;
    move.planned.swap.reset();
  }
  abandoned_.clear();
  slowest_ = Duration(0);
  done_ = 0;
  failed_ = 0;
  for (PlannedMove& planned : moves) {
    Move move;
    move.planned = std::move(planned);
    move.since = now;
    moves_.push_back(std::move(move));
  }
  begin_what_can(now);
}

void Conductor::add_foreign(TimePoint now, PlannedMove planned) {
  std::erase_if(moves_, [](const Move& move) { return ended(move) && move.planned.foreign; });
  Move move;
  move.lease = planned.foreign->lease;
  move.has_lease = true;
  move.planned = std::move(planned);
  move.since = now;
  moves_.push_back(std::move(move));
  begin_what_can(now);
}

bool Conductor::withdraw(TimePoint now, const VmId& vm, const std::string& why) {
  for (Move& move : moves_) {
    if (move.planned.vm != vm || ended(move)) continue;
    if (move.state != State::waiting) return false;
    finish(now, move, NotMoved{why});
    return true;
  }
  return true;
}

std::vector<PlannedMove> Conductor::without_lease() const {
  std::vector<PlannedMove> waiting;
  for (const Move& move : moves_) {
    if (move.state == State::waiting && !move.has_lease) waiting.push_back(move.planned);
  }
  return waiting;
}

Duration Conductor::slowest(TimePoint now) const {
  Duration longest = slowest_;
  for (const Move& move : moves_)
    if (move.state == State::running) longest = std::max(longest, now - move.since);
  return longest;
}

bool Conductor::relieves(const HostId& host) const {
  return std::any_of(moves_.begin(), moves_.end(), [&](const Move& move) {
    return move.planned.from == host && !ended(move) && move.state != State::unknown;
  });
}

std::map<VmId, bool> Conductor::planned_vms() const {
  std::map<VmId, bool> vms;
  for (const Move& move : moves_) {
    if (!ended(move)) vms[move.planned.vm] = vms[move.planned.vm] || under_way(move);
  }
  return vms;
}

std::size_t Conductor::incoming_to(const HostId& host) const {
  std::size_t count = 0;
  for (const Move& move : moves_) {
    if (move.planned.to == host && under_way(move) && move.state != State::unknown) ++count;
  }
  for (const auto& entry : ledger_.leases()) {
    const ledger::Lease& lease = entry.second;
    if (lease.to != host || lease.phase != ledger::Phase::begun) continue;
    const bool counted = std::any_of(moves_.begin(), moves_.end(), [&](const Move& move) {
      return move.has_lease && move.lease == lease.id && under_way(move);
    });
    if (!counted) ++count;
  }
  return count;
}

// A VM of which nobody can tell where it runs is left alone, and nobody waits for it.
bool Conductor::idle() const {
  return std::all_of(moves_.begin(), moves_.end(), [](const Move& move) {
    return ended(move) || move.state == State::unknown || move.planned.foreign;
  });
}

bool Conductor::waiting() const {
  return std::any_of(moves_.begin(), moves_.end(), [](const Move& move) {
    return move.state == State::waiting && !move.planned.foreign;
  });
}

// An unfinished move of an earlier step at one of its hosts goes first, and so does the first half
// of its own swap.
bool Conductor::blocked(std::size_t index) const {
  const PlannedMove& mine = moves_[index].planned;
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const PlannedMove& other = moves_[i].planned;
    if (i == index || ended(moves_[i]) || moves_[i].state == State::unknown) continue;
    if (moves_[index].planned.foreign || other.foreign) continue;  // streams alone decide
    const bool meets = other.from == mine.from || other.from == mine.to || other.to == mine.from ||
                       other.to == mine.to;
    const bool first_half = i < index && mine.swap && other.swap == mine.swap;
    if (first_half || (meets && i < index && other.step < mine.step)) return true;
  }
  return false;
}

Conductor::Move* Conductor::partner_of(const Move& move) {
  if (!move.planned.swap) return nullptr;
  for (Move& other : moves_) {
    if (&other != &move && other.planned.swap == move.planned.swap &&
        other.planned.from == move.planned.to && other.planned.to == move.planned.from)
      return &other;
  }
  return nullptr;
}

Conductor::Move* Conductor::by_lease(const LeaseId& lease) {
  for (Move& move : moves_) {
    if (move.has_lease && move.lease == lease) return &move;
  }
  return nullptr;
}

// --- starting -----------------------------------------------------------------------------------

std::optional<std::string> Conductor::why_not(TimePoint now, const Move& move) const {
  const PlannedMove& planned = move.planned;
  const Member* source = group_.find(planned.from);
  const Member* target = group_.find(planned.to);
  if (source == nullptr || source->lost) return "its host is not heard of";
  if (!planned.foreign) {
    if (target == nullptr || target->lost) return "its target is not heard of";
    if (target->report.maintenance) return "its target is in maintenance now";
  }
  const wire::VmReport* vm = source->find(planned.vm);
  if (vm == nullptr || vm->vm.presence != Presence::running) return "it no longer runs there";
  if (!vm->vm.movable) return "it cannot move now: " + vm->vm.immovable_reason;
  if (failures_.rests(now, planned.vm, planned.from, planned.to))
    return failures_.why(now, planned.vm, planned.from);
  return std::nullopt;
}

Status Conductor::take_room(TimePoint now, Move& move) {
  if (move.has_lease) return {};  // the swap's first half took it for both
  const PlannedMove& planned = move.planned;
  const ledger::Ask ask{planned.vm, planned.from, planned.to, planned.load};
  const TimePoint expires = now + lease_ttl;
  Move* partner = partner_of(move);
  if (partner != nullptr && partner->state == State::waiting) {
    const PlannedMove& other = partner->planned;
    const ledger::Ask back{other.vm, other.from, other.to, other.load};
    // The second half waits for the first, however long that takes: it does not expire meanwhile.
    auto both = ledger_.promise_swap(ask, back, time_never);
    if (!both) return both.error();
    move.lease = both->first.id;
    partner->lease = both->second.id;
    partner->has_lease = true;
  } else {
    auto lease = ledger_.promise(ask, expires);
    if (!lease) return lease.error();
    move.lease = lease->id;
  }
  move.has_lease = true;
  return {};
}

// Copies that share a link may each be too slow for it alone to be at fault: after a timeout they
// go one at a time, or the same two would be tried together for ever.
std::uint32_t Conductor::outgoing_max(const HostId& host) const {
  return slow_.contains(host) ? 1 : config_.migrate.outgoing;
}

// The planner counts a VM that is on its way as gone; the ledger, until it has left.
bool Conductor::room_is_being_made(const Move& waiting) const {
  return std::any_of(moves_.begin(), moves_.end(), [&](const Move& move) {
    return move.planned.from == waiting.planned.to && under_way(move) &&
           move.state != State::unknown;
  });
}

void Conductor::begin_what_can(TimePoint now) {
  std::map<HostId, std::uint32_t> outgoing;
  std::map<HostId, std::uint32_t> incoming;
  for (const Move& move : moves_) {
    if (!under_way(move) || move.state == State::unknown) continue;
    ++outgoing[move.planned.from];
    ++incoming[move.planned.to];
  }
  for (const auto& [id, member] : group_.members()) {
    for (const wire::Job& job : member.report.jobs) {
      if (!job.lease || by_lease(*job.lease) == nullptr) ++outgoing[id];
    }
  }
  for (const auto& [id, lease] : ledger_.leases()) {
    if (lease.phase == ledger::Phase::begun && by_lease(id) == nullptr) ++incoming[lease.to];
  }
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    Move& move = moves_[i];
    if (move.state != State::waiting || blocked(i)) continue;
    const bool endless = planted::on(planted::Bug::streams_are_endless);
    if (outgoing[move.planned.from] >= outgoing_max(move.planned.from) && !endless) continue;
    if (incoming[move.planned.to] >= config_.migrate.incoming && !endless) continue;
    std::optional<std::string> reason = why_not(now, move);
    if (!reason) {
      if (Status room = take_room(now, move); !room) {
        if (room_is_being_made(move)) continue;
        reason = room.error().message;
      }
    }
    if (reason) {
      out_.event(now, EventKind::not_moved, move.planned.vm, move.planned.to,
                 "the plan no longer fits: " + quoted(move.planned.vm.str()) + " to " +
                     quoted(move.planned.to.str()) + ": " + *reason);
      finish(now, move, NotMoved{*reason});
      if (move.planned.foreign) continue;
      return;
    }
    if (move.planned.foreign || planted::on(planted::Bug::conductor_orders_untold)) {
      order(now, move);  // its grantor has told the target
    } else {
      tell_target(now, move);
    }
    ++outgoing[move.planned.from];
    ++incoming[move.planned.to];
  }
}

void Conductor::tell_target(TimePoint now, Move& move) {
  if (move.state != State::telling) {
    move.state = State::telling;
    move.since = now;
  }
  move.next = now + repeat_every;
  const Member* target = group_.find(move.planned.to);
  if (target == nullptr) return;
  const Member* source = group_.find(move.planned.from);
  const std::string from_endpoint = source == nullptr ? "" : source->facts.endpoint;
  out_.send(target->id, {},
            wire::LeaseTell{move.lease, target->epoch, move.planned.vm, move.planned.from,
                            from_endpoint, move.planned.load});
}

void Conductor::order(TimePoint now, Move& move) {
  if (move.state != State::ordering) {
    move.state = State::ordering;
    move.since = now;
    out_.event(now, EventKind::ordered, move.planned.vm, move.planned.to,
               quoted(move.planned.vm.str()) + " from " + quoted(move.planned.from.str()) + " to " +
                   quoted(move.planned.to.str()) + ": " + move.planned.why);
  }
  move.next = now + repeat_every;
  const Member* source = group_.find(move.planned.from);
  const Member* target = group_.find(move.planned.to);
  const std::optional<Foreign>& foreign = move.planned.foreign;
  if (source == nullptr || (target == nullptr && !foreign)) return;
  out_.send(
      source->id, {},
      wire::Order{move.lease, source->epoch, move.planned.vm, move.planned.to,
                  foreign ? foreign->target_endpoint : target->facts.endpoint, move.planned.why,
                  foreign ? foreign->target_hypervisor : target->hypervisor()});
}

// --- time ---------------------------------------------------------------------------------------

void Conductor::repeat(TimePoint now, Move& move) {
  const bool silent =
      now >= move.since + silence_max && !planted::on(planted::Bug::conductor_never_gives_up);
  if (move.state == State::telling) {
    if (silent) {
      finish(now, move, NotMoved{"its target does not answer"});
    } else {
      tell_target(now, move);
    }
  } else if (move.state == State::ordering) {
    if (silent) {
      finish(now, move, NotMoved{"its host does not answer"});
    } else {
      order(now, move);
    }
  }
}

// The holder is heard of, and has the VM no more.
bool Conductor::has_departed(const LeaseId& lease) const {
  const ledger::Lease* known = ledger_.find(lease);
  const Member* source = known == nullptr ? nullptr : group_.find(known->from);
  return source != nullptr && !source->lost && source->report.distrust.empty() &&
         source->find(known->vm) == nullptr;
}

void Conductor::tick(TimePoint now) {
  for (Move& move : moves_) {
    if (under_way(move) && move.next <= now) {
      move.next = time_never;
      repeat(now, move);
    }
    if (nobody_will_tell(move)) resolve_forgotten(now, move);
  }
  for (const ledger::Lease& lease : ledger_.expire(now)) {
    Move* move = by_lease(lease.id);
    const bool in_use = move != nullptr && under_way(*move);
    if (!in_use) revoke(now, lease.id, false);
  }
  std::erase_if(revocations_,
                [&](const auto& known) { return group_.find(known.second.target) == nullptr; });
  revoke_what_was_left_out(now);
  for (auto& [lease, revocation] : revocations_) {
    if (revocation.next > now) continue;
    revocation.next = now + repeat_every;
    if (planted::on(planted::Bug::conductor_revokes_once)) revocation.next = time_never;
    out_.send(revocation.target, {},
              wire::LeaseRevoke{lease, revocation.vm, revocation.holder_is_done,
                                revocation.holder_is_done && has_departed(lease)});
  }
  failures_.tidy(now);
  std::erase_if(slow_, [&](const auto& host) { return host.second <= now; });
  begin_what_can(now);
}

TimePoint Conductor::next_deadline() const {
  TimePoint next = ledger_.next_expiry();
  for (const Move& move : moves_) {
    if (under_way(move)) next = std::min(next, move.next);
  }
  for (const auto& [lease, revocation] : revocations_) next = std::min(next, revocation.next);
  return next;
}

// --- views --------------------------------------------------------------------------------------

const char* Conductor::name_of(State state) {
  switch (state) {
    case State::waiting: return "waiting";
    case State::telling: return "telling";
    case State::ordering: return "ordering";
    case State::running: return "running";
    case State::unknown: return "unknown";
    case State::done: return "done";
    case State::failed: return "failed";
  }
  return "?";
}

MoveView Conductor::view_of(const Move& move) {
  MoveView view;
  view.vm = move.planned.vm;
  view.from = move.planned.from;
  view.to = move.planned.to;
  view.step = move.planned.step;
  view.swap = move.planned.swap;
  view.state = name_of(move.state);
  if (!move.detail.empty()) view.state += ": " + move.detail;
  view.why = move.planned.why;
  return view;
}

std::vector<MoveView> Conductor::moves() const {
  std::vector<MoveView> views;
  for (const Move& move : moves_) views.push_back(view_of(move));
  return views;
}

std::vector<MoveView> Conductor::in_flight() const {
  std::vector<MoveView> views;
  for (const Move& move : moves_) {
    if (under_way(move)) views.push_back(view_of(move));
  }
  return views;
}

}  // namespace ballast::node
