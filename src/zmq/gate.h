// What a message must be before it is handed up. Plain values, no socket.
#pragma once

#include <optional>
#include <string_view>

#include "ballast/port/trust.h"
#include "ballast/wire/envelope.h"
#include "ballast/zmq/transport.h"

namespace ballast::zmq {

// True for what only a master says: answers to a slave, orders, leases, and all that masters say to
// each other.
bool is_for_masters_only(const wire::Body& body);

class Gate {
 public:
  Gate(const TransportSettings& settings, const port::Trust* trust, TransportCounters& counters)
      : settings_(settings), trust_(trust), counters_(counters) {}

  // The message in these bytes when it may pass; else it is counted. `proven` is the node that the
  // connection belongs to; null when nothing proves it.
  std::optional<wire::Message> admit(std::string_view bytes, const NodeId* proven);

 private:
  const TransportSettings& settings_;
  const port::Trust* trust_;
  TransportCounters& counters_;
};

}  // namespace ballast::zmq
