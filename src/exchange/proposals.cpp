#include "ballast/exchange/proposals.h"

#include <algorithm>

namespace ballast::exchange {
namespace {

constexpr Duration verdict_within = std::chrono::seconds(5);
constexpr Duration repeat_after = std::chrono::seconds(2);
// A judge may let a migration wait for its slot, but not for ever.
constexpr std::uint32_t waits_max = 300;  // ten minutes, at the usual pace

}  // namespace

void Proposals::propose(TimePoint now, wire::PlanKind kind, std::uint64_t stamp,
                        std::uint32_t rounds_lost, const wire::ProposedMove& move,
                        std::vector<Concerned> concerned) {
  Open open;
  open.kind = kind;
  open.stamp = stamp;
  open.rounds_lost = rounds_lost;
  open.move = move;
  for (Concerned& who : concerned)
    open.judges.push_back({std::move(who), ++next_number_, false, now, now + verdict_within});
  open_[move.lease] = std::move(open);
}

void Proposals::withdraw(const LeaseId& lease) { open_.erase(lease); }

void Proposals::settle(const LeaseId& lease, bool agreed, wire::Conflict conflict,
                       std::string detail) {
  const auto found = open_.find(lease);
  settled_.push_back({found->second.move, agreed, conflict, std::move(detail)});
  open_.erase(found);
}

void Proposals::take(TimePoint now, const NodeId& from, const wire::Verdict& verdict) {
  for (const wire::MoveVerdict& said : verdict.moves) {
    const auto found = open_.find(said.lease);
    if (found == open_.end()) continue;
    Open& open = found->second;
    const auto judge =
        std::find_if(open.judges.begin(), open.judges.end(), [&](const Judging& known) {
          return known.who.master == from && known.number == verdict.number;
        });
    if (judge == open.judges.end()) continue;
    if (said.conflict == wire::Conflict::too_many_streams && ++open.waits < waits_max) {
      judge->number = ++next_number_;
      judge->agreed = false;
      judge->next = now + std::clamp(said.wait, Duration(std::chrono::milliseconds(500)),
                                     Duration(std::chrono::seconds(30)));
      judge->give_up = judge->next + verdict_within;
    } else if (said.conflict != wire::Conflict::none) {
      settle(said.lease, false, said.conflict, said.detail);
    } else {
      judge->agreed = true;
      const bool all = std::all_of(open.judges.begin(), open.judges.end(),
                                   [](const Judging& known) { return known.agreed; });
      if (all) settle(said.lease, true, wire::Conflict::none, {});
    }
  }
}

std::vector<Proposals::Send> Proposals::tick(TimePoint now) {
  std::vector<Send> sends;
  std::vector<std::pair<LeaseId, NodeId>> silent;
  for (auto& [lease, open] : open_) {
    for (Judging& judge : open.judges) {
      if (judge.agreed) continue;
      if (now >= judge.give_up) {
        silent.emplace_back(lease, judge.who.master);
        break;
      }
      if (now < judge.next) continue;
      judge.next = now + repeat_after;
      wire::Proposal proposal;
      proposal.number = judge.number;
      proposal.kind = open.kind;
      proposal.rounds_lost = open.rounds_lost;
      proposal.stamp = open.stamp;
      proposal.moves = {open.move};
      sends.push_back({judge.who.master, judge.who.endpoint, std::move(proposal)});
    }
  }
  for (const auto& [lease, master] : silent)
    settle(lease, false, wire::Conflict::none, quoted(master.str()) + " gave no verdict");
  return sends;
}

std::vector<Proposals::Settled> Proposals::take_settled() { return std::exchange(settled_, {}); }

TimePoint Proposals::next_deadline() const {
  TimePoint next = settled_.empty() ? time_never : TimePoint::min();
  for (const auto& [lease, open] : open_) {
    for (const Judging& judge : open.judges) {
      if (!judge.agreed) next = std::min({next, judge.next, judge.give_up});
    }
  }
  return next;
}

}  // namespace ballast::exchange
