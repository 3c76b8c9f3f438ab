// What happens to the connections of one socket, as libzmq's socket monitor tells it.
#pragma once

#include <optional>
#include <zmq.hpp>

namespace ballast::zmq {

enum class ConnectionEvent : unsigned char {
  up,       // connected, and the handshake succeeded
  down,     // disconnected; libzmq connects again by itself
  refused,  // the handshake failed in a way after which libzmq does not try again
  failed,   // the handshake failed for a time (broken off, or too slow)
};

class Monitor {
 public:
  // The socket must outlive its monitor; the object that holds it may move.
  Monitor(::zmq::context_t& context, ::zmq::socket_t& socket);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // The next event, if there is one.
  std::optional<ConnectionEvent> take();
  void* socket() const { return const_cast<::zmq::socket_t&>(listener_).handle(); }

 private:
  void* watched_;
  ::zmq::socket_t listener_;
};

}  // namespace ballast::zmq
