// Messages of one frame, which is all that we speak.
#pragma once

#include <zmq.hpp>

namespace ballast::zmq {

enum class Taken : unsigned char {
  none,  // nothing was there
  one,   // a message of one frame
  junk,  // one of more frames, read to its end
};

// Takes one message from the socket, without waiting.
Taken take_frame(::zmq::socket_t& socket, ::zmq::message_t& frame);

}  // namespace ballast::zmq
