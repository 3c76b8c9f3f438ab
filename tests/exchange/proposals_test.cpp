// A proposal always ends: agreed, lost, or without a verdict; read as a transcript.

#include "ballast/exchange/proposals.h"

#include <doctest/doctest.h>

#include "ballast/base/random.h"

namespace ballast {
namespace {

using namespace exchange;
using namespace std::chrono_literals;

const TimePoint start = TimePoint(std::chrono::hours(1));

wire::ProposedMove move(std::uint64_t number) {
  return {{NodeId("g"), 1, number},
          VmId("v" + std::to_string(number)),
          HostId("a"),
          {1, 1},
          HostId("b"),
          0.1};
}

wire::Verdict verdict_on(const wire::Proposal& proposal, wire::Conflict conflict,
                         Duration wait = Duration(0)) {
  wire::Verdict verdict;
  verdict.number = proposal.number;
  for (const wire::ProposedMove& one : proposal.moves)
    verdict.moves.push_back({one.lease, conflict, wait, "because"});
  return verdict;
}

TEST_CASE("it begins when all whom it concerns have agreed") {
  Proposals proposals(0);
  proposals.propose(start, wire::PlanKind::remote, 1, 0, move(1),
                    {{NodeId("g"), "tcp://g"}, {NodeId("p"), "tcp://p"}});
  const auto sends = proposals.tick(start);
  REQUIRE(sends.size() == 2);
  proposals.take(start, sends[0].to, verdict_on(sends[0].proposal, wire::Conflict::none));
  CHECK(proposals.take_settled().empty());
  proposals.take(start, sends[1].to, verdict_on(sends[1].proposal, wire::Conflict::none));
  const auto settled = proposals.take_settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].agreed);
}

TEST_CASE("one who objects is enough, and says why") {
  Proposals proposals(0);
  proposals.propose(start, wire::PlanKind::remote, 1, 0, move(1),
                    {{NodeId("g"), "tcp://g"}, {NodeId("p"), "tcp://p"}});
  const auto sends = proposals.tick(start);
  proposals.take(start, sends[1].to,
                 verdict_on(sends[1].proposal, wire::Conflict::host_claimed_twice));
  const auto settled = proposals.take_settled();
  REQUIRE(settled.size() == 1);
  CHECK_FALSE(settled[0].agreed);
  CHECK(settled[0].conflict == wire::Conflict::host_claimed_twice);
  CHECK(settled[0].detail == "because");
}

TEST_CASE("without a verdict it is withdrawn after 5 s") {
  Proposals proposals(0);
  proposals.propose(start, wire::PlanKind::remote, 1, 0, move(1), {{NodeId("g"), "tcp://g"}});
  std::size_t sent = 0;
  for (TimePoint now = start; now <= start + 5s; now += 1s) sent += proposals.tick(now).size();
  CHECK(sent == 3);  // at once, and each 2 s
  const auto settled = proposals.take_settled();
  REQUIRE(settled.size() == 1);
  CHECK_FALSE(settled[0].agreed);
  CHECK(settled[0].conflict == wire::Conflict::none);
  CHECK(proposals.next_deadline() == time_never);
}

TEST_CASE("who must wait for a stream asks again, under a new number") {
  Proposals proposals(0);
  proposals.propose(start, wire::PlanKind::remote, 1, 0, move(1), {{NodeId("g"), "tcp://g"}});
  const auto first = proposals.tick(start);
  proposals.take(start, NodeId("g"),
                 verdict_on(first[0].proposal, wire::Conflict::too_many_streams, 2s));
  CHECK(proposals.tick(start + 1s).empty());
  const auto again = proposals.tick(start + 2s);
  REQUIRE(again.size() == 1);
  CHECK(again[0].proposal.number != first[0].proposal.number);
  // A late double of the first verdict is nothing any more.
  proposals.take(start + 2s, NodeId("g"), verdict_on(first[0].proposal, wire::Conflict::none));
  CHECK(proposals.take_settled().empty());
  proposals.take(start + 3s, NodeId("g"), verdict_on(again[0].proposal, wire::Conflict::none));
  CHECK(proposals.take_settled().size() == 1);
}

TEST_CASE("a verdict of somebody else, or on something else, changes nothing") {
  Proposals proposals(0);
  proposals.propose(start, wire::PlanKind::remote, 1, 0, move(1), {{NodeId("g"), "tcp://g"}});
  const auto sends = proposals.tick(start);
  proposals.take(start, NodeId("x"), verdict_on(sends[0].proposal, wire::Conflict::none));
  wire::Verdict stranger = verdict_on(sends[0].proposal, wire::Conflict::none);
  stranger.moves[0].lease.number = 99;
  proposals.take(start, NodeId("g"), stranger);
  CHECK(proposals.take_settled().empty());
  CHECK(proposals.size() == 1);
}

TEST_CASE("whatever judges say, and whatever gets lost, every proposal ends once") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Proposals proposals(seed << 20U);
    std::map<LeaseId, int> ends;
    const std::uint64_t count = 1 + random.below(8);
    for (std::uint64_t n = 1; n <= count; ++n) {
      std::vector<Concerned> concerned;
      for (std::uint64_t j = 1 + random.below(3); j > 0; --j)
        concerned.push_back({NodeId("j" + std::to_string(j)), "tcp://j"});
      proposals.propose(start, wire::PlanKind::remote, n, 0, move(n), concerned);
    }
    TimePoint now = start;
    for (int i = 0; i < 4000 && proposals.size() > 0; ++i) {
      for (const Proposals::Send& send : proposals.tick(now)) {
        if (random.chance(0.3)) continue;  // lost
        const auto said = static_cast<wire::Conflict>(random.below(6));
        const auto mostly = random.chance(0.5) ? wire::Conflict::too_many_streams : said;
        proposals.take(
            now, send.to,
            verdict_on(send.proposal, mostly, duration_of_seconds(random.between(0, 10))));
      }
      for (const auto& settled : proposals.take_settled()) ++ends[settled.move.lease];
      now += 500ms;
    }
    CHECK(proposals.size() == 0);
    for (const auto& settled : proposals.take_settled()) ++ends[settled.move.lease];
    CHECK(ends.size() == count);
    for (const auto& [lease, times] : ends) CHECK(times == 1);
  }
}

}  // namespace
}  // namespace ballast
