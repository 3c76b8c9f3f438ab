// The doorman: libzmq asks over ZAP whether a key may connect, the trust store says whose it is,
// and every message of that connection carries the answer. Polled by the thread that owns the
// sockets. Source: ZeroMQ RFC 27 (ZAP), design section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "ballast/port/trust.h"

namespace ballast::zmq {

// Who opened the connection that a message came on, as our doorman wrote it there.
struct Proven {
  NodeId node;
  port::CurveKey key{};
  bool operator==(const Proven&) const = default;
};

class ZapHandler {
 public:
  // Must exist before the first CURVE server of the context.
  ZapHandler(::zmq::context_t& context, const port::Trust& trust);

  struct Served {
    std::uint64_t strangers = 0;    // keys that nobody knows, and that were not let in
    std::uint64_t not_masters = 0;  // trusted, but not to subscribe
    // IPv4 addresses from which a trusted key was shown, to the ROUTER and to the feed.
    std::vector<std::uint32_t> at_router;
    std::vector<std::uint32_t> at_feed;
  };
  // Answers what has been asked, at most `count_max` questions.
  Served serve(std::size_t count_max);
  void* socket() const { return const_cast<::zmq::socket_t&>(socket_).handle(); }

  // The key of the connection that a message came on; nothing for one that was made without CURVE.
  static std::optional<port::CurveKey> key_of(::zmq::message_t& message);
  // Whose key that is, as the trust store says now; nothing too for a key that it does not know.
  static std::optional<Proven> proven_by(::zmq::message_t& message, const port::Trust& trust);

 private:
  const port::Trust& trust_;
  ::zmq::socket_t socket_;
};

}  // namespace ballast::zmq
