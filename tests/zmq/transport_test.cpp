// Messages between nodes over real loopback, with CURVE unless said otherwise.
#include "ballast/zmq/transport.h"

#include <doctest/doctest.h>

#include "net.h"

namespace ballast::zmq {
namespace {

const wire::ReportAck ack{{1, 1}, 7};

// A master and a slave that trust each other.
struct Pair {
  Pair() {
    members.admit("m", master_keys, true);
    members.admit("s", slave_keys);
    master = std::make_unique<Node>("m", members, master_keys);
    slave = std::make_unique<Node>("s", members, slave_keys);
  }
  bool both_until(const std::function<bool()>& condition) {
    return until({master.get(), slave.get()}, condition);
  }
  // The slave attaches, and is heard.
  void attach() {
    const std::size_t before = master->heard<wire::Attach>();
    slave->send(*master, wire::Attach{});
    REQUIRE(both_until([&] { return master->heard<wire::Attach>() > before; }));
  }

  Members members;
  KeyPair master_keys = fresh_keys();
  KeyPair slave_keys = fresh_keys();
  std::unique_ptr<Node> master;
  std::unique_ptr<Node> slave;
};

}  // namespace

TEST_CASE("a slave attaches, and the master answers on the session the slave has opened") {
  Pair pair;
  pair.attach();
  CHECK(pair.master->delivered[0].from == NodeId("s"));
  pair.master->answer("s", wire::AttachAnswer{{1, 1}, true, ""});
  CHECK(pair.both_until([&] { return pair.slave->heard<wire::AttachAnswer>() == 1; }));
  CHECK(pair.slave->delivered[0].from == NodeId("m"));
  CHECK(pair.slave->ups == 1);
  CHECK(pair.slave->transport->links() == 1);
  CHECK(pair.master->transport->links() == 0);
  CHECK(pair.master->transport->sessions() == 1);
}

TEST_CASE("without security nodes talk as well, each under the name it gives") {
  Node master("m");
  Node slave("s");
  slave.send(master, wire::Attach{});
  CHECK(until({&master, &slave}, [&] { return master.heard<wire::Attach>() == 1; }));
  master.answer("s", ack);
  CHECK(until({&master, &slave}, [&] { return slave.heard<wire::ReportAck>() == 1; }));
}

TEST_CASE("messages of one sender come in the order they were sent") {
  Pair pair;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    wire::Report report;
    report.sequence = i;
    pair.slave->send(*pair.master, report);
  }
  CHECK(pair.both_until([&] { return pair.master->heard<wire::Report>() == 10; }));
  std::uint64_t next = 1;
  for (const auto& one : pair.master->delivered) {
    CHECK(std::get<wire::Report>(one.message.body).sequence == next++);
  }
}

TEST_CASE("a slave that restarts under its name gets its messages on the new session") {
  Pair pair;
  pair.attach();
  pair.slave.reset();
  pair.slave = std::make_unique<Node>("s", pair.members, pair.slave_keys);
  pair.attach();
  CHECK(pair.master->transport->sessions() == 1);
  pair.master->answer("s", ack);
  CHECK(pair.both_until([&] { return pair.slave->heard<wire::ReportAck>() == 1; }));
}

TEST_CASE("the session of a slave that has gone is forgotten when it is next answered") {
  Pair pair;
  pair.attach();
  pair.slave.reset();
  CHECK(until({pair.master.get()}, [&] {
    pair.master->answer("s", ack);
    return pair.master->counters().no_session > 0;
  }));
  CHECK(pair.master->transport->sessions() == 0);
}

TEST_CASE("when a master restarts, its slave notices, connects again and is served") {
  Pair pair;
  pair.attach();
  const std::string endpoint = pair.master->transport->endpoint();
  pair.master.reset();
  CHECK(until({pair.slave.get()}, [&] { return pair.slave->downs == 1; }));
  pair.master = std::make_unique<Node>("m", pair.members, pair.master_keys, endpoint);
  CHECK(pair.both_until([&] { return pair.slave->ups == 2; }));
  pair.attach();
  pair.master->answer("s", ack);
  CHECK(pair.both_until([&] { return pair.slave->heard<wire::ReportAck>() == 1; }));
}

