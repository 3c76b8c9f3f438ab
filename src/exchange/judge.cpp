#include "ballast/exchange/judge.h"

#include <algorithm>
#include <tuple>

#include "ballast/base/limits.h"

namespace ballast::exchange {
namespace {

constexpr Duration ask_again_after = std::chrono::seconds(2);
// Who waits for a stream asks again each two seconds; who was not heard for longer gave up.
constexpr Duration waits_seen_within = std::chrono::seconds(10);
// From the verdict to the moment at which the target counts the stream as used.
constexpr Duration slot_held_for = std::chrono::seconds(10);
constexpr std::size_t waiting_max = 4 * limits::proposed_max;

}  // namespace

bool goes_first(const Rank& a, const Rank& b) {
  if (a.kind != b.kind) return a.kind > b.kind;
  if (a.rounds_lost != b.rounds_lost) return a.rounds_lost > b.rounds_lost;
  return std::tie(a.stamp, a.master) < std::tie(b.stamp, b.master);
}

// One at the top of its range would leave no number for the next.
void Judge::heard(std::uint64_t stamp) {
  constexpr std::uint64_t stamp_max = std::uint64_t{1} << 62U;
  if (stamp <= stamp_max) stamp_ = std::max(stamp_, stamp);
}

Judgement Judge::judge(TimePoint now, const NodeId& proposer, const wire::Proposal& proposal,
                       const Own& own) {
  heard(proposal.stamp);
  std::erase_if(waiting_,
                [&](const auto& known) { return now > known.second.seen + waits_seen_within; });
  std::erase_if(given_, [&](const auto& known) { return now > known.second.second; });
  Judgement judgement;
  judgement.verdict.number = proposal.number;
  std::vector<const wire::ProposedMove*> moves;
  for (const wire::ProposedMove& move : proposal.moves) moves.push_back(&move);
  std::stable_sort(moves.begin(), moves.end(),
                   [](const auto* a, const auto* b) { return a->heat > b->heat; });
  for (const wire::ProposedMove* move : moves) {
    judgement.verdict.moves.push_back(verdict_of(now, proposer, proposal, *move, own, judgement));
  }
  judgement.verdict.stamp = stamp_;
  return judgement;
}

// Whether so many others wait for this host that no stream is left for this one.
bool Judge::others_go_first(TimePoint, const wire::Proposal& proposal,
                            const wire::ProposedMove& move, std::uint32_t free) const {
  std::uint32_t before = 0;
  for (const auto& [lease, other] : waiting_) {
    if (lease == move.lease || other.host != move.to) continue;
    const auto theirs = std::tie(other.rounds_lost, other.heat);
    const auto ours = std::tie(proposal.rounds_lost, move.heat);
    if (theirs > ours || (theirs == ours && lease < move.lease)) ++before;
  }
  return before >= free;
}

wire::MoveVerdict Judge::verdict_of(TimePoint now, const NodeId& proposer,
                                    const wire::Proposal& proposal, const wire::ProposedMove& move,
                                    const Own& own, Judgement& judgement) {
  const auto lost = [&](wire::Conflict conflict, std::string why, Duration wait = Duration(0)) {
    return wire::MoveVerdict{move.lease, conflict, wait, std::move(why)};
  };
  const Rank theirs{proposal.kind, proposal.rounds_lost, proposal.stamp, proposer};
  for (const OwnMove& mine : own.moves) {
    if (mine.vm != move.vm) continue;
    if (mine.ordered || goes_first(mine.rank, theirs))
      return lost(wire::Conflict::vm_in_two_plans,
                  quoted(move.vm.str()) + " is in a plan of " + quoted(own.self.str()) +
                      " as well" + (mine.ordered ? ", and on its way" : ", which goes first"));
    judgement.withdrawn.push_back(mine.vm);
  }
  if (const auto epoch = own.member(move.from); epoch && *epoch > move.from_epoch)
    return lost(wire::Conflict::host_claimed_twice,
                quoted(move.from.str()) + " is a slave of " + quoted(own.self.str()) + " now");
  const bool ours = move.lease.grantor == own.self;
  if (ours && !own.member(move.to))
    return lost(wire::Conflict::host_claimed_twice,
                quoted(move.to.str()) + " is no longer a slave of " + quoted(own.self.str()));
  if (const std::string rule = own.rule_against(move.vm, move.to); !rule.empty())
    return lost(wire::Conflict::joint_rule, rule);
  // Drain overrides the cooldown.
  const bool drain = proposal.kind == wire::PlanKind::drain;
  if (const Duration rest = own.rest(move.vm, move.to); rest > Duration(0) && !drain)
    return lost(wire::Conflict::ping_pong, quoted(move.vm.str()) + " left " +
                                               quoted(move.to.str()) + " lately and rests for " +
                                               std::to_string(static_cast<long>(seconds_of(rest))) +
                                               " s");
  if (!ours) return {move.lease, wire::Conflict::none, Duration(0), {}};
  if (!own.open(move.lease))
    return lost(wire::Conflict::host_claimed_twice,
                "the room for " + quoted(move.vm.str()) + " has been given back");
  std::uint32_t free = own.streams_free(move.to);
  for (const auto& [lease, slot] : given_) {
    if (lease != move.lease && slot.first == move.to && free > 0) --free;
  }
  const bool must_wait =
      !own.ready(move.lease) || free == 0 || others_go_first(now, proposal, move, free);
  if (must_wait) {
    if (waiting_.size() < waiting_max || waiting_.contains(move.lease))
      waiting_[move.lease] = {move.to, move.heat, proposal.rounds_lost, now};
    return lost(wire::Conflict::too_many_streams,
                own.ready(move.lease) ? "other migrations to " + quoted(move.to.str()) + " go first"
                                      : quoted(move.to.str()) + " has not answered yet",
                ask_again_after);
  }
  waiting_.erase(move.lease);
  given_[move.lease] = {move.to, now + slot_held_for};
  return {move.lease, wire::Conflict::none, Duration(0), {}};
}

}  // namespace ballast::exchange
