// Those who should not be served: each is refused and counted, and a well-behaved slave is served
// after. Attackers use bare libzmq and bare TCP.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include <zmq.hpp>

#include "ballast/base/random.h"
#include "ballast/wire/codec.h"
#include "net.h"
#include "samples.h"

namespace ballast::zmq {
namespace {

const wire::Header as_slave{"test", NodeId("s"), {1, 1}};

// A master, a slave that behaves, and somebody else whose keys may be known.
struct Siege {
  Siege() {
    members.admit("m", master_keys, true);
    members.admit("s", slave_keys);
    members.admit("e", enemy_keys);
    master = std::make_unique<Node>("m", members, master_keys);
    slave = std::make_unique<Node>("s", members, slave_keys);
  }
  bool master_until(const std::function<bool()>& condition) {
    return until({master.get()}, condition);
  }
  const TransportCounters& counters() const { return master->counters(); }
  // The slave attaches and gets its answer.
  void check_slave_is_served() {
    const std::size_t before = slave->heard<wire::AttachAnswer>();
    const std::size_t attached = master->heard<wire::Attach>();
    slave->send(*master, wire::Attach{});
    CHECK(until({master.get(), slave.get()},
                [&] { return master->heard<wire::Attach>() > attached; }));
    master->answer("s", wire::AttachAnswer{{1, 1}, true, ""});
    CHECK(until({master.get(), slave.get()},
                [&] { return slave->heard<wire::AttachAnswer>() > before; }));
  }

  Members members;
  KeyPair master_keys = fresh_keys();
  KeyPair slave_keys = fresh_keys();
  KeyPair enemy_keys = fresh_keys();
  std::unique_ptr<Node> master;
  std::unique_ptr<Node> slave;
};

// A bare DEALER at the master's door, with these keys.
class Enemy {
 public:
  Enemy(const Siege& siege, const KeyPair& keys, const port::CurveKey& server_key) {
    dealer_.set(::zmq::sockopt::linger, 0);
    dealer_.set(::zmq::sockopt::curve_serverkey, ::zmq::buffer(server_key));
    dealer_.set(::zmq::sockopt::curve_publickey, ::zmq::buffer(keys.open));
    dealer_.set(::zmq::sockopt::curve_secretkey, ::zmq::buffer(keys.secret));
    dealer_.connect(siege.master->transport->endpoint());
  }
  Enemy(const Siege& siege, const KeyPair& keys, const std::string& routing_id) {
    dealer_.set(::zmq::sockopt::routing_id, routing_id);
    dealer_.set(::zmq::sockopt::linger, 0);
    dealer_.set(::zmq::sockopt::curve_serverkey, ::zmq::buffer(siege.master_keys.open));
    dealer_.set(::zmq::sockopt::curve_publickey, ::zmq::buffer(keys.open));
    dealer_.set(::zmq::sockopt::curve_secretkey, ::zmq::buffer(keys.secret));
    dealer_.connect(siege.master->transport->endpoint());
  }
  explicit Enemy(const Siege& siege) {
    dealer_.set(::zmq::sockopt::linger, 0);
    dealer_.connect(siege.master->transport->endpoint());
  }
  void send(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      dealer_.send(::zmq::buffer(frames[i]),
                   i + 1 < frames.size() ? ::zmq::send_flags::sndmore : ::zmq::send_flags::none);
    }
  }
  void say(const wire::Message& message) { send({wire::encode(message)}); }

