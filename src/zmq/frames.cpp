#include "frames.h"

namespace ballast::zmq {

Taken take_frame(::zmq::socket_t& socket, ::zmq::message_t& frame) {
  if (!socket.recv(frame, ::zmq::recv_flags::dontwait)) return Taken::none;
  if (!frame.more()) return Taken::one;
  while (frame.more() && socket.recv(frame, ::zmq::recv_flags::dontwait)) {
  }
  return Taken::junk;
}

std::uint32_t number_of(std::string_view session) {
  std::uint32_t number = 0;
  for (const char byte : session.substr(1))
    number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

bool is_given_name(std::string_view session) { return session.size() == 5 && session[0] == '\0'; }

}  // namespace ballast::zmq
