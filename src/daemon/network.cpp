#include "network.h"

#include <utility>

#include "ballast/wire/endpoint.h"
#include "identity.h"

namespace ballast::daemon {
namespace {

constexpr std::size_t datagrams_a_turn = 64;

// Without security nobody signs, and everyone is believed.
class NoSigner final : public wire::Signer {
 public:
  wire::Signature sign(std::string_view) const override { return {}; }
  bool verify(const NodeId&, std::string_view, const wire::Signature&) const override {
    return true;
  }
};

zmq::TransportSettings transport_settings(const Config& config) {
  zmq::TransportSettings settings;
  settings.cluster = config.node.cluster;
  settings.bind = config.node.bind;
  if (config.node.role != Role::slave) settings.bind_feed = config.mesh.bind;
  settings.security = config.security.enabled;
  return settings;
}

zmq::BeaconSettings beacon_settings(const Config& config) {
  zmq::BeaconSettings settings;
  settings.self = config.node.id;
  settings.cluster = config.node.cluster;
  settings.bind = config.mesh.beacon;
  settings.broadcast = config.mesh.beacon.rfind("127.", 0) != 0;
  settings.seeds = config.node.seeds;
  settings.security = config.security.enabled;
  return settings;
}

}  // namespace

Result<std::unique_ptr<Network>> Network::open(const Config& config, trust::TrustStore* trust) {
  std::unique_ptr<Network> network(new Network);
  network->config_ = config;
  if (config.node.master && !wire::is_numeric_endpoint(config.node.master->endpoint))
    network->master_ = std::make_unique<zmq::NamedEndpoint>(config.node.master->endpoint);
  auto transport = zmq::ZmqTransport::open(transport_settings(config), trust);
  if (!transport) return transport.error();
  network->transport_ = std::move(transport).value();
  if (!config.mesh.beacon.empty()) {
    auto beacon = zmq::Beacon::open(beacon_settings(config), trust);
    if (!beacon) return beacon.error();
    network->beacon_ = std::move(beacon).value();
  }
  if (trust == nullptr) {
    network->signer_ = std::make_unique<NoSigner>();
  } else {
    network->signer_ = std::make_unique<trust::ItemSigner>(*trust, config.node.cluster);
    network->verifier_ = &trust->verifier();
  }
  return network;
}

void Network::carry_out(const node::Effects& effects) {
  for (const wire::Subscription& one : effects.subscriptions) transport_->subscribe(one);
  for (const wire::Envelope& envelope : effects.sends) send(envelope);
  for (const wire::Publication& one : effects.publications) transport_->publish(one);
  if (!beacon_) return;
  for (const wire::BeaconSend& one : effects.beacons) beacon_->send(one);
}

// Only what the operator has configured may be a name.
void Network::send(const wire::Envelope& envelope) {
  if (!master_ || envelope.endpoint != master_->name()) return transport_->send(envelope);
  wire::Envelope numeric = envelope;
  numeric.endpoint = master_->address();
  if (numeric.endpoint.empty()) {
    ++not_looked_up_;
    return;
  }
  transport_->send(numeric);
}

std::vector<node::Input> Network::take_inputs(std::size_t count_max) {
  std::vector<node::Input> inputs;
  for (wire::TransportEvent& event : transport_->take_events(count_max))
    inputs.emplace_back(std::move(event));
  if (!beacon_) return inputs;
  for (wire::BeaconHeard& heard : beacon_->take(datagrams_a_turn))
    inputs.emplace_back(std::move(heard));
  return inputs;
}

std::vector<int> Network::descriptors() const {
  return beacon_ ? std::vector<int>{beacon_->descriptor()} : std::vector<int>{};
}

Result<std::string> Network::endpoint() const {
  return endpoint_of(config_.node, transport_->endpoint());
}

// The feed is on the host that the node itself is reached at, unless something else is said.
Result<node::MeshAccess> Network::access() const {
  node::MeshAccess access;
  access.fleet = verifier_;
  const std::string& bound = transport_->feed();
  if (bound.empty()) return access;
  access.signer = signer_.get();
  if (!config_.mesh.advertise.empty()) {
    Result<std::string> found = zmq::looked_up(config_.mesh.advertise);
    if (!found) return Error{"[mesh] advertise: " + found.error().message};
    access.feed = std::move(found).value();
    return access;
  }
  const Result<std::string> node = endpoint();
  if (!node) return node.error();
  access.feed = node->substr(0, node->rfind(':')) + bound.substr(bound.rfind(':'));
  return access;
}

Counters Network::counters() const {
  const zmq::TransportCounters& c = transport_->counters();
  Counters counters = {
      {"net_sent", c.sent},
      {"net_published", c.published},
      {"net_received", c.received},
      {"net_dropped_undecodable", c.undecodable},
      {"net_dropped_extra_frames", c.extra_frames},
      {"net_dropped_wrong_cluster", c.wrong_cluster},
      {"net_dropped_impostor", c.impostor},
      {"net_dropped_untrusted", c.untrusted},
      {"net_dropped_not_master", c.not_master},
      {"net_dropped_not_gossip", c.not_gossip},
      {"net_dropped_doubled_session", c.doubled_session},
      {"net_dropped_no_session", c.no_session},
      {"net_dropped_no_key", c.no_key},
      {"net_dropped_bad_endpoint", c.bad_endpoint},
      {"net_dropped_not_looked_up", not_looked_up_},
      {"net_dropped_bad_publication", c.bad_publication},
      {"net_dropped_queue_full", c.queue_full},
      {"net_dropped_link_down", c.link_down},
      {"net_dropped_too_long", c.too_long},
      {"net_dropped_peers_full", c.peers_full},
      {"net_introduced", c.introduced},
      {"net_certificates_refused", c.certificates_refused},
      {"net_strangers_cut", c.strangers_cut},
      {"net_knocks_too_many", c.knocks_too_many},
      {"net_refused_keys", c.refused_keys},
      {"net_refused_subscribers", c.refused_subscribers},
      {"net_unknown_topics", c.unknown_topic},
      {"net_subscriptions_too_many", c.subscriptions_too_many},
      {"net_subscribers_too_many", c.subscribers_too_many},
      {"net_failed_handshakes", c.failed_handshakes},
      {"net_refused_by_peer", c.refused_by_peer},
      {"net_lost_sessions", c.lost_sessions},
      {"net_replaced_sessions", c.replaced_sessions},
      {"net_cut_masters_too_many", c.masters_too_many},
      {"net_cut_unproven_too_many", c.unproven_too_many},
      {"net_cut_unproven_silent", c.unproven_silent},
      {"net_cut_unproven_too_long", c.unproven_too_long},
      {"net_cut_connections_of_key", c.connections_of_key},
      {"net_cut_chosen_names", c.chosen_names},
      {"net_cut_greedy", c.greedy_cut},
      {"net_cut_connections", c.cut_connections},
  };
  if (beacon_) {
    const zmq::BeaconCounters& b = beacon_->counters();
    counters.insert({{"beacon_sent", b.sent},
                     {"beacon_received", b.received},
                     {"beacon_not_sent", b.not_sent},
                     {"beacon_dropped_undecodable", b.undecodable},
                     {"beacon_dropped_wrong_cluster", b.wrong_cluster},
                     {"beacon_dropped_too_often", b.too_often},
                     {"beacon_dropped_stranger", b.stranger},
                     {"beacon_dropped_not_asked_for", b.not_asked_for},
                     {"beacon_dropped_bad_mac", b.bad_mac}});
  }
  std::erase_if(counters, [](const auto& counter) { return counter.second == 0; });
  return counters;
}

}  // namespace ballast::daemon