 private:
  ::zmq::context_t context_;
  ::zmq::socket_t dealer_{context_, ::zmq::socket_type::dealer};
};

// A bare TCP connection to the master.
class Plain {
 public:
  explicit Plain(const Siege& siege) : Plain(*siege.master) {}
  explicit Plain(const Node& node) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const std::string& endpoint = node.transport->endpoint();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    REQUIRE(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  ~Plain() { close(socket_); }
  void send(const std::string& bytes) const {
    CHECK(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0);
  }
  // As much of it as is taken, without waiting: the other end may have hung up.
  void push(const std::string& bytes) const {
    (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  bool hears(const std::string& text) const {
    char bytes[256];
    const ssize_t got = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);
    return got > 0 &&
           std::string(bytes, static_cast<std::size_t>(got)).find(text) != std::string::npos;
  }
  bool is_cut() const {
    char bytes[256];
    ssize_t got = 0;
    while ((got = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) continue;
    return got == 0 || errno == ECONNRESET;
  }

 private:
  int socket_;
};

}  // namespace

TEST_CASE("a stranger without CURVE does not get in") {
  Siege siege;
  Enemy enemy(siege);
  enemy.say({as_slave, wire::Report{}});
  CHECK(siege.master_until([&] { return siege.counters().failed_handshakes > 0; }));
  siege.check_slave_is_served();
  CHECK(siege.master->heard<wire::Report>() == 0);
}

TEST_CASE("a stranger whose key nobody trusts does not get in") {
  Siege siege;
  Enemy enemy(siege, fresh_keys(), siege.master_keys.open);
  enemy.say({as_slave, wire::Report{}});
  CHECK(siege.master_until([&] { return siege.counters().refused_keys > 0; }));
  siege.check_slave_is_served();
  CHECK(siege.master->heard<wire::Report>() == 0);
}

TEST_CASE("one who expects another server's key does not get in") {
  Siege siege;
  Enemy enemy(siege, siege.enemy_keys, fresh_keys().open);
  enemy.say({as_slave, wire::Report{}});
  CHECK(siege.master_until([&] { return siege.counters().failed_handshakes > 0; }));
  siege.check_slave_is_served();
  CHECK(siege.master->heard<wire::Report>() == 0);
}

TEST_CASE("one with a good key and another's name is an impostor") {
  Siege siege;
  Enemy enemy(siege, siege.enemy_keys, siege.master_keys.open);
  enemy.say({as_slave, wire::Attach{}});
  CHECK(siege.master_until([&] { return siege.counters().impostor == 1; }));
  siege.check_slave_is_served();
  CHECK(siege.master->transport->sessions() == 1);
  CHECK(siege.counters().doubled_session == 0);
}

TEST_CASE("a slave that plays master is not obeyed, on its own connection or on ours") {
  Siege siege;
  const wire::Header as_enemy{"test", NodeId("e"), {1, 1}};
  // All that follows SettleAnswer up to Paused, but Leave, Inquiry, Disbelief and Alarms, is said
  // among masters, or by one to its slave.
  std::vector<std::size_t> orders;
  for (const wire::Body& order : std::initializer_list<wire::Body>{
           wire::AttachAnswer{}, wire::ReportAck{}, wire::Order{}, wire::OutcomeAck{},
           wire::LeaseTell{}, wire::LeaseRevoke{}, wire::LeaseStateAck{}})
    orders.push_back(order.index());
  Random random(7);
  const std::size_t first = wire::Body(wire::SettleAnswer{}).index() + 1;
  for (std::size_t kind = first; kind <= wire::Body(wire::Paused{}).index(); ++kind)
    if (kind != wire::Body(wire::Leave{}).index() && kind != wire::Body(wire::Inquiry{}).index() &&
        kind != wire::Body(wire::Disbelief{}).index() && kind != wire::Body(wire::Alarms{}).index())
      orders.push_back(kind);
  Enemy enemy(siege, siege.enemy_keys, siege.master_keys.open);
  std::uint64_t sent = 0;
  for (const std::size_t kind : orders) {
    wire::Message message = wire::random_message(random, kind);
    message.header = as_enemy;
    enemy.say(message);
    ++sent;
  }
  CHECK(siege.master_until([&] { return siege.counters().not_master == sent; }));
  CHECK(siege.master->delivered.empty());
  CHECK(siege.master->not_believed == std::vector{NodeId("e")});  // once, however much it says

  Node liar("e", siege.members, siege.enemy_keys);
  siege.slave->send(liar, wire::Begin{{NodeId("m"), 1, 1}, VmId("v"), {}});
  CHECK(until({&liar, siege.slave.get()}, [&] { return liar.heard<wire::Begin>() == 1; }));
  liar.answer("s", wire::OutcomeAck{{NodeId("m"), 1, 1}, wire::OutcomeKind::arrived});
  CHECK(until({&liar, siege.slave.get()}, [&] { return siege.slave->counters().not_master == 1; }));
  siege.check_slave_is_served();
}

TEST_CASE("messages of another cluster are dropped") {
  Siege siege;
  siege.slave->send_message(*siege.master, {{"other", NodeId("s"), {1, 1}}, wire::Report{}});
  CHECK(siege.master_until([&] { return siege.counters().wrong_cluster == 1; }));
  siege.check_slave_is_served();
}

TEST_CASE("garbage, giants, and messages of many frames cost their sender, not us") {
  Siege siege;
  Enemy enemy(siege, siege.enemy_keys, siege.master_keys.open);
  enemy.send({"garbage"});
  enemy.send({""});
  enemy.send({std::string(100'000, '\x91')});
  CHECK(siege.master_until([&] { return siege.counters().undecodable == 3; }));
  const std::string good = wire::encode({{"test", NodeId("e"), {1, 1}}, wire::Report{}});
  enemy.send({good, good});
  enemy.send({"", good});
  enemy.send(std::vector<std::string>(1000, "x"));
  CHECK(siege.master_until([&] { return siege.counters().extra_frames == 3; }));
  enemy.send({std::string(limits::message_bytes_max + 1, 'x')});
  CHECK(siege.master_until([&] { return siege.counters().lost_sessions == 1; }));
  CHECK(siege.master->delivered.empty());
  siege.check_slave_is_served();
}

TEST_CASE("bytes that are not ZeroMQ at all end their connection") {
  Siege siege;
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const Plain plain(siege);
    std::string bytes(100, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    plain.send(i % 2 == 0 ? bytes : "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  siege.check_slave_is_served();
}

TEST_CASE("a flood of messages from one does not keep another from being served") {
  Siege siege;
  Enemy enemy(siege, siege.enemy_keys, siege.master_keys.open);
  for (int i = 0; i < 900; ++i) enemy.send({std::string(2'000, 'x')});
  siege.check_slave_is_served();
  CHECK(siege.master_until([&] { return siege.counters().undecodable == 900; }));
  siege.check_slave_is_served();
}

TEST_CASE("one turn looks at a bounded number of messages, however many are junk") {
  Siege siege;
  Enemy enemy(siege, siege.enemy_keys, siege.master_keys.open);
  for (int i = 0; i < 100; ++i) enemy.send({"x"});
  CHECK(until({}, [&] {
    const std::uint64_t before = siege.counters().undecodable;
    CHECK(siege.master->transport->take_events(4).empty());
    CHECK(siege.counters().undecodable <= before + 10);
    return siege.counters().undecodable == 100;
  }));
}

TEST_CASE("a key that is revoked while it is connected is cut off, though it says nothing") {
  Siege siege;
  siege.check_slave_is_served();
  siege.members.revoke("s");
  CHECK(siege.master_until([&] { return siege.counters().cut_connections == 1; }));
  siege.master->answer("s", wire::ReportAck{});
  CHECK(siege.counters().no_session == 1);
  // It comes again, to a door that does not open.
  CHECK(until({siege.master.get(), siege.slave.get()},
              [&] { return siege.counters().refused_keys > 0 && siege.slave->downs == 1; }));
}

TEST_CASE(
    "a message of a key that was revoked a moment ago is not heard, and ends its connection") {
  Siege siege;
  siege.check_slave_is_served();
  siege.slave->transport->send(
      {NodeId("m"), siege.master->transport->endpoint(), {as_slave, wire::Report{}}});
  siege.members.revoke("s");
  CHECK(siege.master_until(
      [&] { return siege.counters().untrusted + siege.counters().cut_connections > 0; }));
  CHECK(siege.master->heard<wire::Report>() == 0);
  CHECK(siege.master_until([&] { return siege.counters().lost_sessions == 1; }));
  siege.master->answer("s", wire::ReportAck{});
  CHECK(siege.counters().no_session == 1);
}

TEST_CASE("a connection of ours to a node whose key was replaced closes") {
  Siege siege;
  siege.check_slave_is_served();
  siege.members.revoke("m");
  siege.members.admit("m", fresh_keys(), true);
  CHECK(until({siege.slave.get()}, [&] { return siege.slave->transport->links() == 0; }));
  CHECK(until({siege.slave.get()}, [&] { return siege.slave->downs == 1; }));
}

TEST_CASE("of two that live under one key the newer Attach wins, and it is counted") {
  Siege siege;
  siege.check_slave_is_served();
  Node clone("s", siege.members, siege.slave_keys);
  const auto all_until = [&](const std::function<bool()>& condition) {
    return until({siege.master.get(), siege.slave.get(), &clone}, condition);
  };
  clone.send(*siege.master, wire::Attach{});
  CHECK(all_until([&] { return siege.counters().replaced_sessions == 1; }));
  siege.slave->send(*siege.master, wire::Report{});
  CHECK(all_until([&] { return siege.counters().doubled_session == 1; }));
  CHECK(siege.master->heard<wire::Report>() == 0);
  siege.master->answer("s", wire::ReportAck{});
  CHECK(all_until([&] { return clone.heard<wire::ReportAck>() == 1; }));
  siege.check_slave_is_served();
  CHECK(siege.counters().doubled_session == 2);
}

TEST_CASE("a peer that brings a routing id of its own is cut off") {
  Siege siege;
  Enemy enemy(siege, siege.enemy_keys, "the slave's, or so it hopes");
  enemy.say({{"test", NodeId("e"), {1, 1}}, wire::Report{}});
  CHECK(siege.master_until([&] { return siege.counters().chosen_names > 0; }));
  CHECK(siege.master->delivered.empty());
  siege.check_slave_is_served();
}

TEST_CASE("a routing id of the form that libzmq gives, made up by the peer, is told as well") {
  Node node("m");
  // ZMTP 3.0 with the NULL mechanism (RFC 23): greeting, READY, one message.
  std::string greeting = std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", 16);
  greeting.resize(64, '\0');
  const std::string name("\0\x00\x00\x00\x07", 5);
  const std::string ready = std::string(
                                "\x05READY\x0bSocket-Type\0\0\0\x06"
                                "DEALER\x08Identity\0\0\0\x05",
                                41) +
                            name;
  const std::string message = wire::encode({{"test", NodeId("e"), {1, 1}}, wire::Attach{}});
  const Plain plain(node);
  plain.send(greeting + std::string(1, '\x04') + std::string(1, static_cast<char>(ready.size())) +
             ready);
  CHECK(until({&node}, [&] { return plain.hears("READY"); }));
  plain.send(std::string{'\0', static_cast<char>(message.size())} + message);
  CHECK(until({&node}, [&] { return node.counters().chosen_names == 1; }));
  CHECK(node.delivered.empty());
  CHECK(until({&node}, [&] { return plain.is_cut(); }));
}

TEST_CASE("of a key with many connections the newest stay") {
  Siege siege;
  std::vector<std::unique_ptr<Enemy>> enemies;
  constexpr std::size_t more = 6;
  for (std::size_t i = 0; i < limits::connections_of_key_max + more; ++i) {
    enemies.push_back(std::make_unique<Enemy>(siege, siege.enemy_keys, siege.master_keys.open));
    enemies.back()->say({{"test", NodeId("e"), {1, 1}}, wire::Report{}});
    CHECK(siege.master_until([&] { return siege.master->heard<wire::Report>() == i + 1; }));
  }
  // Those that were cut connect again, and stay silent.
  CHECK(siege.counters().connections_of_key == more);
  siege.check_slave_is_served();
}

TEST_CASE("of silent connections some wait at the door, the others are cut at once") {
  Siege siege;
  siege.check_slave_is_served();
  std::vector<std::unique_ptr<Plain>> silent;
  constexpr std::size_t more = 300;
  for (std::size_t i = 0; i < limits::unproven_per_address_max + more; ++i) {
    silent.push_back(std::make_unique<Plain>(siege));
    if (i % 50 == 0) siege.master->turn();
  }
  CHECK(siege.master_until([&] { return siege.counters().unproven_too_many >= more; }));
  std::size_t cut = 0;
  CHECK(siege.master_until([&] {
    cut = 0;
    for (const auto& one : silent) cut += one->is_cut();
    return cut >= more;
  }));
  siege.check_slave_is_served();
  // With their end there is place again.
  silent.clear();
  const std::uint64_t before = siege.counters().unproven_too_many;
  CHECK(siege.master_until([&] {
    Plain one(siege);
    siege.master->turn();
    return siege.counters().unproven_too_many == before;
  }));
}

TEST_CASE("who sends more than a handshake and shows no key is cut off") {
  Siege siege;
  siege.check_slave_is_served();
  // The slave has spoken, so nobody waits at this address who has shown a key.
  std::string greeting = std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE", 17);
  greeting.resize(64, '\0');
  // A command of nearly a MiB, as libzmq makes room for it at once.
  const std::string long_frame = std::string("\x06\0\0\0\0\0\x0f\xff\xff", 9);
  const Plain plain(siege);
  plain.send(greeting + long_frame);
  const std::string part(3000, 'x');
  CHECK(siege.master_until([&] {
    if (siege.counters().unproven_too_long == 0) plain.push(part);
    return siege.counters().unproven_too_long == 1 && plain.is_cut();
  }));
  siege.check_slave_is_served();
}

TEST_CASE("a node that is trusted only later is reached then") {
  Siege siege;
  const KeyPair late_keys = fresh_keys();
  Members known_to_late = siege.members;
  Node late("l", known_to_late, late_keys);
  CHECK(until({&late, siege.master.get()}, [&] {
    late.send(*siege.master, wire::Attach{});
    return late.counters().refused_by_peer > 0;
  }));
  siege.members.admit("l", late_keys);
  CHECK(until({&late, siege.master.get()}, [&] {
    late.send(*siege.master, wire::Attach{});
    return siege.master->heard<wire::Attach>() > 0;
  }));
}

TEST_CASE("whoever is not let in is told so: by whom, and that it was the key") {
  Siege siege;
  Members known_to_stranger = siege.members;
  const KeyPair keys = fresh_keys();
  known_to_stranger.admit("x", keys);
  Node stranger("x", known_to_stranger, keys);
  stranger.send(*siege.master, wire::Attach{});
  CHECK(until({&stranger, siege.master.get()}, [&] { return !stranger.refused_by.empty(); }));
  CHECK(stranger.refused_by.front() == NodeId("m"));
}

}  // namespace ballast::zmq
