// What masters publish to each other: who gets it, and who does not.
#include <doctest/doctest.h>

#include <zmq.hpp>

#include "ballast/wire/codec.h"
#include "net.h"

namespace ballast::zmq {
namespace {

// Two masters, a slave, and a way to turn them all.
struct Masters {
  Masters() {
    members.admit("a", keys[0], true);
    members.admit("b", keys[1], true);
    members.admit("s", keys[2]);
    a = std::make_unique<Node>("a", members, keys[0]);
    b = std::make_unique<Node>("b", members, keys[1]);
  }
  bool both_until(const std::function<bool()>& condition) {
    return until({a.get(), b.get()}, condition);
  }
  // `a` publishes until `b` has heard one more.
  bool b_hears(const std::string& topic) {
    const std::size_t before = b->heard<wire::Gossip>();
    return both_until([&] {
      a->publish(topic, wire::Gossip{});
      return b->heard<wire::Gossip>() > before;
    });
  }
  void check_b_is_served() {
    b->subscribe(*a, {"own"});
    CHECK(b_hears("own"));
  }

  Members members;
  KeyPair keys[3] = {fresh_keys(), fresh_keys(), fresh_keys()};
  std::unique_ptr<Node> a;
  std::unique_ptr<Node> b;
};

// A bare subscriber at a's feed.
class BareSubscriber {
 public:
  BareSubscriber(const Masters& masters, const KeyPair& keys, const port::CurveKey& server_key,
                 ::zmq::socket_type type = ::zmq::socket_type::xsub)
      : socket_(context_, type) {
    socket_.set(::zmq::sockopt::linger, 0);
    socket_.set(::zmq::sockopt::curve_serverkey, ::zmq::buffer(server_key));
    socket_.set(::zmq::sockopt::curve_publickey, ::zmq::buffer(keys.open));
    socket_.set(::zmq::sockopt::curve_secretkey, ::zmq::buffer(keys.secret));
    socket_.connect(masters.a->transport->feed());
  }
  void ask(const std::string& topic) {
    (void)socket_.send(::zmq::buffer("\1" + topic), ::zmq::send_flags::dontwait);
  }
  void send(const std::string& bytes) {
    (void)socket_.send(::zmq::buffer(bytes), ::zmq::send_flags::dontwait);
  }
  bool heard() {
    ::zmq::message_t message;
    return socket_.recv(message, ::zmq::recv_flags::dontwait).has_value();
  }

 private:
  ::zmq::context_t context_;
  ::zmq::socket_t socket_;
};

// A bare publisher that others subscribe to, with these keys.
class BarePublisher {
 public:
  explicit BarePublisher(const KeyPair& keys) : socket_(context_, ::zmq::socket_type::pub) {
    socket_.set(::zmq::sockopt::linger, 0);
    socket_.set(::zmq::sockopt::curve_server, true);
    socket_.set(::zmq::sockopt::curve_secretkey, ::zmq::buffer(keys.secret));
    socket_.bind("tcp://127.0.0.1:*");
  }
  std::string endpoint() const { return socket_.get(::zmq::sockopt::last_endpoint); }
  void publish(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i)
      socket_.send(::zmq::buffer(frames[i]),
                   i + 1 < frames.size() ? ::zmq::send_flags::sndmore : ::zmq::send_flags::none);
  }

 private:
  ::zmq::context_t context_;
  ::zmq::socket_t socket_;
};

std::string gossip_of(const std::string& id, const std::string& cluster = "test") {
  return wire::encode({{cluster, NodeId(id), {1, 1}}, wire::Gossip{}});
}

}  // namespace

TEST_CASE("a master hears of another's feed the topics that it wants, and no others") {
  Masters masters;
  masters.b->subscribe(*masters.a, {"own"});
  REQUIRE(masters.b_hears("own"));
  CHECK(masters.b->delivered[0].from == NodeId("a"));
  CHECK(masters.b->feed_ups == 1);
  CHECK(masters.a->transport->subscribers() == 1);
  CHECK(masters.b->transport->feeds() == 1);

  // Each is sent in turn with one that is wanted, so what was not wanted would have come before.
  masters.b->delivered.clear();
  for (int i = 0; i < 5; ++i) {
    masters.a->publish("again", wire::Gossip{{}, {{1, 1, 1}}});
    masters.a->publish("own", wire::Gossip{});
  }
  CHECK(masters.both_until([&] { return masters.b->heard<wire::Gossip>() >= 5; }));
  for (const auto& one : masters.b->delivered)
    CHECK(std::get<wire::Gossip>(one.message.body).digest.empty());

  masters.b->subscribe(*masters.a, {"again"});
  CHECK(masters.b_hears("again"));
  CHECK(masters.b->feed_ups == 1);
}

