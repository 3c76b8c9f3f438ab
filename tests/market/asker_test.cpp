// Who is asked for what, and what is made of the answers.

#include "ballast/market/asker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace ballast {
namespace {

using namespace market;
using namespace std::chrono_literals;

const TimePoint start = TimePoint(std::chrono::hours(1));

AskerSettings settings(const std::string& self = "self") { return {NodeId(self), 2s}; }

wire::Want want(const std::string& vm, double mhz) {
  wire::Want want;
  want.vm = VmId(vm);
  want.load = {mhz, 2048, 10};
  want.from = HostId("home");
  return want;
}

Seller seller(const std::string& id, std::vector<double> holes_mhz, std::uint64_t version = 1) {
  Seller seller;
  seller.master = NodeId(id);
  seller.endpoint = "tcp://" + id + ":1";
  seller.incarnation = 1;
  seller.version = version;
  for (const double mhz : holes_mhz) seller.holes.push_back({mhz, 32768, 1000});
  return seller;
}

wire::RequestAnswer granted(const wire::Request& request, const std::string& by) {
  wire::RequestAnswer answer;
  answer.number = request.number;
  std::uint64_t number = 0;
  for (const wire::Want& one : request.wants)
    answer.grants.push_back(
        {one.vm, {NodeId(by), 1, ++number}, HostId("there"), "tcp://there:1", std::nullopt});
  return answer;
}

wire::RequestAnswer refused(const wire::Request& request, std::vector<Resources> holes = {}) {
  wire::RequestAnswer answer;
  answer.number = request.number;
  for (const wire::Want& one : request.wants)
    answer.refusals.push_back({one.vm, wire::RefusalReason::no_room});
  answer.holes = std::move(holes);
  return answer;
}

TEST_CASE("only who has a hole that fits is asked, and one that is granted is not asked again") {
  Asker asker(settings(), 1);
  asker.need(start, {want("v1", 3000)});
  const std::vector<Seller> sellers = {seller("small", {2000, 2000}), seller("fits", {4000})};
  const auto sends = asker.tick(start, sellers);
  REQUIRE(sends.size() == 1);
  CHECK(sends[0].to == NodeId("fits"));
  CHECK(sends[0].endpoint == "tcp://fits:1");
  const auto answered = asker.take(start + 1s, NodeId("fits"), granted(sends[0].request, "fits"));
  REQUIRE(answered.granted.size() == 1);
  CHECK(answered.unwanted.empty());
  CHECK(asker.counters().granted_first == 1);
  CHECK(asker.tick(start + 60s, sellers).empty());
}

TEST_CASE("choice is by chance, and tight holes are likelier, so that large ones stay large") {
  std::map<std::string, int> asked;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Asker asker(settings(), seed);
    asker.need(start, {want("v1", 1000)});
    const auto sends = asker.tick(start, {seller("tight", {1500}), seller("wide", {3000})});
    REQUIRE(sends.size() == 1);
    ++asked[sends[0].to.str()];
  }
  CHECK(asked["wide"] > 40);
  CHECK(asked["tight"] > 2 * asked["wide"]);
}

wire::Want cool(const std::string& vm, double mhz) {
  wire::Want one = want(vm, mhz);
  one.heat_max = 0.7;
  return one;
}

TEST_CASE("who looks for a cooler host asks where most room is, and the first no is the last") {
  const std::vector<Seller> sellers = {seller("tight", {1500}), seller("wide", {3000})};
  for (const bool silent : {false, true}) {
    Asker asker(settings(), 1);
    asker.need(start, {cool("v1", 1000), cool("v2", 9000)});
    const auto sends = asker.tick(start, sellers);
    REQUIRE(sends.size() == 1);
    CHECK(sends[0].to == NodeId("wide"));
    REQUIRE(sends[0].request.wants.size() == 1);
    CHECK(sends[0].request.wants[0].heat_max == doctest::Approx(0.7));
    CHECK(asker.take_declined() == std::set<VmId>{VmId("v2")});  // nobody has room for that one
    if (silent)
      asker.tick(start + 7s, sellers);
    else
      asker.take(start + 1s, NodeId("wide"), refused(sends[0].request));
    CHECK(asker.has_declined());
    CHECK(asker.take_declined() == std::set<VmId>{VmId("v1")});
    CHECK_FALSE(asker.has_declined());
    CHECK_FALSE(asker.wants_anything());
    CHECK(asker.tick(start + 60s, sellers).empty());
  }
}

