// The five conflicts, each provoked, and who gives way.

#include "ballast/exchange/judge.h"

#include <doctest/doctest.h>

namespace ballast {
namespace {

using namespace exchange;
using namespace std::chrono_literals;

const TimePoint start = TimePoint(std::chrono::hours(1));
const NodeId me("m1");
const NodeId other("m2");
const LeaseId lease{me, 1, 1};

struct Case {
  Judge judge;
  Own own;
  wire::Proposal proposal;

  Case() {
    own.self = me;
    own.member = [](const HostId& host) -> std::optional<Epoch> {
      if (host == HostId("mine")) return Epoch{1, 1};
      return std::nullopt;
    };
    own.open = [](const LeaseId&) { return true; };
    own.ready = [](const LeaseId&) { return true; };
    own.streams_free = [](const HostId&) { return 1U; };
    own.rest = [](const VmId&, const HostId&) { return Duration(0); };
    own.rule_against = [](const VmId&, const HostId&) { return std::string(); };
    proposal.number = 5;
    proposal.stamp = 10;
    proposal.moves = {{lease, VmId("v"), HostId("theirs"), Epoch{1, 1}, HostId("mine"), 0.2}};
  }
  Judgement ask(TimePoint now = start) { return judge.judge(now, other, proposal, own); }
  wire::MoveVerdict verdict(TimePoint now = start) { return ask(now).verdict.moves.at(0); }
};

TEST_CASE("what disturbs nobody is agreed to") {
  Case c;
  const Judgement judgement = c.ask();
  CHECK(judgement.verdict.number == 5);
  CHECK(judgement.verdict.moves.at(0).conflict == wire::Conflict::none);
  CHECK(judgement.withdrawn.empty());
  CHECK(c.judge.stamp() == 10);
  CHECK(c.judge.next_stamp() == 11);
}

TEST_CASE("one VM in two plans: one of them gives way, never both and never none") {
  const auto rank_of = [](wire::PlanKind kind, std::uint32_t lost, std::uint64_t stamp) {
    Rank rank;
    rank.kind = kind;
    rank.rounds_lost = lost;
    rank.stamp = stamp;
    rank.master = me;
    return rank;
  };
  // NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which it is read
  const struct {
    const char* name;
    Rank mine;
    wire::PlanKind kind;
    std::uint32_t lost;
    std::uint64_t stamp;
    bool i_win;
  } cases[] = {
      {"drain before remote", rank_of(wire::PlanKind::drain, 0, 50), wire::PlanKind::remote, 9, 1,
       true},
      {"remote before local", rank_of(wire::PlanKind::local, 0, 1), wire::PlanKind::remote, 0, 90,
       false},
      {"who lost more often", rank_of(wire::PlanKind::remote, 2, 50), wire::PlanKind::remote, 1, 1,
       true},
      {"the earlier stamp", rank_of(wire::PlanKind::remote, 0, 9), wire::PlanKind::remote, 0, 10,
       true},
      {"the lower id", rank_of(wire::PlanKind::remote, 0, 10), wire::PlanKind::remote, 0, 10, true},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    Case c;
    c.own.moves = {{VmId("v"), one.mine, false}};
    c.proposal.kind = one.kind;
    c.proposal.rounds_lost = one.lost;
    c.proposal.stamp = one.stamp;
    const Judgement judgement = c.ask();
    const bool refused = judgement.verdict.moves.at(0).conflict == wire::Conflict::vm_in_two_plans;
    CHECK(refused == one.i_win);
    CHECK(judgement.withdrawn.empty() == one.i_win);
  }
}

TEST_CASE("what is ordered already does not give way, whatever its rank") {
  Case c;
  c.own.moves = {{VmId("v"), Rank{}, true}};
  c.proposal.kind = wire::PlanKind::drain;
  CHECK(c.verdict().conflict == wire::Conflict::vm_in_two_plans);
  CHECK(c.ask().withdrawn.empty());
}

TEST_CASE("one host claimed by two masters: its epoch decides") {
  Case c;
  c.own.member = [](const HostId& host) -> std::optional<Epoch> {
    if (host == HostId("theirs")) return Epoch{1, 2};
    return Epoch{1, 1};
  };
  CHECK(c.verdict().conflict == wire::Conflict::host_claimed_twice);
  c.proposal.moves[0].from_epoch = Epoch{1, 3};  // it went back to them since
  CHECK(c.verdict().conflict == wire::Conflict::none);
  c.own.member = [](const HostId&) { return std::optional<Epoch>(); };
  CHECK(c.verdict().conflict == wire::Conflict::host_claimed_twice);  // the target left us
}

TEST_CASE("a rule that would be broken jointly is told") {
  Case c;
  c.own.rule_against = [](const VmId&, const HostId&) { return std::string("v and w apart"); };
  const wire::MoveVerdict verdict = c.verdict();
  CHECK(verdict.conflict == wire::Conflict::joint_rule);
  CHECK(verdict.detail == "v and w apart");
}

TEST_CASE("a VM does not come back to a host that it left lately") {
  Case c;
  c.own.rest = [](const VmId&, const HostId& host) {
    return host == HostId("mine") ? Duration(90s) : Duration(0);
  };
  const wire::MoveVerdict verdict = c.verdict();
  CHECK(verdict.conflict == wire::Conflict::ping_pong);
  CHECK(verdict.detail.find("90 s") != std::string::npos);
}

TEST_CASE("streams: one at a time, the hottest of those that wait first, then who lost before") {
  Case c;
  std::uint32_t free = 0;
  c.own.streams_free = [&](const HostId&) { return free; };
  const auto propose = [&](std::uint64_t number, double heat, std::uint32_t lost) {
    c.proposal.number = number;
    c.proposal.rounds_lost = lost;
    c.proposal.moves[0].lease = LeaseId{me, 1, number};
    c.proposal.moves[0].vm = VmId("v" + std::to_string(number));
    c.proposal.moves[0].heat = heat;
    return c.verdict().conflict;
  };
  CHECK(propose(1, 0.1, 0) == wire::Conflict::too_many_streams);
  CHECK(propose(2, 0.3, 0) == wire::Conflict::too_many_streams);
  CHECK(propose(3, 0.2, 1) == wire::Conflict::too_many_streams);
  free = 1;
  CHECK(propose(1, 0.1, 0) == wire::Conflict::too_many_streams);
  CHECK(propose(2, 0.3, 0) == wire::Conflict::too_many_streams);  // the third lost a round before
  CHECK(propose(3, 0.2, 1) == wire::Conflict::none);
  // Its slot is held until the stream shows as used.
  CHECK(propose(2, 0.3, 0) == wire::Conflict::too_many_streams);
}

TEST_CASE("a slot that nobody uses, and one who no longer waits, hold nobody up") {
  Case c;
  CHECK(c.verdict().conflict == wire::Conflict::none);
  c.proposal.moves[0].lease = LeaseId{me, 1, 2};
  c.proposal.moves[0].vm = VmId("w");
  CHECK(c.verdict(start + 1s).conflict == wire::Conflict::too_many_streams);
  CHECK(c.verdict(start + 12s).conflict == wire::Conflict::none);
}

TEST_CASE("until the target has answered for its lease, the proposer waits") {
  Case c;
  c.own.ready = [](const LeaseId&) { return false; };
  const wire::MoveVerdict verdict = c.verdict();
  CHECK(verdict.conflict == wire::Conflict::too_many_streams);
  CHECK(verdict.wait > Duration(0));
}

}  // namespace
}  // namespace ballast
