// All sockets of a node: sessions and links, its feed and those that it follows, and the beacon.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ballast/daemon/control.h"
#include "ballast/model/config.h"
#include "ballast/node/node.h"
#include "ballast/trust/signer.h"
#include "ballast/trust/trust_store.h"
#include "ballast/zmq/beacon.h"
#include "ballast/zmq/names.h"
#include "ballast/zmq/transport.h"

namespace ballast::daemon {

class Network {
 public:
  // `config.node.id` is set. `trust` must outlive this; null: security is off.
  static Result<std::unique_ptr<Network>> open(const Config& config, trust::TrustStore* trust);

  void carry_out(const node::Effects& effects);
  std::vector<node::Input> take_inputs(std::size_t count_max);
  // To wait for beside the transport's sockets; empty without a beacon.
  std::vector<int> descriptors() const;
  const zmq::ZmqTransport* transport() const { return transport_.get(); }
  // Who asks to be taken in, and the answer to one of them.
  std::vector<zmq::Knock> take_knocks() { return transport_->take_knocks(); }
  void answer(const zmq::Knock& knock, const wire::JoinAnswer& said) {
    transport_->answer_knock(knock, config_.node.id, said);
  }

  // Where other nodes reach this one, and where they follow its feed (empty: it has none). Error
  // when that cannot be told from where it is bound.
  Result<std::string> endpoint() const;
  Result<node::MeshAccess> access() const;
  std::string beacon_address() const { return beacon_ ? beacon_->address() : std::string(); }
  Counters counters() const;

 private:
  Network() = default;
  void send(const wire::Envelope& envelope);

  Config config_;
  std::unique_ptr<zmq::ZmqTransport> transport_;
  std::unique_ptr<zmq::Beacon> beacon_;
  const wire::FleetVerifier* verifier_ = nullptr;  // of the trust store; null without security
  std::unique_ptr<wire::Signer> signer_;
  std::unique_ptr<zmq::NamedEndpoint> master_;  // that the configuration names, by name; else null
  std::uint64_t not_looked_up_ = 0;             // messages to it while its address is not known
};

}  // namespace ballast::daemon