TEST_CASE(
    "while a peer is away only a few messages wait for it, the others are dropped and counted") {
  Pair pair;
  pair.attach();
  const std::string endpoint = pair.master->transport->endpoint();
  pair.master->transport.reset();
  REQUIRE(until({pair.slave.get()}, [&] { return pair.slave->downs == 1; }));
  const wire::Message report{{"test", NodeId("s"), {1, 1}}, wire::Report{}};
  for (std::size_t i = 0; i < limits::waiting_for_link_max + 5; ++i) {
    pair.slave->transport->send({NodeId("m"), endpoint, report});
  }
  CHECK(pair.slave->counters().link_down == 5);
}

TEST_CASE("an idle connection closes, but not the one to the node we have attached to") {
  Members members;
  const KeyPair keys[] = {fresh_keys(), fresh_keys(), fresh_keys()};
  members.admit("m", keys[0], true);
  members.admit("t", keys[1]);
  members.admit("s", keys[2]);
  Node master("m", members, keys[0]);
  Node target("t", members, keys[1]);
  TestTrust trust(members, keys[2]);
  auto opened = ZmqTransport::open(
      {.cluster = "test", .bind = "tcp://127.0.0.1:*", .idle_close = std::chrono::milliseconds(1)},
      &trust);
  REQUIRE(opened.ok());
  ZmqTransport& slave = **opened;
  const wire::Header header{"test", NodeId("s"), {1, 1}};
  slave.send({master.id, master.transport->endpoint(), {header, wire::Attach{}}});
  slave.send({target.id, target.transport->endpoint(), {header, wire::Settle{}}});
  CHECK(slave.links() == 2);
  CHECK(until({&master, &target}, [&] {
    slave.take_events(16);
    return slave.links() == 1;
  }));
  CHECK(until({&master}, [&] { return master.heard<wire::Attach>() == 1; }));
  master.answer("s", ack);
  bool heard = false;
  CHECK(until({&master}, [&] {
    for (const wire::TransportEvent& event : slave.take_events(16)) {
      CHECK_FALSE(std::holds_alternative<wire::LinkDown>(event));
      heard = heard || std::holds_alternative<wire::Delivered>(event);
    }
    return heard;
  }));
}

TEST_CASE("what cannot be sent is counted under its reason") {
  Pair pair;
  pair.slave->answer("m", wire::Report{});
  CHECK(pair.slave->counters().no_session == 1);
  pair.slave->transport->send({NodeId("nobody"), "tcp://127.0.0.1:1", {}});
  CHECK(pair.slave->counters().no_key == 1);
  for (const char* endpoint : {"ipc:///tmp/x", "tcp://", "tcp://x:y:z", "\n"}) {
    pair.slave->transport->send({NodeId("m"), endpoint, {}});
  }
  CHECK(pair.slave->counters().bad_endpoint == 4);
  wire::Report report;
  report.report.vms.resize(20'000);
  for (auto& item : report.report.vms) item.vm.id = VmId(std::string(limits::id_bytes_max, 'v'));
  pair.slave->send(*pair.master, report);
  CHECK(pair.slave->counters().too_long == 1);
  CHECK(pair.slave->counters().sent == 0);
}

TEST_CASE("an address that is taken or malformed is an error that names it") {
  Node node("m");
  for (const std::string& bind :
       {node.transport->endpoint(), std::string("tcp://nowhere"), std::string("udp://1.2.3.4:5")}) {
    const auto opened =
        ZmqTransport::open({.cluster = "t", .bind = bind, .security = false}, nullptr);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message.find(bind) != std::string::npos);
  }
}

}  // namespace ballast::zmq
