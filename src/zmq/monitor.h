// What happens to the connections of one socket, as libzmq's socket monitor tells it.
#pragma once

#include <optional>
#include <zmq.hpp>

namespace ballast::zmq {

enum class ConnectionEvent : unsigned char {
  accepted,  // somebody has connected to a bound socket, and has shown nothing yet
  up,        // connected, and the handshake succeeded
  down,      // disconnected; libzmq connects again by itself
  refused,   // the handshake failed in a way after which libzmq does not try again
  failed,    // the handshake failed for a time (broken off, or too slow)
};

class Monitor {
 public:
  // The socket must outlive its monitor; the object that holds it may move.
  Monitor(::zmq::context_t& context, ::zmq::socket_t& socket);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  struct Event {
    ConnectionEvent kind;
    int descriptor = -1;  // of the connection, which may have ended since; -1: there is none
  };
  // The next event, if there is one.
  std::optional<Event> take();
  void* socket() const { return const_cast<::zmq::socket_t&>(listener_).handle(); }

 private:
  void* watched_;
  ::zmq::socket_t listener_;
};

}  // namespace ballast::zmq
