// Who is granted what, out of a ledger.

#include "ballast/market/grantor.h"

#include <doctest/doctest.h>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"

namespace ballast {
namespace {

using namespace market;

const TimePoint start = TimePoint(std::chrono::hours(1));

struct Group {
  ledger::Ledger ledger{NodeId("g"), 1};
  std::map<HostId, Resources> room;

  void host(const char* id, double carried_mhz, double carried_mib = 1000) {
    ledger::HostRoom host;
    host.capacity = {10000, 65536, 10000};
    host.carried = {carried_mhz, carried_mib, 0};
    host.limits = {0.8, 0.9, 0.8};
    ledger.set_host(HostId(id), host);
    room[HostId(id)] = {};
  }
  Grantor::Offer offer() const {
    Grantor::Offer offer;
    for (const auto& [id, unused] : room)
      offer.holes.push_back({id, "tcp://" + id.str() + ":1", ledger.balance(id)});
    return offer;
  }
};

wire::Want want(const std::string& vm, double mhz, double mib = 2048) {
  wire::Want want;
  want.vm = VmId(vm);
  want.load = {mhz, mib, 10};
  want.from = HostId("far");
  want.from_endpoint = "tcp://far:1";
  return want;
}

wire::Request request(std::uint64_t number, std::vector<wire::Want> wants) {
  return {number, std::move(wants)};
}

TEST_CASE(
    "who looks for a cooler host gets the coolest, and none that is hotter than it asks for") {
  Group group;
  group.host("h1", 1000);
  group.host("h2", 5000);
  Grantor::Offer offer = group.offer();
  for (Hole& hole : offer.holes) {
    hole.limit = {8000, 58982, 8000};
    hole.carried = {hole.host == HostId("h1") ? 1000.0 : 5000.0, 1000, 0};
  }
  // 1000 and 2000 of 8000 MHz, then the same room again: 5000 of 8000 MHz is too hot.
  Grantor grantor(group.ledger);
  std::vector<wire::Want> wants = {want("v1", 2000), want("v2", 2000)};
  for (wire::Want& one : wants) one.heat_max = 0.5;
  const auto answer = grantor.serve(start, NodeId("a"), request(1, wants), offer);
  REQUIRE(answer.grants.size() == 1);
  CHECK(answer.grants[0].target == HostId("h1"));
  REQUIRE(answer.refusals.size() == 1);
  CHECK(answer.refusals[0].reason == wire::RefusalReason::no_room);
  // What swings counts.
  for (Hole& hole : offer.holes) hole.variance.cpu_mhz = 6000.0 * 6000.0;
  CHECK(grantor.serve(start, NodeId("b"), request(1, {wants[0]}), offer).grants.empty());
}

TEST_CASE("the tightest host that fits is granted, so that large holes stay") {
  Group group;
  group.host("h1", 1000);
  group.host("h2", 5000);
  Grantor grantor(group.ledger);
  const auto answer =
      grantor.serve(start, NodeId("a"), request(1, {want("v1", 2500)}), group.offer());
  REQUIRE(answer.grants.size() == 1);
  CHECK(answer.grants[0].target == HostId("h2"));
  CHECK(answer.grants[0].target_endpoint == "tcp://h2:1");
  REQUIRE(group.ledger.find(answer.grants[0].lease) != nullptr);
  CHECK(group.ledger.find(answer.grants[0].lease)->load.cpu_mhz == 2500);
  // What is told of the room that is left is what is left.
  REQUIRE(answer.holes.size() == 2);
  CHECK(answer.holes[0].cpu_mhz == 7000);
  CHECK(answer.holes[1].cpu_mhz == 500);
}

TEST_CASE("first come, first served: what the first got, the second does not get") {
  Group group;
  group.host("h1", 5000);
  Grantor grantor(group.ledger);
  CHECK(grantor.serve(start, NodeId("a"), request(1, {want("v1", 2000)}), group.offer())
            .grants.size() == 1);
  const auto late =
      grantor.serve(start, NodeId("b"), request(1, {want("v2", 2000)}), group.offer());
  CHECK(late.grants.empty());
  REQUIRE(late.refusals.size() == 1);
  CHECK(late.refusals[0].reason == wire::RefusalReason::no_room);
  REQUIRE(late.holes.size() == 1);
  CHECK(late.holes[0].cpu_mhz == 1000);
}

TEST_CASE("a request that comes twice is answered the same, and takes room once") {
  Group group;
  group.host("h1", 1000);
  Grantor grantor(group.ledger);
  const wire::Request asked = request(7, {want("v1", 2000)});
  const auto once = grantor.serve(start, NodeId("a"), asked, group.offer());
  const auto again = grantor.serve(start, NodeId("a"), asked, group.offer());
  CHECK(once == again);
  CHECK(group.ledger.leases().size() == 1);
}

TEST_CASE("no more than eight leases are open for one asker; others are still served") {
  Group group;
  for (int h = 0; h < 12; ++h) group.host(("h" + std::to_string(h)).c_str(), 1000);
  Grantor grantor(group.ledger);
  std::uint64_t granted = 0;
  for (std::uint64_t n = 1; n <= 10; ++n) {
    const auto answer = grantor.serve(
        start, NodeId("loud"), request(n, {want("v" + std::to_string(n), 5000)}), group.offer());
    granted += answer.grants.size();
    if (answer.grants.empty()) CHECK(answer.refusals[0].reason == wire::RefusalReason::quota);
  }
  CHECK(granted == limits::leases_per_asker_max);
  CHECK(grantor.serve(start, NodeId("b"), request(1, {want("x", 5000)}), group.offer())
            .grants.size() == 1);
  // What has ended no longer counts.
  group.ledger.end(LeaseId(group.ledger.leases().begin()->first));
  CHECK(grantor.serve(start, NodeId("loud"), request(99, {want("y", 5000)}), group.offer())
            .grants.size() == 1);
}

TEST_CASE("while nothing may move, nothing is granted") {
  Group group;
  group.host("h1", 1000);
  Grantor grantor(group.ledger);
  Grantor::Offer offer = group.offer();
  offer.quiet = true;
  const auto answer = grantor.serve(start, NodeId("a"), request(1, {want("v1", 100)}), offer);
  REQUIRE(answer.refusals.size() == 1);
  CHECK(answer.refusals[0].reason == wire::RefusalReason::quiet);
  CHECK(group.ledger.leases().empty());
}

TEST_CASE("a VM is not granted room where it failed, and its asker hears why") {
  Group group;
  group.host("h1", 5000);
  group.host("h2", 1000);
  Grantor grantor(group.ledger);
  wire::Want wanted = want("v1", 1000);
  wanted.not_to = {HostId("h1")};
  auto answer = grantor.serve(start, NodeId("a"), request(1, {wanted}), group.offer());
  REQUIRE(answer.grants.size() == 1);
  CHECK(answer.grants[0].target == HostId("h2"));
  wanted.vm = VmId("v2");
  wanted.not_to = {HostId("h1"), HostId("h2")};
  answer = grantor.serve(start, NodeId("a"), request(2, {wanted}), group.offer());
  REQUIRE(answer.refusals.size() == 1);
  CHECK(answer.refusals[0].reason == wire::RefusalReason::rule);
  // Nor is one of ours sent back there in exchange.
  group.host("h3", 7900);
  wanted = want("v3", 3000);
  wanted.not_to = {HostId("h1"), HostId("h2")};
  wanted.takes_back = Resources{5000, 8192, 1000};
  Grantor::Offer offer = group.offer();
  offer.exchangeable = {{VmId("w"), HostId("h3"), {2900, 2048, 10}, {HostId("far")}}};
  CHECK(grantor.serve(start, NodeId("a"), request(3, {wanted}), offer).grants.empty());
  offer = group.offer();
  offer.exchangeable = {{VmId("w"), HostId("h3"), {2950, 2048, 10}, {HostId("elsewhere")}}};
  CHECK(grantor.serve(start, NodeId("a"), request(4, {wanted}), offer).grants.size() == 1);
}

TEST_CASE("a swap gives the smallest VM that makes the room and that the asker can take") {
  Group group;
  group.host("h1", 7000);  // room for 1000
  Grantor grantor(group.ledger);
  Grantor::Offer offer = group.offer();
  offer.exchangeable = {{VmId("big"), HostId("h1"), {4000, 8192, 10}},
                        {VmId("fits"), HostId("h1"), {2500, 4096, 10}},
                        {VmId("small"), HostId("h1"), {500, 1024, 10}}};
  wire::Want one = want("v1", 3000);
  one.takes_back = Resources{3000, 16384, 1000};
  one.takes_back_first_mib = 5000;
  const auto answer = grantor.serve(start, NodeId("a"), request(1, {one}), offer);
  REQUIRE(answer.grants.size() == 1);
  REQUIRE(answer.grants[0].back.has_value());
  CHECK(answer.grants[0].back->vm == VmId("fits"));
  CHECK(answer.grants[0].back->first);
  // Room for the difference is taken, and no more than there is.
  CHECK(group.ledger.room(HostId("h1")).cpu_mhz == doctest::Approx(500));
}

TEST_CASE("what is granted never goes beyond the limits of its host, whoever asks for whatever") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Group group;
    std::map<HostId, double> carried;
    for (int h = 0; h < 4; ++h) {
      const std::string id = "h" + std::to_string(h);
      carried[HostId(id)] = random.between(0, 9000);
      group.host(id.c_str(), carried[HostId(id)], random.between(0, 40000));
    }
    Grantor grantor(group.ledger);
    for (std::uint64_t n = 1; n <= 20; ++n) {
      const NodeId asker("a" + std::to_string(random.below(3)));
      wire::Request asked{n, {}};
      for (std::uint64_t i = random.below(9); i > 0; --i)
        asked.wants.push_back(want("v" + std::to_string(n) + "-" + std::to_string(i),
                                   random.between(0, 4000), random.between(0, 20000)));
      const auto answer = grantor.serve(start, asker, asked, group.offer());
      CHECK(answer.grants.size() + answer.refusals.size() == asked.wants.size());
      if (random.chance(0.3) && !group.ledger.leases().empty())
        group.ledger.end(LeaseId(group.ledger.leases().begin()->first));
    }
    std::map<HostId, Resources> promised;
    for (const auto& [id, lease] : group.ledger.leases()) promised[lease.to] += lease.load;
    for (const auto& [host, load] : promised) {
      CHECK(carried[host] + load.cpu_mhz <= 8000 + 1);
      CHECK(load.memory_mib <= 65536 * 0.9);
    }
  }
}

}  // namespace
}  // namespace ballast
