// The seam to the network: messages to nodes and from nodes whose identity the transport has proven.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ballast/wire/messages.h"

namespace ballast::port {

// A message to a node. With an endpoint the transport connects there (and expects the key that the
// trust store pins for `to`); without one it uses the session that node has opened to us.
struct Envelope {
  NodeId to;
  std::string endpoint;
  wire::Message message;
};

// From a node: it holds the key of `from`, and the header's sender is the same.
struct Delivered {
  NodeId from;
  wire::Message message;
};
// The connection that we opened to a node came up, or broke. Only a hint.
struct LinkUp {
  NodeId peer;
};
struct LinkDown {
  NodeId peer;
};
using TransportEvent = std::variant<Delivered, LinkUp, LinkDown>;

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // Sends without blocking. What cannot be sent now (no session, full queue) is dropped and counted.
  virtual void send(const Envelope& envelope) = 0;

  // What has come in since the last call, oldest first, at most `count_max`.
  virtual std::vector<TransportEvent> take_events(std::size_t count_max) = 0;
};

}  // namespace ballast::port
