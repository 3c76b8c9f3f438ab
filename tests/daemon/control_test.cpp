// What a node answers to requests on its control socket, of which anybody on the host with the
// right to open it may send any bytes.
#include "ballast/daemon/control.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"
#include "ballast/files/status.h"
#include "ballast/node/node.h"

namespace {

using namespace ballast;

constexpr TimePoint start{};

node::Node make_node(Role role) {
  Config config;
  config.node.id = NodeId("n1");
  config.node.role = role;
  if (role == Role::slave) config.node.master = PeerAddress{NodeId("m"), "tcp://127.0.0.1:1"};
  node::StoredState stored;
  stored.incarnation = 1;
  node::Node node(start, config, "tcp://127.0.0.1:2", {}, stored, 1);
  (void)node.step(start, node::Tick{});
  return node;
}

std::string ask(node::Node& node, const std::string& request) {
  return daemon::answer_control(start, request, node, {{"net_sent", 7}});
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The answer is a verdict: one line of JSON that a terminal can show, saying no and why.
std::string refusal(node::Node& node, const std::string& request) {
  const std::string reply = ask(node, request);
  REQUIRE(holds(reply, "\"ok\""));
  const Status verdict = files::parse_verdict(reply, "the node");
  REQUIRE_FALSE(verdict.ok());
  CHECK(reply.size() < 4096);
  CHECK(reply.back() == '\n');
  CHECK(std::count(reply.begin(), reply.end(), '\n') == 1);
  CHECK(std::none_of(reply.begin(), reply.end() - 1,
                     [](unsigned char c) { return std::iscntrl(c) != 0; }));
  return verdict.error().message;
}

TEST_CASE("status is ballast-status/1 with the counters of the transport among the node's") {
  node::Node node = make_node(Role::master);
  const Result<node::View> view = files::parse_status(ask(node, "status"), "the node");
  REQUIRE(view.ok());
  CHECK(view->id == NodeId("n1"));
  CHECK(view->role == Role::master);
  CHECK(view->counters.at("net_sent") == 7);
  CHECK(view->events.empty());
}

TEST_CASE("watch tells the events above a number, once each") {
  node::Node node = make_node(Role::master);
  HostSampled first;
  first.sample.capacity = {10'000, 32'768, 1'000};
  (void)node.step(start, first);  // it attaches to itself, which is an event
  const Result<node::View> all = files::parse_status(ask(node, "watch 0"), "the node");
  REQUIRE(all.ok());
  REQUIRE_FALSE(all->events.empty());
  const std::string last = std::to_string(all->events.back().number);
  const Result<node::View> none = files::parse_status(ask(node, "watch " + last), "the node");
  REQUIRE(none.ok());
  CHECK(none->events.empty());
}

TEST_CASE("watch without a plain number says what is expected") {
  node::Node node = make_node(Role::master);
  for (const char* request : {"watch", "watch ", "watch x", "watch -1", "watch 1 2", "watch 1.5",
                              "watch +1", "watch 18446744073709551616", "watch  1", "watch 0x10"}) {
    CAPTURE(request);
    CHECK(holds(refusal(node, request), "the number of an event"));
  }
}

TEST_CASE("unknown words are refused with those that are known") {
  node::Node node = make_node(Role::master);
  for (const std::string& request :
       {std::string(), std::string(" "), std::string("stat"), std::string("statuss"),
        std::string("STATUS"), std::string("status now"), std::string("status\n"),
        std::string("\0status", 7), std::string("status\0", 7), std::string("\xff\xfe\x00\x01", 4),
        std::string("\x1b[2J")}) {
    CAPTURE(request);
    const std::string said = refusal(node, request);
    CHECK(holds(said, "expected status, watch, approve"));
  }
}

TEST_CASE("a huge request gets a short answer") {
  node::Node node = make_node(Role::master);
  const std::string huge(limits::control_bytes_max, 'a');
  (void)refusal(node, huge);
  (void)refusal(node, "watch " + huge);
  (void)refusal(node, "approve " + huge);
}

TEST_CASE("approve without a plan that waits is refused, and a slave names its master") {
  node::Node master = make_node(Role::master);
  CHECK(holds(refusal(master, "approve 1.1"), "has made no plan yet"));
  CHECK(holds(refusal(master, "approve"), "has made no plan yet"));
  node::Node slave = make_node(Role::slave);
  CHECK(holds(refusal(slave, "approve 1.1"), "m"));
  CHECK(holds(refusal(slave, "approve 1.1"), "no master"));
}

TEST_CASE("any bytes get a verdict or a status, and leave the node as it was") {
  node::Node node = make_node(Role::slave);
  const std::string before = ask(node, "status");
  const char* words[] = {"status", "watch", "approve", "", "drain"};
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string request = words[random.below(5)];
    if (random.below(2) == 0) request += ' ';
    for (std::uint64_t left = random.below(40); left > 0; --left)
      request += static_cast<char>(random.below(256));
    const std::string reply = ask(node, request);
    const bool understood =
        files::parse_status(reply, "the node").ok() || files::parse_verdict(reply, "the node").ok();
    if (!understood) (void)refusal(node, request);
  }
  CHECK(ask(node, "status") == before);
}

}  // namespace
