// Masters that lie, flood, forge and send junk: counted, bounded, without harm to others. All of
// them hold a key that is trusted; others do not get past the transport.

#include <doctest/doctest.h>

#include "ballast/base/limits.h"
#include "network.h"

using namespace ballast;
using namespace ballast::mesh;
using namespace ballast::mesh::testing;

namespace {

wire::Peer stranger(std::size_t i) {
  const std::string name = "s" + std::to_string(i);
  return {NodeId(name), "tcp://" + name + ":1", "tcp://" + name + ":2"};
}

wire::ItemPtr item_of(const wire::Peer& origin, std::uint64_t incarnation, std::uint64_t version) {
  wire::Summary summary;
  summary.self = origin;
  return wire::make_item(incarnation, version, summary, HashSigner(origin.id));
}

// A master with one peer, "s1".
struct Victim {
  Victim() : signer(self.id), mesh(now, Settings{}, self, 1, 42, signer) {
    mesh.publish(now, {});
    mesh.take(now, peer.id, wire::Neighbor{peer, true, false});
    rounds(3);
    mesh.take_effects();
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      now += std::chrono::seconds(1);
      mesh.take(now, peer.id, wire::Gossip{});
      mesh.tick(now);
    }
  }
  TimePoint now{};
  wire::Peer self{NodeId("victim"), "tcp://v:1", "tcp://v:2"};
  wire::Peer peer = stranger(1);
  HashSigner signer;
  Mesh mesh;
};

std::size_t items_in(const Effects& effects) {
  std::size_t count = 0;
  for (const Direct& direct : effects.directs)
    if (const auto* pulled = std::get_if<wire::Pulled>(&direct.body)) count += pulled->items.size();
  return count;
}

}  // namespace

