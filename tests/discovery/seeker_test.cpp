// One node that looks for a master, told by hand what it hears.
#include "ballast/discovery/seeker.h"

#include <doctest/doctest.h>

#include <map>

#include "ballast/discovery/second_master.h"

namespace ballast::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const wire::BeaconAddress from{0x0A000001, 7720};

wire::Peer peer(const std::string& id) {
  return {NodeId(id), "tcp://" + id + ":7720", "tcp://" + id + ":7721"};
}

// A seeker and the time.
struct Desk {
  explicit Desk(bool may_lead = false, std::uint64_t seed = 1, const std::string& id = "s")
      : seeker({.self = NodeId(id), .may_lead = may_lead}, seed) {
    seeker.start(now);
  }
  // Lets time pass, tick by tick; keeps what comes out.
  void pass(Duration span) {
    const TimePoint end = now + span;
    while (seeker.next_deadline() <= end) {
      now = std::max(now, seeker.next_deadline());
      seeker.tick(now);
      collect();
    }
    now = end;
  }
  // Up to its next call.
  void pass_to_seek() {
    for (const std::size_t before = seeks.size(); seeks.size() == before;)
      pass(seeker.next_deadline() - now);
  }
  void collect() {
    const Effects effects = seeker.take_effects();
    for (const wire::BeaconSend& send : effects.sends)
      seeks.push_back(std::get<wire::Seek>(send.body));
    if (effects.attach_to) attach_to = effects.attach_to;
    lead = lead || effects.lead;
  }
  void offer(const std::string& master, std::uint16_t free = 1) {
    REQUIRE_FALSE(seeks.empty());
    seeker.take(
        now,
        {from, wire::Offer{seeks.back().seeker, seeks.back().nonce, peer(master), free, 0, {}}});
    collect();
  }
  void hear_seek(const std::string& id, wire::Wanted wants) {
    seeker.take(now, {from, wire::Seek{NodeId(id), {}, wants}});
  }

  TimePoint now{seconds(100)};
  Seeker seeker;
  std::vector<wire::Seek> seeks;
  std::optional<PeerAddress> attach_to;
  bool lead = false;
};

}  // namespace

TEST_CASE("a seeker calls about once a second, each time with another nonce, to everybody") {
  Desk desk;
  desk.pass(seconds(10));
  CHECK(desk.seeks.size() >= 9);
  CHECK(desk.seeks.size() <= 11);
  std::map<wire::Nonce, int> nonces;
  for (const wire::Seek& seek : desk.seeks) ++nonces[seek.nonce];
  CHECK(nonces.size() == desk.seeks.size());
  CHECK(desk.seeks[0].seeker == NodeId("s"));
  CHECK(desk.seeks[0].wants == wire::Wanted::group);
  CHECK_FALSE(desk.lead);
}

TEST_CASE("it gathers offers for a second after the first, then goes to one of them") {
  Desk desk;
  desk.pass(seconds(1));
  desk.offer("a");
  desk.pass(milliseconds(900));
  desk.offer("b");
  CHECK_FALSE(desk.attach_to.has_value());
  desk.pass(milliseconds(100));
  REQUIRE(desk.attach_to.has_value());
  CHECK(desk.attach_to->endpoint == "tcp://" + desk.attach_to->id.str() + ":7720");
  const std::size_t seeks = desk.seeks.size();
  desk.seeker.stop();
  desk.pass(seconds(60));
  CHECK(desk.seeks.size() == seeks);
}

TEST_CASE("masters with more free places, and nearer ones, are chosen more often") {
  std::map<std::string, int> chosen;
  constexpr int rounds = 2'000;
  for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
    Desk desk(false, seed);
    desk.pass_to_seek();
    desk.offer("large", 30);
    desk.offer("small", 10);
    desk.pass(milliseconds(190));  // some 0.2 s: a round trip of another continent
    desk.offer("far", 30);
    desk.pass(seconds(2));
    REQUIRE(desk.attach_to.has_value());
    ++chosen[desk.attach_to->id.str()];
  }
  CHECK(chosen["large"] > 2 * chosen["small"]);
  CHECK(chosen["small"] > 2 * chosen["far"]);
  CHECK(chosen["far"] > 0);
}

