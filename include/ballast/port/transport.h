// The seam to the network: messages to nodes and from nodes whose identity the transport has
// proven.
#pragma once

#include <cstddef>
#include <vector>

#include "ballast/wire/envelope.h"

namespace ballast::port {

using wire::Delivered;
using wire::Envelope;
using wire::FeedDown;
using wire::FeedUp;
using wire::LinkDown;
using wire::LinkUp;
using wire::Publication;
using wire::Subscription;
using wire::TransportEvent;

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // Sends without blocking. What cannot be sent now (no session, full queue) is dropped and
  // counted.
  virtual void send(const Envelope& envelope) = 0;

  // To whoever subscribes to this topic of our feed. May get lost; a topic that is not among those
  // of the feed, and a body that is no Gossip, are dropped and counted.
  virtual void publish(const Publication& publication) = 0;

  // Subscribes to these topics of a peer's feed and to no others; with none, leaves the feed. What
  // comes on it is Delivered, with `from` the peer whose feed it is.
  virtual void subscribe(const Subscription& subscription) = 0;

  // What has come in since the last call, oldest first, at most `count_max`.
  virtual std::vector<TransportEvent> take_events(std::size_t count_max) = 0;
};

}  // namespace ballast::port