TEST_CASE("two that look for a cooler host do not count on the same room") {
  Asker asker(settings(), 1);
  asker.need(start, {cool("v1", 1000), cool("v2", 1000)});
  std::map<NodeId, std::size_t> asked;
  for (const auto& send : asker.tick(start, {seller("a", {1900}), seller("b", {1800})}))
    asked[send.to] += send.request.wants.size();
  CHECK(asked == std::map<NodeId, std::size_t>{{NodeId("a"), 1}, {NodeId("b"), 1}});
}

// Those with room, and those in need but `self`.
std::vector<Seller> as_seen_by(const std::string& self, std::vector<Seller> sellers) {
  for (const std::string id : {"n1", "n2", "n3", "n4"}) {
    if (id == self) continue;
    sellers.push_back(seller(id, {}));
    sellers.back().in_need = true;
  }
  return sellers;
}

TEST_CASE("masters in need share the others out: who asks at once, asks where no other does") {
  std::vector<Seller> sellers;
  for (int i = 0; i < 40; ++i) sellers.push_back(seller("s" + std::to_string(i), {1500}));
  std::map<NodeId, int> asked;
  for (const std::string id : {"n1", "n2", "n3", "n4"}) {
    Asker asker(settings(id), 1);
    asker.need(start, {want(id + "-1", 1000), want(id + "-2", 1000), want(id + "-3", 1000)});
    for (const auto& send : asker.tick(start, as_seen_by(id, sellers))) ++asked[send.to];
  }
  CHECK(asked.size() == 12);
}

TEST_CASE(
    "what fits nowhere in the share of its master is asked for elsewhere when news are known") {
  std::size_t at_once = 0;
  for (const std::string id : {"n1", "n2", "n3", "n4"}) {
    const std::vector<Seller> sellers = as_seen_by(id, {seller("room", {1500})});
    Asker asker(settings(id), 1);
    asker.need(start, {want("v", 1000)});
    if (!asker.tick(start, sellers).empty()) {
      ++at_once;
      continue;
    }
    CHECK(asker.next_deadline() >= start + 2s);
    CHECK(asker.next_deadline() <= start + 4s);
    CHECK(asker.tick(start + 1s, sellers).empty());
    CHECK(asker.tick(start + 4s, sellers).size() == 1);
  }
  CHECK(at_once == 1);
}

TEST_CASE("who refuses is not asked again until it says something new; the next one is") {
  Asker asker(settings(), 3);
  asker.need(start, {want("v1", 1000)});
  const std::vector<Seller> sellers = {seller("a", {1500}), seller("b", {1500})};
  auto sends = asker.tick(start, sellers);
  REQUIRE(sends.size() == 1);
  const NodeId first = sends[0].to;
  asker.take(start, first, refused(sends[0].request));
  CHECK(asker.counters().refused_stale == 1);
  sends = asker.tick(start + 1s, sellers);
  REQUIRE(sends.size() == 1);
  const NodeId second = sends[0].to;
  CHECK(second != first);
  asker.take(start + 1s, second, refused(sends[0].request));
  CHECK(asker.tick(start + 7s, sellers).empty());
  // A newer summary of the first: it is asked at once.
  std::vector<Seller> newer = sellers;
  for (Seller& one : newer) {
    if (one.master == first) one.version = 2;
  }
  sends = asker.tick(start + 13s, newer);
  REQUIRE(sends.size() == 1);
  CHECK(sends[0].to == first);
}

