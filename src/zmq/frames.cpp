#include "frames.h"

namespace ballast::zmq {

Taken take_frame(::zmq::socket_t& socket, ::zmq::message_t& frame) {
  if (!socket.recv(frame, ::zmq::recv_flags::dontwait)) return Taken::none;
  if (!frame.more()) return Taken::one;
  while (frame.more() && socket.recv(frame, ::zmq::recv_flags::dontwait)) {
  }
  return Taken::junk;
}

}  // namespace ballast::zmq
