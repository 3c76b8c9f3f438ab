// Keys that nobody knows, at the ROUTER: half-open sessions. Where the fleet has a key of its own
// they get through CURVE, and may then say one of two things: who they are, with a certificate, or
// that they want to be taken in. Whoever says anything else is cut off; whoever is not believed is
// told why once. Until then they stand at the door (doorman.h), few and for 30 s at most, and
// nothing is kept of them.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "ballast/port/trust.h"
#include "ballast/wire/envelope.h"
#include "ballast/zmq/transport.h"
#include "doorman.h"
#include "gate.h"

namespace ballast::zmq {

class Strangers {
 public:
  // `trust` is null without security: then there are none.
  Strangers(const TransportSettings& settings, port::Trust* trust, TransportCounters& counters,
            Gate& gate, Doorman& doorman)
      : settings_(settings), trust_(trust), counters_(counters), gate_(gate), doorman_(doorman) {}

  // What one of them has said. Given back is the Introduce of one who is known from now on; the
  // rest is dealt with.
  std::optional<wire::Message> hear(::zmq::socket_t& router, std::string_view session,
                                    ::zmq::message_t& frame, const port::CurveKey& key);
  // One who asks to be taken in, whether its key is known or not.
  void knock(std::string_view session, const port::CurveKey& key, const wire::JoinAsk& ask);
  std::vector<Knock> take_knocks();
  // Our answer, under the name that `header` says.
  void answer(::zmq::socket_t& router, std::string_view session, wire::Message message);

 private:
  const TransportSettings& settings_;
  port::Trust* trust_;
  TransportCounters& counters_;
  Gate& gate_;
  Doorman& doorman_;
  std::deque<Knock> knocks_;
};

}  // namespace ballast::zmq