TEST_CASE("nobody starves: what is refused everywhere is asked for again") {
  Asker asker(settings(), 4);
  asker.need(start, {want("v1", 1000)});
  const std::vector<Seller> sellers = {seller("a", {1500})};
  auto sends = asker.tick(start, sellers);
  asker.take(start, NodeId("a"), refused(sends[0].request));
  std::size_t asked_again = 0;
  for (TimePoint now = start; now < start + 4min; now += 1s)
    asked_again += asker.tick(now, sellers).size();
  CHECK(asked_again >= 1);
}

// Every answer is no. When it was asked, in seconds from the start.
std::vector<double> asked_when(Asker& asker, const wire::Want& want, Duration span,
                               const std::function<std::vector<Seller>(TimePoint)>& sellers,
                               wire::RefusalReason reason = wire::RefusalReason::no_room) {
  std::vector<double> at;
  for (TimePoint now = start; now < start + span; now += 1s) {
    // A plan every now and then, not always with this VM.
    if ((now - start) % 20s == 0s) asker.need(now, {want});
    if ((now - start) % 60s == 10s) asker.need(now, {});
    for (const auto& send : asker.tick(now, sellers(now))) {
      at.push_back(seconds_of(now - start));
      wire::RequestAnswer no = refused(send.request, {{100, 32768, 1000}});
      for (wire::Refusal& refusal : no.refusals) refusal.reason = reason;
      asker.take(now, send.to, no);
    }
  }
  return at;
}

TEST_CASE("what is refused everywhere is asked for after pauses that double up to an hour") {
  for (const bool as_swap : {false, true}) {
    CAPTURE(as_swap);
    Asker asker(settings(), 9);
    wire::Want one = want("v1", as_swap ? 5000 : 1000);
    if (as_swap) one.takes_back = Resources{2000, 8192, 100};
    // Summaries change all the time, but tell of no room for it that was not refused.
    const auto sellers = [&](TimePoint now) {
      const auto version = as_swap ? static_cast<std::uint64_t>(seconds_of(now - start)) : 1;
      return std::vector<Seller>{seller("a", {1500}, version), seller("b", {1500}, version)};
    };
    const std::vector<double> at = asked_when(asker, one, 6h, sellers);
    REQUIRE(at.size() > 8);
    CHECK(at.size() <= 2 * 10);
    CHECK(at[1] - at[0] < 10);    // the other one, at once
    CHECK(at[2] - at[1] >= 180);  // both again
    CHECK(at[4] - at[3] >= 360);
    CHECK(at[at.size() - 1] - at[at.size() - 3] <= 3700);
    CHECK(asker.pause_of(start + 6h, VmId("v1")).has_value());
  }
}

TEST_CASE("news of room that fits, or a VM that needs less, end a pause at once") {
  const auto refusing = [&](TimePoint now) {
    return std::vector<Seller>{
        seller("a", {now < start + 10min ? 900.0 : 1500.0}, now < start + 10min ? 1U : 2U),
        seller("b", {1200})};
  };
  Asker asker(settings(), 10);
  const std::vector<double> at = asked_when(asker, want("v1", 1000), 15min, refusing);
  CHECK(std::count_if(at.begin(), at.end(), [](double s) { return s >= 600 && s < 606; }) == 1);
  Asker other(settings(), 11);
  const auto one = [&](TimePoint) { return std::vector<Seller>{seller("b", {1200})}; };
  asked_when(other, want("v1", 1000), 5min, one);
  CHECK(other.tick(start + 5min, one(start)).empty());
  other.need(start + 5min, {want("v1", 500)});
  CHECK(other.tick(start + 5min, one(start)).size() == 1);
}

