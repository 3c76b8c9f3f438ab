// A message with where it goes or where it came from: what the core hands to the network and hears
// from it.
#pragma once

#include <string>
#include <variant>

#include "ballast/wire/messages.h"

namespace ballast::wire {

// A message to a node. With an endpoint the transport connects there (and expects the key that the
// trust store pins for `to`); without one it uses the session that node has opened to us.
struct Envelope {
  NodeId to;
  std::string endpoint;
  Message message;
};

// From a node: it holds the key of `from`, and the header's sender is the same.
struct Delivered {
  NodeId from;
  Message message;
};
// The connection that we opened to a node came up, or broke. Only a hint.
struct LinkUp {
  NodeId peer;
};
struct LinkDown {
  NodeId peer;
};
using TransportEvent = std::variant<Delivered, LinkUp, LinkDown>;

}  // namespace ballast::wire
