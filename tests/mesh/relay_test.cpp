// One master and one peer of it: what is relayed when, and what is asked for.

#include <doctest/doctest.h>

#include "network.h"

using namespace ballast;
using namespace ballast::mesh;
using namespace ballast::mesh::testing;

namespace {

wire::ItemPtr item_of(const wire::Peer& origin) {
  wire::Summary summary;
  summary.self = origin;
  return wire::make_item(1, 1, summary, HashSigner(origin.id));
}

struct Pair {
  Pair() : signer(self.id), mesh(now, Settings{}, self, 1, 42, signer) {
    mesh.take(now, peer.id, wire::Neighbor{peer, true, false});
    round();
  }
  Effects round() {
    now += std::chrono::seconds(1);
    mesh.tick(now);
    return mesh.take_effects();
  }
  TimePoint now{};
  wire::Peer self{NodeId("a"), "tcp://a:1", "tcp://a:2"};
  wire::Peer peer{NodeId("b"), "tcp://b:1", "tcp://b:2"};
  wire::Peer third{NodeId("c"), "tcp://c:1", "tcp://c:2"};
  HashSigner signer;
  Mesh mesh;
};

std::size_t items_on(const Effects& effects, Topic topic) {
  std::size_t count = 0;
  for (const Publication& publication : effects.publications)
    if (publication.topic == topic) count += publication.gossip.items.size();
  return count;
}

std::size_t pulled_in(const Effects& effects) {
  std::size_t count = 0;
  for (const Direct& direct : effects.directs)
    if (const auto* pull = std::get_if<wire::Pull>(&direct.body)) count += pull->lacking.size();
  return count;
}

}  // namespace

TEST_CASE("what is new is relayed on the next tick and on the one after, then no more") {
  Pair pair;
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{item_of(pair.third)}, {}});
  const Effects first = pair.round();
  CHECK(items_on(first, Topic::first) == 1);
  CHECK(items_on(first, Topic::again) == 0);
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{item_of(pair.third)}, {}});  // a copy
  const Effects again = pair.round();
  CHECK(items_on(again, Topic::first) == 0);
  CHECK(items_on(again, Topic::again) == 1);
  const Effects after = pair.round();
  CHECK(items_on(after, Topic::first) + items_on(after, Topic::again) == 0);
}

TEST_CASE("each tick shows a sign of life to all peers") {
  Pair pair;
  const Effects effects = pair.round();
  REQUIRE(effects.publications.size() == 1);
  CHECK(effects.publications[0].topic == Topic::own);
}

TEST_CASE(
    "what a digest tells of is pulled when no relay brings it, and asked for until it comes") {
  Pair pair;
  const wire::ItemPtr item = item_of(pair.third);
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{}, {{item->key, 1, 1}}});
  std::size_t asked = 0;
  for (int i = 0; i < 3; ++i) asked += pulled_in(pair.round());
  CHECK(asked >= 2);
  pair.mesh.take(pair.now, pair.peer.id, wire::Pulled{{item}});
  CHECK(pair.mesh.find(pair.third.id) != nullptr);
  CHECK(pair.mesh.counters().items_pulled == 1);
  CHECK(pulled_in(pair.round()) == 0);
}

TEST_CASE("what a digest tells of is not pulled when it is known, or a relay brings it in time") {
  Pair pair;
  const wire::ItemPtr item = item_of(pair.third);
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{}, {{item->key, 1, 1}}});
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{item}, {}});
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{}, {{item->key, 1, 1}}});
  std::size_t asked = 0;
  for (int i = 0; i < 3; ++i) asked += pulled_in(pair.round());
  CHECK(asked == 0);
}

TEST_CASE("a peer that is silent is asked after, then given up and its feed left") {
  Pair pair;
  std::size_t asked = 0;
  bool left = false;
  for (int i = 0; i < 8; ++i) {
    const Effects effects = pair.round();
    for (const Direct& direct : effects.directs)
      asked += std::holds_alternative<wire::Neighbor>(direct.body) ? 1U : 0U;
    for (const Subscription& one : effects.subscriptions) left |= one.topics.none();
  }
  CHECK(asked >= 2);
  CHECK(left);
  CHECK(pair.mesh.active_peers().empty());
  CHECK(pair.mesh.counters().links_broken == 1);
}

TEST_CASE("a signed item of its own past moves a master beyond it at once, however far it is") {
  Pair pair;
  pair.mesh.publish(pair.now, {});
  pair.round();
  wire::Summary summary;
  summary.self = pair.self;
  const wire::ItemPtr past = wire::make_item(1U << 20U, 70'000, summary, pair.signer);
  pair.mesh.take(pair.now, pair.peer.id, wire::Gossip{{past}, {}});
  pair.round();
  CHECK(pair.mesh.incarnation() == 1U << 20U);
  CHECK(pair.mesh.version() == 70'001);
  wire::Item forged = *wire::make_item(1U << 21U, 1, summary, pair.signer);
  forged.signature[0] ^= 1U;
  pair.mesh.take(pair.now, pair.peer.id,
                 wire::Gossip{{std::make_shared<const wire::Item>(forged)}, {}});
  CHECK(pair.mesh.incarnation() == 1U << 20U);
}
