// Keys that nobody knows: they may show a certificate, or ask to be taken in, and nothing else.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "ballast/base/random.h"
#include "ballast/wire/codec.h"
#include "ballast/zmq/join.h"
#include "net.h"
#include "samples.h"

namespace ballast::zmq {
namespace {

// A master of a fleet whose key certifies its nodes; it knows itself alone.
struct Fleet {
  Fleet() {
    known.admit("m", master_keys, true);
    master = std::make_unique<Node>("m", known, master_keys);
    master->trust->take_strangers(known, certificate_of("m", master_keys));
  }
  const TransportCounters& counters() const { return master->counters(); }
  bool master_until(const std::function<bool()>& condition) {
    return until({master.get()}, condition);
  }

  Members known;
  KeyPair master_keys = fresh_keys();
  std::unique_ptr<Node> master;
};

// One that knows the master's key, with keys and a certificate of its own.
struct Late {
  Late(const Fleet& fleet, const std::string& id, const wire::FleetRecordPtr& certificate,
       const KeyPair& own)
      : keys(own) {
    known.admit("m", fleet.master_keys, true);
    known.admit(id, own);
    node = std::make_unique<Node>(id, known, own);
    node->trust->take_strangers(known, certificate);
  }
  KeyPair keys;
  Members known;
  std::unique_ptr<Node> node;
};

// A bare DEALER with keys that nobody knows.
class Stranger {
 public:
  explicit Stranger(const Fleet& fleet, const KeyPair& keys = fresh_keys()) {
    dealer_.set(::zmq::sockopt::linger, 0);
    dealer_.set(::zmq::sockopt::curve_serverkey, ::zmq::buffer(fleet.master_keys.open));
    dealer_.set(::zmq::sockopt::curve_publickey, ::zmq::buffer(keys.open));
    dealer_.set(::zmq::sockopt::curve_secretkey, ::zmq::buffer(keys.secret));
    dealer_.set(::zmq::sockopt::reconnect_ivl, -1);
    dealer_.connect(fleet.master->transport->endpoint());
  }
  void say(wire::Body body, const std::string& as = "x", const std::string& cluster = "test") {
    dealer_.send(::zmq::buffer(wire::encode({{cluster, NodeId(as), {1, 1}}, std::move(body)})),
                 ::zmq::send_flags::dontwait);
  }
  void say_bytes(const std::string& bytes) {
    dealer_.send(::zmq::buffer(bytes), ::zmq::send_flags::dontwait);
  }
  // The refusal in the answer that has come, if one has.
  std::string refusal() {
    ::zmq::message_t frame;
    if (!dealer_.recv(frame, ::zmq::recv_flags::dontwait)) return {};
    const auto message = wire::decode(frame.to_string_view());
    REQUIRE(message.ok());
    const auto* answer = std::get_if<wire::JoinAnswer>(&message->body);
    return answer == nullptr ? "no answer of that kind" : answer->refusal;
  }

 private:
  ::zmq::context_t context_;
  ::zmq::socket_t dealer_{context_, ::zmq::socket_type::dealer};
};

}  // namespace

TEST_CASE("one that nobody knows is known by its certificate, and heard from then on") {
  Fleet fleet;
  const KeyPair keys = fresh_keys();
  Late late(fleet, "s", certificate_of("s", keys), keys);
  late.node->send(*fleet.master, wire::Attach{});
  REQUIRE(until({fleet.master.get(), late.node.get()},
                [&] { return fleet.master->heard<wire::Attach>() == 1; }));
  CHECK(fleet.counters().introduced == 1);
  CHECK(fleet.master->heard<wire::Introduce>() == 1);
  CHECK(fleet.counters().untrusted == 0);
  fleet.master->answer("s", wire::AttachAnswer{{1, 1}, true, ""});
  CHECK(until({fleet.master.get(), late.node.get()},
              [&] { return late.node->heard<wire::AttachAnswer>() == 1; }));
  // Revoked, it is cut off.
  fleet.known.revoke("s");
  CHECK(fleet.master_until([&] { return fleet.counters().cut_connections > 0; }));
}

TEST_CASE("a master that comes back without knowing us is told who we are again") {
  Fleet fleet;
  const KeyPair keys = fresh_keys();
  Late late(fleet, "s", certificate_of("s", keys), keys);
  late.node->send(*fleet.master, wire::Attach{});
  REQUIRE(until({fleet.master.get(), late.node.get()},
                [&] { return fleet.master->heard<wire::Attach>() == 1; }));
  const std::string endpoint = fleet.master->transport->endpoint();
  fleet.master.reset();
  fleet.known.revoke("s");
  fleet.master = std::make_unique<Node>("m", fleet.known, fleet.master_keys, endpoint);
  fleet.master->trust->take_strangers(fleet.known, certificate_of("m", fleet.master_keys));
  CHECK(until({fleet.master.get(), late.node.get()}, [&] {
    late.node->send(*fleet.master, wire::Attach{});
    return fleet.master->heard<wire::Attach>() > 0;
  }));
}

TEST_CASE("a certificate that is not believed is told why, and what follows it is cut off") {
  Fleet fleet;
  const KeyPair keys = fresh_keys();
  const KeyPair others = fresh_keys();
  const std::vector<std::pair<wire::FleetRecordPtr, std::string>> bad = {
      {certificate_of("x", keys, false), "another fleet's"},
      {certificate_of("x", others), "another key's"},
      {certificate_of("y", keys), "another node's"}};
  for (const auto& [certificate, why] : bad) {
    Stranger stranger(fleet, keys);
    stranger.say(wire::Introduce{certificate});
    std::string told;
    CHECK(fleet.master_until([&] { return !(told = stranger.refusal()).empty(); }));
    CHECK(told == why);
    // Once refused it has no second word, not even a good one.
    const std::uint64_t cut = fleet.counters().strangers_cut;
    stranger.say(wire::Introduce{certificate_of("x", keys)});
    CHECK(fleet.master_until([&] { return fleet.counters().strangers_cut > cut; }));
  }
  CHECK(fleet.counters().certificates_refused == 3);
  CHECK(fleet.counters().introduced == 0);
  CHECK(fleet.master->delivered.empty());
  CHECK(fleet.master->transport->sessions() == 0);
}

TEST_CASE("a stranger that says anything else is cut off, whatever it is") {
  Fleet fleet;
  Random random(5);
  std::uint64_t cut = 0;
  for (std::size_t kind = 0; kind < std::variant_size_v<wire::Body>; ++kind) {
    const wire::Body body = wire::random_message(random, kind).body;
    if (std::holds_alternative<wire::Introduce>(body) ||
        std::holds_alternative<wire::JoinAsk>(body))
      continue;
    Stranger stranger(fleet);
    stranger.say(body);
    ++cut;
    CHECK(fleet.master_until([&] { return fleet.counters().strangers_cut == cut; }));
  }
  Stranger garbled(fleet);
  garbled.say_bytes("no message");
  CHECK(fleet.master_until([&] { return fleet.counters().strangers_cut == cut + 1; }));
  Stranger foreign(fleet);
  foreign.say(wire::JoinAsk{}, "x", "another cluster");
  CHECK(fleet.master_until([&] { return fleet.counters().strangers_cut == cut + 2; }));
  CHECK(fleet.master->delivered.empty());
  CHECK(fleet.master->knocks.empty());
}

TEST_CASE("half-open sessions by the hundred: few stand at the door, and an honest one gets in") {
  Fleet fleet;
  std::vector<std::unique_ptr<Stranger>> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.push_back(std::make_unique<Stranger>(fleet));
    if (i % 10 == 0) fleet.master->turn();
  }
  CHECK(fleet.master_until([&] { return fleet.counters().unproven_too_many > 0; }));
  crowd.resize(20);
  const KeyPair keys = fresh_keys();
  Late late(fleet, "s", certificate_of("s", keys), keys);
  late.node->send(*fleet.master, wire::Attach{});
  CHECK(until({fleet.master.get(), late.node.get()},
              [&] { return fleet.master->heard<wire::Attach>() == 1; }));
  CHECK(fleet.master->transport->sessions() == 1);
}

