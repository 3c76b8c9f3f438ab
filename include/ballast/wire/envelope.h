// A message with where it goes or where it came from: what the core hands to the network and hears
// from it.
#pragma once

#include <set>
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
// The same of a feed that we subscribed to.
struct FeedUp {
  NodeId peer;
};
struct FeedDown {
  NodeId peer;
};
// A node that holds its key said what only masters may say, and is not trusted as one here: that
// was dropped. Told now and then while it goes on.
struct NotBelieved {
  NodeId from;
};
// A node that we connect to does not take our key, or holds another than the one that we know.
struct KeyRefused {
  NodeId by;
};
using TransportEvent =
    std::variant<Delivered, LinkUp, LinkDown, FeedUp, FeedDown, NotBelieved, KeyRefused>;

// A message to all who subscribed to this topic of ours. What is published is a Gossip.
struct Publication {
  std::string topic;
  Message message;
};

// From now on we want these topics of a peer's feed, and no others; none: leave it.
struct Subscription {
  NodeId peer;
  std::string feed;
  std::set<std::string> topics;
};

}  // namespace ballast::wire
