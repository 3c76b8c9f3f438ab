// Plan exchange, the side that judges: what another master is about to migrate, against what this
// master plans, owns and knows. The five conflicts of the design, section 6.
//
// The judge never decides alone what is safe: the nodes at both ends are the last judges. It keeps
// masters from planning against each other, and gives each migration its slot at the hosts of its
// group: the hottest first, and never more streams than a host may carry.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/wire/market_messages.h"

namespace ballast::exchange {

// What decides between two plans that conflict: drain before remote before local; then who has
// given way more often; then the earlier stamp; then the lower id.
struct Rank {
  wire::PlanKind kind = wire::PlanKind::local;
  std::uint32_t rounds_lost = 0;
  std::uint64_t stamp = 0;
  NodeId master;
};
bool goes_first(const Rank& a, const Rank& b);

// A migration of the judge's own plans that has not ended.
struct OwnMove {
  VmId vm;
  Rank rank;
  bool ordered = false;  // too late to give way
};

// What the judge asks about its own group. Each is called during judge() only.
struct Own {
  NodeId self;
  std::vector<OwnMove> moves;
  // The epoch of a member of ours that was heard of lately.
  std::function<std::optional<Epoch>(const HostId&)> member;
  // The lease is ours and open.
  std::function<bool(const LeaseId&)> open;
  // Its target has said that it knows it.
  std::function<bool(const LeaseId&)> ready;
  // Free streams for arrivals at a member of ours; 0: none now.
  std::function<std::uint32_t(const HostId&)> streams_free;
  // How long the VM still rests, if it left this host lately.
  std::function<Duration(const VmId&, const HostId&)> rest;
  // The rule that forbids this VM on that host together with what is there or agreed; empty: none.
  std::function<std::string(const VmId&, const HostId&)> rule_against;
};

struct Judgement {
  wire::Verdict verdict;
  std::vector<VmId> withdrawn;  // own migrations that give way
};

class Judge {
 public:
  // Stamps of proposals that were heard of; the next own one is above it.
  std::uint64_t stamp() const { return stamp_; }
  std::uint64_t next_stamp() { return ++stamp_; }
  void heard(std::uint64_t stamp);

  Judgement judge(TimePoint now, const NodeId& proposer, const wire::Proposal& proposal,
                  const Own& own);

 private:
  struct Waiting {
    HostId host;
    double heat = 0;
    std::uint32_t rounds_lost = 0;
    TimePoint seen;
  };
  wire::MoveVerdict verdict_of(TimePoint now, const NodeId& proposer,
                               const wire::Proposal& proposal, const wire::ProposedMove& move,
                               const Own& own, Judgement& judgement);
  bool others_go_first(TimePoint now, const wire::Proposal& proposal,
                       const wire::ProposedMove& move, std::uint32_t free) const;

  std::uint64_t stamp_ = 0;
  std::map<LeaseId, Waiting> waiting_;                     // for a stream
  std::map<LeaseId, std::pair<HostId, TimePoint>> given_;  // slots given, until they are seen used
};

}  // namespace ballast::exchange
