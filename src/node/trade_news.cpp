// What a master's trade makes of the messages of other masters.

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/words.h"
#include "drain.h"
#include "phrases.h"
#include "trade.h"

namespace ballast::node {
namespace {

constexpr Duration lease_kept_for = std::chrono::seconds(60);  // from each sign that it is wanted
constexpr Duration swap_lease_ttl = std::chrono::minutes(10);

}  // namespace

// --- as the one who is asked --------------------------------------------------------------------

void Trade::take(TimePoint now, const NodeId& from, const wire::Request& request) {
  market::Grantor::Offer offer;
  offer.quiet = quiet_;
  if (quiet_ && quiet_until_ != time_never)
    offer.quiet_for = std::max(Duration(0), quiet_until_ - now);
  if (!quiet_) {
    offer.holes = holes(now);
    const bool swaps = std::any_of(request.wants.begin(), request.wants.end(),
                                   [](const wire::Want& want) { return want.takes_back; });
    if (swaps) offer.exchangeable = exchangeable(now);
  }
  // A VM does not come back to the host of ours that it left for another group just now.
  wire::Request asked = request;
  for (wire::Want& want : asked.wants) {
    const auto left = departures_.find(want.vm);
    if (left != departures_.end() && now < left->second.at + config_.plan.no_return && !want.drain)
      want.not_to.push_back(left->second.from);
  }
  wire::RequestAnswer answer = grantor_.serve(now, from, asked, std::move(offer));
  for (wire::Grant& grant : answer.grants)
    if (const Member* target = group_.find(grant.target); target != nullptr)
      grant.target_hypervisor = target->hypervisor();
  for (const wire::Grant& grant : answer.grants) {
    const market::Grantor::Granted* granted = grantor_.find(grant.lease);
    if (granted == nullptr || telling_.contains(grant.lease)) continue;  // answered again
    Telling& telling = telling_[grant.lease];
    telling.from_endpoint = granted->from_endpoint;
    if (grant.back) telling.swap_with = from;
    tell(now, grant.lease, telling);
    if (grant.back) pledge(now, grant, from, granted->back_to);
    out_.event(now, EventKind::planned, grant.vm, grant.target,
               "granted master " + quoted(from.str()) + " room for " + quoted(grant.vm.str()) +
                   " on " + quoted(grant.target.str()) +
                   (grant.back ? ", in exchange for " + quoted(grant.back->vm.str()) : ""));
  }
  out_.send(from, {}, answer);
}

std::vector<market::Exchangeable> Trade::exchangeable(TimePoint now) const {
  const std::map<VmId, bool> planned = conductor_.planned_vms();
  std::vector<market::Exchangeable> vms;
  for (const auto& [id, member] : group_.members()) {
    if (!group_.why_unusable(now, member).empty()) continue;
    for (const wire::VmReport& vm : member.report.vms) {
      if (may_leave(now, vm) && !planned.contains(vm.vm.id))
        vms.push_back({vm.vm.id, id, vm.vm.load, conductor_.failures().not_to(now, vm.vm.id, id)});
    }
  }
  return vms;
}

// Until the asker has named the lease for it, what goes back is known by the lease of the grant.
void Trade::pledge(TimePoint now, const wire::Grant& grant, const NodeId& asker,
                   const HostId& back_to) {
  Outbound outbound;
  outbound.vm = grant.back->vm;
  outbound.from = grant.target;
  outbound.to = back_to;
  outbound.load = grant.back->load;
  outbound.with = {asker, {}};
  outbound.stage = Stage::pledged;
  outbound.since = now;
  outbound.other = grant.lease;
  outbound.other_first = !grant.back->first;
  outbound.other_vm = grant.vm;
  outbound_.emplace(grant.lease, std::move(outbound));
  ledger_.extend(grant.lease, now + swap_lease_ttl);
}

void Trade::take(TimePoint now, const NodeId& from, const wire::SwapBack& back) {
  const auto found = outbound_.find(back.lease);
  const bool known = found != outbound_.end() && found->second.stage == Stage::pledged &&
                     found->second.with.master == from && found->second.to == back.target &&
                     back.back.grantor == from && !outbound_.contains(back.back);
  if (!known) return;
  Outbound outbound = found->second;
  outbound_.erase(found);
  outbound.to_endpoint = back.target_endpoint;
  outbound.to_hypervisor = back.target_hypervisor;
  outbound.stage = Stage::waiting_for_other;
  outbound.since = now;
  Outbound& moved = outbound_.emplace(back.back, std::move(outbound)).first->second;
  if (!moved.other_first) propose(now, back.back, moved);
}

void Trade::take(TimePoint now, const NodeId& from, const wire::Release& release) {
  out_.send(from, {}, wire::ReleaseAck{release.lease});
  const market::Grantor::Granted* granted = grantor_.find(release.lease);
  const auto swap = std::find_if(outbound_.begin(), outbound_.end(), [&](const auto& known) {
    return known.second.other == release.lease && known.second.with.master == from;
  });
  const bool theirs = (granted != nullptr && granted->asker == from) || swap != outbound_.end();
  if (!theirs) return;
  conductor_.take_back(now, release.lease, true);
}

void Trade::take(TimePoint now, const NodeId& from, const wire::SwapOver& over) {
  out_.send(from, {}, wire::SwapOverAck{over.lease});
  const auto found = outbound_.find(over.lease);
  if (found == outbound_.end() || found->second.with.master != from) return;
  give_up(now, over.lease, over.reason);
}

// --- as the one who asks ------------------------------------------------------------------------

void Trade::take(TimePoint now, const NodeId& from, const wire::RequestAnswer& answer) {
  for (const wire::Refusal& refusal : answer.refusals) {
    out_.tell(now, refusal.vm, "refusal", from,
              "master " + quoted(from.str()) + " refuses: " + refusal_in_words(refusal.reason) +
                  (answer.holes.empty() ? "; it has no room now"
                                        : "; its largest room is " + amounts(answer.holes[0])));
  }
  const market::Asker::Answered answered = asker_.take(now, from, answer);
  for (const market::Asker::Release& one : answered.unwanted) {
    // The same answer a second time.
    if (outbound_.contains(one.lease) || one.lease.grantor != from) continue;
    release(now, {from, one.endpoint}, one.lease);
  }
  for (const market::Asker::Granted& grant : answered.granted) {
    if (grant.grant.lease.grantor == from) granted(now, grant);
  }
}

void Trade::granted(TimePoint now, const market::Asker::Granted& granted) {
  const wire::Grant& grant = granted.grant;
  const Member* member = group_.find(granted.want.from);
  const wire::VmReport* vm = member == nullptr ? nullptr : member->find(grant.vm);
  const Party party{granted.grantor, granted.endpoint};
  const bool still = vm != nullptr && vm->vm.presence == Presence::running && vm->vm.movable &&
                     ledger_.find(grant.vm) == nullptr &&
                     !conductor_.failures().rests(now, grant.vm, granted.want.from, grant.target) &&
                     conductor_.withdraw(now, grant.vm, "another group takes it");
  if (!still || outbound_.size() >= limits::outbound_max) return release(now, party, grant.lease);
  Outbound outbound;
  outbound.vm = grant.vm;
  outbound.from = granted.want.from;
  outbound.to = grant.target;
  outbound.to_endpoint = grant.target_endpoint;
  outbound.to_hypervisor = grant.target_hypervisor;
  outbound.load = vm->vm.load;
  outbound.heat = overload_of(*member);
  outbound.may_stay = granted.want.heat_max > 0;
  outbound.drain = granted.want.drain;
  outbound.with = party;
  outbound.since = now;
  out_.event(now, EventKind::planned, grant.vm, grant.target,
             "master " + quoted(granted.grantor.str()) + " grants " + quoted(grant.vm.str()) +
                 " room on " + quoted(grant.target.str()) +
                 (grant.back ? ", in exchange for " + quoted(grant.back->vm.str()) : ""));
  if (!grant.back) {
    propose(now, grant.lease, outbound_.emplace(grant.lease, std::move(outbound)).first->second);
    return;
  }
  const auto room =
      ledger_.promise_exchange({grant.back->vm, grant.target, outbound.from, grant.back->load},
                               outbound.load, !grant.back->first, now + swap_lease_ttl);
  if (!room) return release(now, party, grant.lease);
  outbound.stage = Stage::telling;
  outbound.other = room->id;
  outbound.other_first = grant.back->first;
  outbound.other_vm = grant.back->vm;
  Telling& telling = telling_[room->id];
  telling.from_endpoint = grant.back->from_endpoint;
  telling.swap_with = granted.grantor;
  tell(now, room->id, telling);
  outbound_.emplace(grant.lease, std::move(outbound));
}

void Trade::take(TimePoint, const NodeId& from, const wire::ReleaseAck& ack) {
  const auto found = notes_.find(ack.lease);
  if (found != notes_.end() && found->second.to.master == from &&
      std::holds_alternative<wire::Release>(found->second.body))
    notes_.erase(found);
}

void Trade::take(TimePoint, const NodeId& from, const wire::SwapOverAck& ack) {
  const auto found = notes_.find(ack.lease);
  if (found != notes_.end() && found->second.to.master == from &&
      std::holds_alternative<wire::SwapOver>(found->second.body))
    notes_.erase(found);
}

// --- plan exchange ------------------------------------------------------------------------------

exchange::Own Trade::own_of(TimePoint now) const {
  exchange::Own own;
  own.self = out_.self();
  std::map<VmId, bool> planned = conductor_.planned_vms();
  for (const auto& [lease, outbound] : outbound_) {
    const auto known = planned.find(outbound.vm);
    own.moves.push_back({outbound.vm, outbound.rank, known != planned.end() && known->second});
    if (known != planned.end()) planned.erase(known);
  }
  const auto is_drained = [this](const VmId& vm) {
    return std::any_of(group_.members().begin(), group_.members().end(), [&](const auto& known) {
      return known.second.report.maintenance && known.second.find(vm) != nullptr;
    });
  };
  for (const auto& [vm, ordered] : planned) {
    exchange::Rank rank;
    rank.master = out_.self();
    if (is_drained(vm)) rank.kind = wire::PlanKind::drain;
    own.moves.push_back({vm, rank, ordered});
  }
  own.member = [this](const HostId& host) -> std::optional<Epoch> {
    const Member* member = group_.find(host);
    if (member == nullptr || member->lost) return std::nullopt;
    return member->epoch;
  };
  own.open = [this](const LeaseId& lease) { return ledger_.find(lease) != nullptr; };
  own.ready = [this](const LeaseId& lease) {
    const auto telling = telling_.find(lease);
    return telling != telling_.end() && telling->second.told;
  };
  own.streams_free = [this](const HostId& host) {
    const std::size_t used = conductor_.incoming_to(host);
    return used >= config_.migrate.incoming
               ? 0U
               : config_.migrate.incoming - static_cast<std::uint32_t>(used);
  };
  own.rest = [this, now](const VmId& vm, const HostId& host) {
    const auto left = departures_.find(vm);
    if (left == departures_.end() || left->second.from != host) return Duration(0);
    return std::max(Duration(0), left->second.at + config_.plan.cooldown - now);
  };
  own.rule_against = [](const VmId&, const HostId&) { return std::string(); };
  return own;
}

void Trade::take(TimePoint now, const NodeId& from, const wire::Proposal& proposal) {
  for (const wire::ProposedMove& move : proposal.moves) {
    const ledger::Lease* lease = ledger_.find(move.lease);
    if (lease == nullptr || lease->vm != move.vm || lease->to != move.to) continue;
    ledger_.extend(move.lease, now + lease_kept_for);
    // That it proposes says that it has heard of the lease.
    const auto note = notes_.find(move.lease);
    if (note != notes_.end() && note->second.to.master == from &&
        std::holds_alternative<wire::SwapBack>(note->second.body))
      notes_.erase(note);
  }
  exchange::Judgement judgement = judge_.judge(now, from, proposal, own_of(now));
  for (const VmId& vm : judgement.withdrawn) {
    const auto mine = std::find_if(outbound_.begin(), outbound_.end(),
                                   [&](const auto& known) { return known.second.vm == vm; });
    const std::string why = "a plan of master " + quoted(from.str()) + " goes first";
    if (mine == outbound_.end()) {
      conductor_.withdraw(now, vm, why);
    } else {
      ++rounds_lost_[vm];
      give_up(now, LeaseId(mine->first), why);
    }
  }
  out_.send(from, {}, std::move(judgement.verdict));
}

void Trade::take(TimePoint now, const NodeId& from, const wire::Verdict& verdict) {
  judge_.heard(verdict.stamp);
  proposals_.take(now, from, verdict);
  for (const exchange::Proposals::Settled& one : proposals_.take_settled()) settled(now, one);
}

void Trade::heard(const NodeId& from, const wire::LeaseState& state) {
  const auto telling = telling_.find(state.lease);
  const ledger::Lease* lease = ledger_.find(state.lease);
  if (telling == telling_.end() || lease == nullptr || lease->to != from) return;
  if (state.phase == wire::LeasePhase::told || state.phase == wire::LeasePhase::begun)
    telling->second.told = true;
}

}  // namespace ballast::node