TEST_CASE("a quota is no want of room: it is asked again soon") {
  Asker asker(settings(), 12);
  const auto one = [&](TimePoint) { return std::vector<Seller>{seller("b", {1200})}; };
  const std::vector<double> at =
      asked_when(asker, want("v1", 1000), 5min, one, wire::RefusalReason::quota);
  CHECK(at.size() >= 5);
}

TEST_CASE("who is quiet for its start is asked again when that is over, and not forgotten") {
  Asker asker(settings(), 1);
  asker.need(start, {want("v1", 3000)});
  const std::vector<Seller> sellers{seller("m1", {8000})};
  const auto first = asker.tick(start, sellers);
  REQUIRE(first.size() == 1);
  wire::RequestAnswer answer;
  answer.number = first[0].request.number;
  answer.refusals.push_back({VmId("v1"), wire::RefusalReason::quiet, 17s});  // and no holes
  (void)asker.take(start, NodeId("m1"), answer);
  std::optional<Duration> asked_after;
  for (TimePoint now = start; now < start + 5min && !asked_after; now += 100ms) {
    if (asker.next_deadline() > now) continue;
    if (!asker.tick(now, sellers).empty()) asked_after = now - start;
  }
  REQUIRE(asked_after);
  CHECK(*asked_after >= Duration(17s));
  CHECK(*asked_after <= Duration(17s) + Duration(200ms));
}

TEST_CASE("a request without an answer is repeated, then its master is left alone") {
  Asker asker(settings(), 5);
  asker.need(start, {want("v1", 1000)});
  const std::vector<Seller> sellers = {seller("a", {1500}), seller("b", {1500})};
  const auto first = asker.tick(start, sellers);
  REQUIRE(first.size() == 1);
  const auto again = asker.tick(start + 2s, sellers);
  REQUIRE(again.size() == 1);
  CHECK(again[0].request == first[0].request);
  const auto other = asker.tick(start + 6s, sellers);
  REQUIRE(other.size() == 1);
  CHECK(other[0].to != first[0].to);
  // A grant that comes after all is given back, and so is one that nobody asked for.
  const auto late =
      asker.take(start + 7s, first[0].to, granted(first[0].request, first[0].to.str()));
  CHECK(late.granted.empty());
  CHECK(late.unwanted.size() == 1);
}

TEST_CASE("what the plan no longer names is no longer asked for, and its grant is given back") {
  Asker asker(settings(), 6);
  asker.need(start, {want("v1", 1000)});
  const auto sends = asker.tick(start, {seller("a", {1500})});
  asker.need(start + 1s, {});
  const auto answered = asker.take(start + 1s, NodeId("a"), granted(sends[0].request, "a"));
  CHECK(answered.granted.empty());
  CHECK(answered.unwanted.size() == 1);
}

TEST_CASE("several VMs are spread over what is there, and never more than fits by hearsay") {
  Asker asker(settings(), 7);
  asker.need(start, {want("v1", 1000), want("v2", 1000), want("v3", 1000), want("v4", 1000)});
  const auto sends =
      asker.tick(start, {seller("a", {1500}), seller("b", {2500}), seller("c", {900})});
  std::size_t wants = 0;
  for (const auto& send : sends) {
    CHECK(send.to != NodeId("c"));
    CHECK(send.request.wants.size() <= (send.to == NodeId("a") ? 1 : 2));
    wants += send.request.wants.size();
  }
  CHECK(wants == 3);
}

TEST_CASE("a VM that fits nowhere is offered in exchange, if its host can take something back") {
  Asker asker(settings(), 8);
  wire::Want one = want("v1", 5000);
  one.takes_back = Resources{2000, 8192, 100};
  asker.need(start, {one, want("v2", 5000)});
  const auto sends = asker.tick(start, {seller("a", {1500})});
  REQUIRE(sends.size() == 1);
  REQUIRE(sends[0].request.wants.size() == 1);
  CHECK(sends[0].request.wants[0].vm == VmId("v1"));
  CHECK(sends[0].request.wants[0].takes_back.has_value());
}

}  // namespace
}  // namespace ballast
