// Nodes on loopback for tests: a trust store in memory, keys, and turning the crank until something
// is true.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ballast/port/trust.h"
#include "ballast/zmq/transport.h"

namespace ballast::zmq {

// What a fleet's key has said of these keys; `good` as the tests' stores believe it.
struct KeyPair;
wire::FleetRecordPtr certificate_of(const std::string& id, const KeyPair& keys, bool good = true);

struct KeyPair {
  port::CurveKey open{};
  port::CurveKey secret{};
};
KeyPair fresh_keys();

// Who is trusted, by all nodes of a test that share it; each looks at it with its own key pair.
struct Members {
  std::map<port::CurveKey, NodeId> nodes;
  std::map<NodeId, port::CurveKey> keys;
  std::vector<NodeId> masters;
  void admit(const std::string& id, const KeyPair& keys, bool master = false);
  void revoke(const std::string& id);
};

class TestTrust final : public port::Trust {
 public:
  TestTrust(const Members& members, const KeyPair& own) : members_(members), own_(own) {}
  const port::CurveKey& public_key() const override { return own_.open; }
  const port::CurveKey& secret_key() const override { return own_.secret; }
  std::optional<NodeId> node_of(const port::CurveKey& key) const override;
  std::optional<port::CurveKey> key_of(const NodeId& node) const override;
  bool may_be_master(const NodeId& node) const override;
  // Not secret, but the same for two nodes and no others.
  std::optional<wire::BeaconMac> shared_hash(const NodeId& node,
                                             std::string_view text) const override;

  // Of a fleet: certificates count, those whose signature begins with 1. Who shows one is admitted
  // to `known`, which must be the members of this store.
  void take_strangers(Members& known, wire::FleetRecordPtr own) {
    known_ = &known;
    certificate_ = std::move(own);
  }
  wire::FleetRecordPtr certificate() const override { return certificate_; }
  bool takes_strangers() const override { return known_ != nullptr; }
  std::string why_not_believed(const wire::FleetRecordPtr& certificate, const NodeId& sender,
                               const port::CurveKey& shown) override;

 private:
  const Members& members_;
  KeyPair own_;
  Members* known_ = nullptr;
  wire::FleetRecordPtr certificate_;
};

// One node: its transport, and all that it has heard.
class Node {
 public:
  // Its keys must be in `members` for others to accept it. `bind` names a free port by default.
  Node(const std::string& id, const Members& members, const KeyPair& keys,
       const std::string& bind = "tcp://127.0.0.1:*");
  // Without security.
  explicit Node(const std::string& id, const std::string& bind = "tcp://127.0.0.1:*");

  // Sends a body under this node's own name.
  void send(const Node& to, wire::Body body);                // over a connection of ours
  void answer(const std::string& to, wire::Body body);       // on the session it has with us
  void send_message(const Node& to, wire::Message message);  // as given

  void publish(const std::string& topic, wire::Body body);
  void subscribe(const Node& to, std::set<std::string> topics);

  // Takes what has come.
  void turn();
  // Messages heard of this kind.
  template <class Kind>
  std::size_t heard() const {
    std::size_t count = 0;
    for (const auto& one : delivered) count += std::holds_alternative<Kind>(one.message.body);
    return count;
  }
  const TransportCounters& counters() const { return transport->counters(); }

  NodeId id;
  std::unique_ptr<TestTrust> trust;
  std::unique_ptr<ZmqTransport> transport;
  std::vector<wire::Delivered> delivered;
  std::vector<Knock> knocks;
  std::vector<NodeId> not_believed;
  std::vector<NodeId> refused_by;
  std::size_t ups = 0;
  std::size_t downs = 0;
  std::size_t feed_ups = 0;
  std::size_t feed_downs = 0;

 private:
  void open(TransportSettings settings);
};

// Turns the nodes until the condition holds; false when it does not within 20 s.
bool until(const std::vector<Node*>& nodes, const std::function<bool()>& condition);

}  // namespace ballast::zmq
