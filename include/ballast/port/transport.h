// The seam to the network: messages to nodes and from nodes whose identity the transport has
// proven.
#pragma once

#include <cstddef>
#include <vector>

#include "ballast/wire/envelope.h"

namespace ballast::port {

using wire::Delivered;
using wire::Envelope;
using wire::LinkDown;
using wire::LinkUp;
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

  // What has come in since the last call, oldest first, at most `count_max`.
  virtual std::vector<TransportEvent> take_events(std::size_t count_max) = 0;
};

}  // namespace ballast::port