TEST_CASE("where keys are trusted by hand a stranger does not get that far") {
  Members known;
  const KeyPair keys = fresh_keys();
  known.admit("m", keys, true);
  Fleet fleet;  // for its keys alone
  fleet.master = std::make_unique<Node>("m", known, keys);
  fleet.master_keys = keys;
  Stranger stranger(fleet);
  stranger.say(wire::JoinAsk{1, NodeId("x"), {}, {}});
  CHECK(fleet.master_until([&] { return fleet.counters().refused_keys > 0; }));
  CHECK(fleet.master->knocks.empty());
}

TEST_CASE("one that asks to be taken in gets its answer, and is a stranger still") {
  Fleet fleet;
  const KeyPair keys = fresh_keys();
  Stranger stranger(fleet, keys);
  stranger.say(wire::JoinAsk{77, NodeId("x"), keys.open, {}});
  REQUIRE(fleet.master_until([&] { return fleet.master->knocks.size() == 1; }));
  const Knock& knock = fleet.master->knocks.front();
  CHECK(knock.ask.invitation == 77);
  CHECK(knock.key == keys.open);
  wire::JoinAnswer no;
  no.refusal = "not today";
  fleet.master->transport->answer_knock(knock, NodeId("m"), no);
  std::string told;
  CHECK(fleet.master_until([&] { return !(told = stranger.refusal()).empty(); }));
  CHECK(told == "not today");
  stranger.say(wire::Attach{});
  CHECK(fleet.master_until([&] { return fleet.counters().strangers_cut == 1; }));
  CHECK(fleet.master->delivered.empty());
}

TEST_CASE("a node whose certificate is refused says nothing into the void, and is told") {
  Fleet fleet;
  const KeyPair keys = fresh_keys();
  Late late(fleet, "s", certificate_of("s", keys, false), keys);
  late.node->send(*fleet.master, wire::Attach{});
  CHECK(until({fleet.master.get(), late.node.get()},
              [&] { return late.node->heard<wire::JoinAnswer>() == 1; }));
  CHECK(until({fleet.master.get(), late.node.get()}, [&] { return late.node->downs == 1; }));
  CHECK(fleet.master->delivered.empty());
}

TEST_CASE("asking to join where nobody is, and at a host that has another key") {
  const KeyPair keys = fresh_keys();
  JoinCall call;
  call.addresses = {"127.0.0.1:1"};
  call.inviter = fresh_keys().open;
  call.public_key = keys.open;
  call.secret_key = keys.secret;
  call.question = {{"test", NodeId("x"), {}}, wire::JoinAsk{1, NodeId("x"), {}, {}}};
  call.patience = std::chrono::milliseconds(300);
  const Result<JoinReply> nobody = ask_to_join(call);
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().message.find("127.0.0.1:1: nobody answers") != std::string::npos);
  CHECK(own_address_towards("127.0.0.1") == "127.0.0.1");
  CHECK(own_address_towards("no address").empty());
}

}  // namespace ballast::zmq