TEST_CASE("a feed that was left is silent, and leaving it is no break") {
  Masters masters;
  masters.check_b_is_served();
  masters.b->subscribe(*masters.a, {});
  CHECK(masters.b->transport->feeds() == 0);
  CHECK(masters.both_until([&] {
    masters.a->publish("own", wire::Gossip{});
    return masters.a->transport->subscribers() == 0;
  }));
  CHECK(masters.b->feed_downs == 0);
}

TEST_CASE("when a publisher restarts, the feed breaks and comes back by itself") {
  Masters masters;
  masters.check_b_is_served();
  const std::string feed = masters.a->transport->feed();
  masters.a->transport.reset();
  CHECK(until({masters.b.get()}, [&] { return masters.b->feed_downs == 1; }));
  auto again = ZmqTransport::open(
      {.cluster = "test", .bind = "tcp://127.0.0.1:*", .bind_feed = feed}, masters.a->trust.get());
  REQUIRE_MESSAGE(again.ok(), again.error().message);
  masters.a->transport = std::move(again).value();
  CHECK(masters.both_until([&] { return masters.b->feed_ups == 2; }));
  CHECK(masters.b_hears("own"));
}

TEST_CASE("without security feeds work as well") {
  Node a("a");
  Node b("b");
  b.subscribe(a, {"own"});
  CHECK(until({&a, &b}, [&] {
    a.publish("own", wire::Gossip{});
    return b.heard<wire::Gossip>() > 0;
  }));
}

TEST_CASE("only a Gossip on a topic that there is gets published") {
  Masters masters;
  masters.a->publish("own", wire::Report{});
  masters.a->publish("nonsense", wire::Gossip{});
  CHECK(masters.a->counters().bad_publication == 2);
  CHECK(masters.a->counters().published == 0);
}

TEST_CASE("a slave may not subscribe, nor a stranger, nor one that expects another's key") {
  Masters masters;
  BareSubscriber slave(masters, masters.keys[2], masters.keys[0].open);
  BareSubscriber stranger(masters, fresh_keys(), masters.keys[0].open);
  BareSubscriber misled(masters, masters.keys[1], fresh_keys().open);
  for (BareSubscriber* one : {&slave, &stranger, &misled}) one->ask("own");
  CHECK(masters.both_until([&] {
    const TransportCounters& counters = masters.a->counters();
    return counters.refused_subscribers > 0 && counters.refused_keys > 0 &&
           counters.failed_handshakes > 2;
  }));
  masters.check_b_is_served();
  CHECK_FALSE(slave.heard());
  CHECK_FALSE(stranger.heard());
  CHECK_FALSE(misled.heard());
  CHECK(masters.a->transport->subscribers() == 1);
}

TEST_CASE("a node does not follow the feed of one that is no trusted master") {
  Masters masters;
  Node slave("s", masters.members, masters.keys[2]);
  masters.a->subscribe(slave, {"own"});
  CHECK(masters.a->counters().not_master == 1);
  masters.a->transport->subscribe({NodeId("nobody"), slave.transport->feed(), {"own"}});
  CHECK(masters.a->counters().no_key == 1);
  masters.a->transport->subscribe({NodeId("b"), "ipc:///tmp/x", {"own"}});
  CHECK(masters.a->counters().bad_endpoint == 1);
  CHECK(masters.a->transport->feeds() == 0);
}

TEST_CASE("another's server at a master's address is not believed") {
  Masters masters;
  BarePublisher impostor(fresh_keys());
  masters.b->transport->subscribe({NodeId("a"), impostor.endpoint(), {"own"}});
  for (int i = 0; i < 100; ++i) impostor.publish({"own", gossip_of("a")});
  masters.check_b_is_served();
  for (const auto& one : masters.b->delivered) CHECK(one.from == NodeId("a"));
}

TEST_CASE("of a trusted master's feed only its own Gossip counts, whatever else it sends") {
  Masters masters;
  masters.a->transport.reset();
  BarePublisher liar(masters.keys[0]);
  masters.b->transport->subscribe({NodeId("a"), liar.endpoint(), {"own"}});
  const TransportCounters& counters = masters.b->counters();
  CHECK(until({masters.b.get()}, [&] {
    liar.publish({"own", gossip_of("a")});
    return masters.b->heard<wire::Gossip>() > 0;
  }));
  liar.publish({"own", gossip_of("b")});
  liar.publish({"own", gossip_of("a", "other")});
  liar.publish({"own", "garbage"});
  liar.publish({"own"});
  liar.publish({"own", gossip_of("a"), gossip_of("a")});
  liar.publish({"own", wire::encode({{"test", NodeId("a"), {1, 1}}, wire::Order{}})});
  liar.publish({"own", wire::encode({{"test", NodeId("a"), {1, 1}}, wire::ReportAck{{1, 1}, 1}})});
  CHECK(until({masters.b.get()}, [&] { return counters.not_gossip >= 1; }));
  CHECK(counters.impostor == 1);
  CHECK(counters.wrong_cluster == 1);
  CHECK(counters.undecodable == 2);  // "garbage", and an Order without a lease
  CHECK(counters.extra_frames == 2);
  liar.publish({"own", std::string(limits::message_bytes_max + 1, 'x')});
  CHECK(until({masters.b.get()}, [&] { return masters.b->feed_downs > 0; }));
  for (const auto& one : masters.b->delivered)
    CHECK(std::holds_alternative<wire::Gossip>(one.message.body));
}

