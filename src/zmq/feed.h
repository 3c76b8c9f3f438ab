// What we publish: a PUB socket that trusted masters subscribe to. It is an XPUB, because that one
// tells who subscribes to what: only to the topics that we have, and not without end. Whoever asks
// for another, or again and again, is cut off and counted. Source: design, section 4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "ballast/zmq/transport.h"
#include "doorman.h"
#include "guests.h"
#include "monitor.h"

namespace ballast::zmq {

class Feed {
 public:
  // Binds; throws zmq::error_t.
  Feed(::zmq::context_t& context, const TransportSettings& settings, const port::Trust* trust,
       TransportCounters& counters);

  void publish(std::string_view topic, std::string_view bytes);

  // Who has come, and who has gone.
  void note_connections();
  // Looks at what subscribers have asked for, at most `count_max` of it.
  void watch(std::size_t count_max);
  // Cuts off those whose key was revoked, or who may no longer be master.
  void tidy();

  // A trusted key was shown from this address.
  void key_accepted(std::uint32_t address) {
    doorman_.key_accepted(Doorman::Clock::now(), address);
  }
  const Doorman& doorman() const { return doorman_; }
  const std::string& endpoint() const { return endpoint_; }
  std::size_t subscribers() const { return guests_.size(); }
  void append_sockets(std::vector<void*>& sockets) const;

 private:
  bool knows(std::string_view topic) const;
  bool may_stay(const Proven& who) const;

  const TransportSettings& settings_;
  const port::Trust* trust_;
  TransportCounters& counters_;
  ::zmq::socket_t socket_;
  Monitor monitor_;
  Doorman doorman_;
  std::string endpoint_;
  Guests guests_;
};

}  // namespace ballast::zmq