TEST_CASE("one that refuses or is silent is avoided for a while, and the next is tried at once") {
  Desk desk;
  desk.pass(seconds(1));
  desk.offer("a");
  desk.offer("b");
  desk.pass(seconds(1));
  const NodeId first = desk.attach_to->id;
  desk.attach_to.reset();
  desk.seeker.refused(desk.now, first);
  desk.collect();
  REQUIRE(desk.attach_to.has_value());
  const NodeId second = desk.attach_to->id;
  CHECK(second != first);
  desk.attach_to.reset();
  desk.pass(seconds(6));  // the second is silent
  CHECK_FALSE(desk.attach_to.has_value());
  desk.offer(first.str());
  desk.offer(second.str());
  desk.pass(seconds(3));
  CHECK_FALSE(desk.attach_to.has_value());
  CHECK(desk.seeker.counters().avoided == 2);
  desk.pass(seconds(30));
  desk.offer(second.str());
  desk.pass(seconds(2));
  REQUIRE(desk.attach_to.has_value());
  CHECK(desk.attach_to->id == second);
}

TEST_CASE("offers to another, of an old seek, or with a nonce of nobody are passed over") {
  Desk desk;
  desk.pass(seconds(1));
  const wire::Seek first = desk.seeks.front();
  const wire::Offer good{NodeId("s"), first.nonce, peer("m"), 1, 0, {}};
  wire::Offer other = good;
  other.seeker = NodeId("t");
  desk.seeker.take(desk.now, {from, other});
  other = good;
  other.nonce[0] ^= 1;
  desk.seeker.take(desk.now, {from, other});
  desk.pass(seconds(10));
  desk.seeker.take(desk.now, {from, good});
  desk.pass(seconds(5));
  CHECK_FALSE(desk.attach_to.has_value());
  CHECK(desk.seeker.counters().not_asked_for == 3);
}

TEST_CASE("one that may lead does so after 3 to 10 s in which nobody has offered") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Desk desk(true, seed);
    desk.pass(milliseconds(2'999));
    CHECK_FALSE(desk.lead);
    CHECK(desk.seeks[0].wants == wire::Wanted::group_or_lead);
    desk.pass(milliseconds(7'002));
    CHECK_MESSAGE(desk.lead, "seed ", seed);
    CHECK(desk.seeker.is_idle());
  }
}

TEST_CASE("an offer keeps it from leading, until all have refused or been silent") {
  Desk desk(true);
  desk.pass(seconds(2));
  desk.offer("m");
  desk.pass(seconds(1));
  REQUIRE(desk.attach_to.has_value());
  desk.pass(seconds(5) + milliseconds(2'990));
  CHECK_FALSE(desk.lead);
  desk.pass(seconds(8));
  CHECK(desk.lead);
}

TEST_CASE("it gives way to a lower id that looks as well, but not for ever") {
  Desk desk(true);
  for (int second = 0; second < 12; ++second) {
    desk.hear_seek("a", wire::Wanted::group_or_lead);
    desk.pass(seconds(1));
  }
  CHECK_FALSE(desk.lead);
  for (int second = 12; second < 41 && !desk.lead; ++second) {
    desk.hear_seek("a", wire::Wanted::group_or_lead);
    desk.pass(seconds(1));
  }
  CHECK(desk.lead);
  CHECK(desk.seeker.counters().gave_way == 3);
}

TEST_CASE("it gives way neither to higher ids, nor to those that never lead, nor to the silent") {
  Desk desk(true);
  desk.hear_seek("a", wire::Wanted::group_or_lead);  // and then never again
  for (int second = 0; second < 11; ++second) {
    desk.hear_seek("z", wire::Wanted::group_or_lead);
    desk.hear_seek("b", wire::Wanted::group);
    desk.hear_seek("b", wire::Wanted::masters);
    desk.pass(seconds(1));
  }
  CHECK(desk.seeker.counters().gave_way <= 1);
  desk.pass(seconds(10));
  CHECK(desk.lead);
}

TEST_CASE("a lone master makes the lowest suitable slave a second, not too early, not too often") {
  const std::vector<PromotionCandidate> slaves = {{NodeId("e"), true, true, false},
                                                  {NodeId("d"), true, true, false},
                                                  {NodeId("c"), true, true, true},
                                                  {NodeId("b"), true, false, false},
                                                  {NodeId("a"), false, true, false}};
  const TimePoint start{seconds(100)};
  MasterCount count;
  count.short_since = start;
  CHECK_FALSE(slave_to_promote(start + milliseconds(9'999), count, slaves).has_value());
  CHECK(slave_to_promote(start + seconds(10), count, slaves) == NodeId("d"));
  CHECK_FALSE(slave_to_promote(start + seconds(10), count, {}).has_value());
  count.promoted_at = start + seconds(10);
  CHECK(next_promotion(count) == start + seconds(40));
  CHECK_FALSE(slave_to_promote(start + seconds(39), count, slaves).has_value());
  count.other_masters = 1;
  CHECK(next_promotion(count) == time_never);
  CHECK_FALSE(slave_to_promote(start + seconds(999), count, slaves).has_value());
}

}  // namespace ballast::discovery