TEST_CASE("a flood of Neighbors fills no view beyond its bound and is not answered in kind") {
  Victim v;
  for (std::size_t i = 2; i < 10'000; ++i)
    v.mesh.take(v.now, stranger(i).id, wire::Neighbor{stranger(i), true, true});
  const Effects effects = v.mesh.take_effects();
  CHECK(v.mesh.active_peers().size() <= limits::peers_active_max);
  CHECK(v.mesh.passive_peers().size() <= limits::peers_passive_max);
  CHECK(effects.directs.size() <= 4 * limits::strangers_heard_max);
  CHECK(v.mesh.counters().over_rate >= 9000);
}

TEST_CASE("one stranger that is loud does not speak for the others") {
  Victim v;
  for (int i = 0; i < 1000; ++i)
    v.mesh.take(v.now, stranger(2).id, wire::Neighbor{stranger(2), false, false});
  v.mesh.take_effects();
  v.mesh.take(v.now, stranger(3).id, wire::Neighbor{stranger(3), false, false});
  const Effects effects = v.mesh.take_effects();
  REQUIRE(effects.directs.size() == 1);
  CHECK(effects.directs[0].to == stranger(3).id);
}

TEST_CASE("a pause whose number is out of reach is nobody's word, and is not passed on") {
  Victim v;
  const auto says = [&](const wire::Peer& who, std::uint64_t version, std::uint64_t stamp,
                        bool paused) {
    wire::Summary summary;
    summary.self = who;
    summary.pause_stamp = stamp;
    summary.paused = paused;
    v.mesh.take(v.now, v.peer.id,
                wire::Gossip{{wire::make_item(1, version, summary, HashSigner(who.id))}, {}});
  };
  for (const std::uint64_t stamp :
       {UINT64_MAX, UINT64_MAX - 1, std::uint64_t{1} << 40U, std::uint64_t{1025}}) {
    static std::uint64_t version = 1;
    says(stranger(2), ++version, stamp, true);
    CHECK(v.mesh.pause() == Pause{0, false});
    v.rounds(1);
  }
  CHECK(v.mesh.counters().pauses_refused == 4);
  says(stranger(3), 1, 5, true);
  CHECK(v.mesh.pause() == Pause{5, true});
  // One who comes when much has been said believes two who say nearly the same.
  Victim late;
  std::swap(late.mesh, v.mesh);
  says(stranger(4), 1, 70'000, true);
  CHECK(v.mesh.pause() == Pause{0, false});
  v.rounds(1);
  says(stranger(5), 1, 70'001, false);
  CHECK(v.mesh.pause() == Pause{70'001, false});
  // Two at the top of the range are none either.
  says(stranger(6), 1, UINT64_MAX, true);
  v.rounds(1);
  says(stranger(7), 1, UINT64_MAX, true);
  CHECK(v.mesh.pause() == Pause{70'001, false});
}

TEST_CASE("nobody speaks for another") {
  Victim v;
  const std::size_t before = v.mesh.active_peers().size();
  v.mesh.take(v.now, NodeId("s2"), wire::Neighbor{stranger(3), true, false});
  v.mesh.take(v.now, NodeId("s2"), wire::NeighborAnswer{stranger(3), true, {}});
  CHECK(v.mesh.active_peers().size() == before);
  CHECK(v.mesh.counters().liars == 2);
  CHECK(v.mesh.take_effects().directs.empty());
}

TEST_CASE("who is no peer is not listened to") {
  Victim v;
  const wire::ItemPtr item = item_of(stranger(9), 1, 1);
  v.mesh.take(v.now, NodeId("s2"), wire::Gossip{{item}, {{1, 1, 1}}});
  v.mesh.take(v.now, NodeId("s2"), wire::Pulled{{item}});
  v.mesh.take(v.now, NodeId("s2"), wire::Pull{{{wire::key_of(v.self.id), 0, 0}}});
  v.mesh.take(v.now, NodeId("s2"), wire::Disconnect{});
  v.mesh.take(v.now, NodeId("s2"), wire::Shuffle{stranger(2), {stranger(5)}});
  CHECK(v.mesh.kept().empty());
  CHECK(v.mesh.counters().strangers == 5);
  CHECK(v.mesh.take_effects().directs.empty());
}

TEST_CASE("an answer that was not asked for makes no link, and its sender is told so") {
  Victim v;
  v.mesh.take(v.now, NodeId("s2"), wire::NeighborAnswer{stranger(2), true, {stranger(3)}});
  CHECK(v.mesh.active_peers().size() == 1);
  const Effects effects = v.mesh.take_effects();
  REQUIRE(effects.directs.size() == 1);
  CHECK(std::holds_alternative<wire::Disconnect>(effects.directs[0].body));
}

TEST_CASE("forged items are not kept, not relayed, and only so many are looked at") {
  Victim v;
  wire::Gossip gossip;
  for (std::size_t i = 10; i < 110; ++i) {
    wire::Item forged = *item_of(stranger(i), 1, 1);
    forged.signature[5] ^= 1U;
    gossip.items.push_back(std::make_shared<const wire::Item>(forged));
  }
  v.mesh.take(v.now, v.peer.id, gossip);
  CHECK(v.mesh.kept().empty());
  CHECK(v.mesh.counters().signatures_bad == limits::bad_signatures_max);
  CHECK(v.mesh.counters().over_rate == 100 - limits::bad_signatures_max);
  v.rounds(2);
  for (const Publication& publication : v.mesh.take_effects().publications)
    CHECK(publication.topic == Topic::own);
}

TEST_CASE("versions that no honest master reaches are refused") {
  Victim v;
  v.mesh.take(v.now, v.peer.id, wire::Gossip{{item_of(stranger(9), 1, 1ULL << 40U)}, {}});
  v.mesh.take(v.now, v.peer.id, wire::Gossip{{item_of(stranger(9), 1ULL << 33U, 1)}, {}});
  CHECK(v.mesh.kept().empty());
  CHECK(v.mesh.counters().over_range == 2);
}

TEST_CASE("hearsay of its own future moves a master little, and seldom") {
  Victim v;
  const std::uint64_t key = wire::key_of(v.self.id);
  v.mesh.take(v.now, v.peer.id, wire::Gossip{{}, {{key, 1ULL << 30U, 1}}});
  CHECK(v.mesh.incarnation() == 1);
  for (int i = 0; i < 20; ++i)
    v.mesh.take(v.now, v.peer.id, wire::Gossip{{}, {{key, v.mesh.incarnation() + 1, 9}}});
  CHECK(v.mesh.incarnation() == 2);
  v.rounds(1);
  CHECK(v.mesh.version() == 10);
}

TEST_CASE("junk digests fill no more than their share of what is wanted") {
  Victim v;
  Random random(3);
  wire::Gossip gossip;
  for (std::size_t i = 0; i < limits::digest_entries_max; ++i)
    gossip.digest.push_back({random.next(), 1, 1});
  for (int i = 0; i < 5; ++i) v.mesh.take(v.now, v.peer.id, gossip);
  CHECK(v.mesh.counters().wanted_dropped >=
        5 * limits::digest_entries_max - limits::wanted_per_peer_max);
  v.rounds(3);
  std::size_t asked = 0;
  for (const Direct& direct : v.mesh.take_effects().directs)
    if (const auto* pull = std::get_if<wire::Pull>(&direct.body)) asked += pull->lacking.size();
  CHECK(asked > 0);
  CHECK(asked <= 3 * limits::wanted_per_peer_max);
}

TEST_CASE("a peer that pulls without end gets no more than one interval's worth") {
  Victim v;
  wire::Gossip gossip;
  for (std::size_t i = 10; i < 110; ++i) gossip.items.push_back(item_of(stranger(i), 1, 1));
  v.mesh.take(v.now, v.peer.id, gossip);
  REQUIRE(v.mesh.kept().size() == 100);
  v.mesh.take_effects();
  wire::Pull pull;
  for (const wire::ItemPtr& item : gossip.items) pull.lacking.push_back({item->key, 0, 0});
  for (int i = 0; i < 1000; ++i) v.mesh.take(v.now, v.peer.id, pull);
  CHECK(items_in(v.mesh.take_effects()) <= limits::served_items_max);
  CHECK(v.mesh.counters().over_rate > 900);
}

TEST_CASE("the picture is sent to a peer once, however often it asks") {
  Victim v;
  for (int i = 0; i < 20; ++i) v.mesh.take(v.now, v.peer.id, wire::Neighbor{v.peer, false, true});
  CHECK(items_in(v.mesh.take_effects()) == 1);  // our own is all there is
}

TEST_CASE("shuffles full of junk leave the links alone, and the junk leaves in time") {
  Victim v;
  for (int round = 0; round < 20; ++round) {
    wire::Shuffle shuffle{v.peer, {}};
    for (std::size_t i = 0; i < limits::peers_told_max; ++i)
      shuffle.others.push_back(stranger(1000 + static_cast<std::size_t>(round) * 100 + i));
    v.mesh.take(v.now, v.peer.id, shuffle);
    v.mesh.take(v.now, v.peer.id, shuffle);  // the second one in an interval is not heard
    v.rounds(1);
    CHECK(v.mesh.passive_peers().size() <= limits::peers_passive_max);
  }
  CHECK(v.mesh.active_peers().size() == 1);
  CHECK(v.mesh.counters().strangers >= 20);
  v.mesh.take_effects();
  v.rounds(120);
  CHECK(v.mesh.passive_peers().empty());
  CHECK(v.mesh.take_effects().directs.size() < 120 * 16);
}

TEST_CASE("an urgent asker cannot turn over a view that is full") {
  Victim v;
  for (std::size_t i = 2; i <= limits::peers_active_max; ++i)
    v.mesh.take(v.now, stranger(i).id, wire::Neighbor{stranger(i), false, false});
  REQUIRE(v.mesh.active_peers().size() == limits::peers_active_max);
  for (std::size_t i = 100; i < 140; ++i)
    v.mesh.take(v.now, stranger(i).id, wire::Neighbor{stranger(i), true, false});
  std::size_t left = 0;
  for (const NodeId& id : v.mesh.active_peers())
    for (std::size_t i = 1; i <= limits::peers_active_max; ++i) left += id == stranger(i).id;
  CHECK(left >= limits::peers_active_max - 1);
}

TEST_CASE("no more than the 256 most useful of a thousand summaries are kept, in little memory") {
  Victim v;
  for (std::size_t page = 0; page < 100; ++page) {
    wire::Gossip gossip;
    for (std::size_t i = 0; i < 10; ++i) {
      wire::Summary summary;
      summary.self = stranger(1000 + page * 10 + i);
      const bool rich = page % 10 == 3;  // 100 of them have room
      if (rich) summary.spare = {1e6, 1e6, 1e4};
      gossip.items.push_back(wire::make_item(1, 1, summary, HashSigner(summary.self.id)));
    }
    v.mesh.take(v.now, v.peer.id, gossip);
    v.rounds(1);
  }
  CHECK(v.mesh.masters() == 1001);
  CHECK(v.mesh.kept().size() == limits::summaries_kept_max);
  std::size_t rich = 0;
  for (const Kept& kept : v.mesh.kept()) {
    rich += kept.item->summary.spare.cpu_mhz > 0;
    CHECK(v.mesh.find(kept.item->origin()) == &kept);
  }
  CHECK(rich == 100);
}
