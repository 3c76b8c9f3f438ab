// What the simulated network is like: settings of a calm one, and the faults that are laid upon it.
#pragma once

#include <cstddef>

#include "ballast/base/time.h"

namespace ballast::world {

struct NetworkSettings {
  // One way. Each pair of nodes has a delay of its own between these two, the same at all times, so
  // that without faults messages arrive in the order in which they were sent.
  Duration delay_min = std::chrono::microseconds(200);
  Duration delay_max = std::chrono::milliseconds(2);
  // Nodes that hear each other's broadcasts: this many in a row of their numbers. Farther ones find
  // each other by the seeds.
  std::size_t broadcast_domain = 64;
  // Until a connection whose other end falls silent counts as broken: TCP's keepalive. The end of a
  // process is noticed at once. That one stands still TCP does not notice; here it does.
  Duration silence_max = std::chrono::seconds(6);
  Duration reconnect_every = std::chrono::seconds(1);
  // A connection without a message for so long is closed, but for those that came up with an
  // Attach.
  Duration idle_close = std::chrono::seconds(60);
  // What each message costs on the wire beyond its own bytes: ZMTP framing and CURVE's nonce and
  // authenticator (RFC 23/ZMTP, RFC 26/CURVE: 1 + 8 header, 8 command name, 8 nonce, 16 box, 1
  // flag).
  double overhead_bytes = 42;
};

// Upon every message between two nodes, whatever it is sent by. Probabilities of 0 to 1.
struct MessageFaults {
  double loss = 0;
  double doubling = 0;
  double late = 0;  // share of the messages that come up to `late_max` later, and so out of order
  Duration late_max{0};
};

}  // namespace ballast::world
