#include "net.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <zmq.hpp>

#include "ballast/zmq/wait.h"

namespace ballast::zmq {

KeyPair fresh_keys() {
  char open[41];
  char secret[41];
  REQUIRE(zmq_curve_keypair(open, secret) == 0);
  KeyPair keys;
  zmq_z85_decode(keys.open.data(), open);
  zmq_z85_decode(keys.secret.data(), secret);
  return keys;
}

void Members::admit(const std::string& id, const KeyPair& pair, bool master) {
  nodes[pair.open] = NodeId(id);
  keys[NodeId(id)] = pair.open;
  if (master) masters.push_back(NodeId(id));
}

void Members::revoke(const std::string& id) {
  nodes.erase(keys.at(NodeId(id)));
  keys.erase(NodeId(id));
}

std::optional<NodeId> TestTrust::node_of(const port::CurveKey& key) const {
  const auto found = members_.nodes.find(key);
  return found == members_.nodes.end() ? std::nullopt : std::optional(found->second);
}

std::optional<port::CurveKey> TestTrust::key_of(const NodeId& node) const {
  const auto found = members_.keys.find(node);
  return found == members_.keys.end() ? std::nullopt : std::optional(found->second);
}

bool TestTrust::may_be_master(const NodeId& node) const {
  return std::count(members_.masters.begin(), members_.masters.end(), node) > 0;
}

wire::FleetRecordPtr certificate_of(const std::string& id, const KeyPair& keys, bool good) {
  wire::FleetRecord record;
  record.node = NodeId(id);
  record.curve = keys.open;
  record.identity = keys.open;
  record.signature[0] = good ? 1 : 2;
  return std::make_shared<const wire::FleetRecord>(record);
}

std::string TestTrust::why_not_believed(const wire::FleetRecordPtr& certificate,
                                        const NodeId& sender, const port::CurveKey& shown) {
  if (certificate->signature[0] != 1) return "another fleet's";
  if (certificate->curve != shown) return "another key's";
  if (certificate->node != sender) return "another node's";
  known_->admit(sender.str(), {shown, {}});
  return {};
}

std::optional<wire::BeaconMac> TestTrust::shared_hash(const NodeId& node,
                                                      std::string_view text) const {
  const auto key = key_of(node);
  if (!key) return std::nullopt;
  wire::BeaconMac mac{};
  std::uint64_t hash = 7;
  for (std::size_t i = 0; i < key->size(); ++i) hash = hash * 31 + ((*key)[i] ^ own_.open[i]);
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  for (std::uint8_t& byte : mac) byte = static_cast<std::uint8_t>((hash *= 0x9E3779B1U) >> 40U);
  return mac;
}

Node::Node(const std::string& name, const Members& members, const KeyPair& keys,
           const std::string& bind)
    : id(name), trust(std::make_unique<TestTrust>(members, keys)) {
  open({.cluster = "test", .bind = bind, .bind_feed = "tcp://127.0.0.1:*"});
}

Node::Node(const std::string& name, const std::string& bind) : id(name) {
  open({.cluster = "test", .bind = bind, .bind_feed = "tcp://127.0.0.1:*", .security = false});
}

void Node::open(TransportSettings settings) {
  auto opened = ZmqTransport::open(settings, trust.get());
  REQUIRE_MESSAGE(opened.ok(), opened.error().message);
  transport = std::move(opened).value();
}

void Node::send(const Node& to, wire::Body body) {
  send_message(to, {{"test", id, {1, 1}}, std::move(body)});
}

void Node::answer(const std::string& to, wire::Body body) {
  transport->send({NodeId(to), "", {{"test", id, {1, 1}}, std::move(body)}});
}

void Node::send_message(const Node& to, wire::Message message) {
  transport->send({to.id, to.transport->endpoint(), std::move(message)});
}

void Node::publish(const std::string& topic, wire::Body body) {
  transport->publish({topic, {{"test", id, {1, 1}}, std::move(body)}});
}

void Node::subscribe(const Node& to, std::set<std::string> topics) {
  transport->subscribe({to.id, to.transport->feed(), std::move(topics)});
}

void Node::turn() {
  for (wire::TransportEvent& event : transport->take_events(256)) {
    if (std::holds_alternative<wire::LinkUp>(event)) ++ups;
    if (std::holds_alternative<wire::LinkDown>(event)) ++downs;
    if (const auto* claims = std::get_if<wire::NotBelieved>(&event))
      not_believed.push_back(claims->from);
    if (const auto* refusal = std::get_if<wire::KeyRefused>(&event))
      refused_by.push_back(refusal->by);
    if (std::holds_alternative<wire::FeedUp>(event)) ++feed_ups;
    if (std::holds_alternative<wire::FeedDown>(event)) ++feed_downs;
    if (auto* message = std::get_if<wire::Delivered>(&event)) {
      delivered.push_back(std::move(*message));
    }
  }
  for (Knock& knock : transport->take_knocks()) knocks.push_back(std::move(knock));
}

bool until(const std::vector<Node*>& nodes, const std::function<bool()>& condition) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    for (Node* node : nodes) {
      node->turn();
      wait(node->transport.get(), nullptr, {}, std::chrono::milliseconds(1));
    }
  }
  return true;
}

}  // namespace ballast::zmq