TEST_CASE("a master that asks for what is not published is cut off") {
  for (const std::string& topic : {std::string("secrets"), std::string(), std::string(200, 'o')}) {
    CAPTURE(topic);
    Masters masters;
    BareSubscriber greedy(masters, masters.keys[1], masters.keys[0].open);
    greedy.ask(topic);
    CHECK(masters.both_until([&] { return masters.a->counters().unknown_topic > 0; }));
    masters.check_b_is_served();
  }
}

TEST_CASE("a master that subscribes without end is cut off, and others are served") {
  Masters masters;
  BareSubscriber endless(masters, masters.keys[1], masters.keys[0].open);
  CHECK(masters.both_until([&] {
    for (int i = 0; i < 50; ++i)
      endless.send(i % 2 == 0 ? std::string("\1own") : std::string("\0own", 4));
    return masters.a->counters().subscriptions_too_many > 0;
  }));
  masters.check_b_is_served();
}

TEST_CASE("a giant subscription ends its connection") {
  Masters masters;
  BareSubscriber giant(masters, masters.keys[1], masters.keys[0].open);
  giant.ask("own");
  CHECK(masters.both_until([&] { return masters.a->transport->subscribers() == 1; }));
  giant.ask(std::string(100'000, 'x'));
  CHECK(masters.both_until([&] { return masters.a->transport->subscribers() == 0; }));
  masters.check_b_is_served();
}

TEST_CASE("one master holds a bounded number of connections to a feed") {
  Masters masters;
  std::vector<std::unique_ptr<BareSubscriber>> many;
  for (int i = 0; i < 10; ++i) {
    many.push_back(
        std::make_unique<BareSubscriber>(masters, masters.keys[1], masters.keys[0].open));
    many.back()->ask("own");
  }
  CHECK(masters.both_until([&] { return masters.a->counters().subscribers_too_many > 0; }));
  CHECK(masters.a->transport->subscribers() <= 4);
}

TEST_CASE(
    "a subscriber whose key is revoked hears no more within a second or so, nor one that is "
    "no longer master") {
  for (const bool revoked : {true, false}) {
    CAPTURE(revoked);
    Masters masters;
    BareSubscriber subscriber(masters, masters.keys[1], masters.keys[0].open);
    subscriber.ask("own");
    CHECK(until({masters.a.get()}, [&] {
      masters.a->publish("own", wire::Gossip{});
      return subscriber.heard();
    }));
    if (revoked) {
      masters.members.revoke("b");
    } else {
      masters.members.masters.pop_back();
    }
    CHECK(until({masters.a.get()}, [&] { return masters.a->counters().cut_connections == 1; }));
    CHECK(masters.a->transport->subscribers() == 0);
    // It tries again, in vain.
    CHECK(until({masters.a.get()}, [&] {
      return masters.a->counters().refused_keys + masters.a->counters().refused_subscribers > 0;
    }));
  }
}

TEST_CASE("a feed of a master whose key is revoked is left, and that counts as broken") {
  Masters masters;
  masters.check_b_is_served();
  masters.members.revoke("a");
  CHECK(until({masters.b.get()}, [&] { return masters.b->feed_downs == 1; }));
  CHECK(masters.b->transport->feeds() == 0);
}

TEST_CASE("a feed that refused us at first is connected once we are trusted") {
  Masters masters;
  const KeyPair late_keys = fresh_keys();
  Members known_to_late = masters.members;
  known_to_late.admit("l", late_keys, true);
  Node late("l", known_to_late, late_keys);
  late.subscribe(*masters.a, {"own"});
  CHECK(until({&late, masters.a.get()}, [&] { return late.counters().refused_by_peer > 0; }));
  masters.members.admit("l", late_keys, true);
  CHECK(until({&late, masters.a.get()}, [&] {
    masters.a->publish("own", wire::Gossip{});
    return late.heard<wire::Gossip>() > 0;
  }));
}

}  // namespace ballast::zmq
