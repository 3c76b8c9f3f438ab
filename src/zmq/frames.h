// Messages of one frame, which is all that we speak.
#pragma once

#include <cstdint>
#include <string_view>
#include <zmq.hpp>

namespace ballast::zmq {

enum class Taken : unsigned char {
  none,  // nothing was there
  one,   // a message of one frame
  junk,  // one of more frames, read to its end
};

// Takes one message from the socket, without waiting.
Taken take_frame(::zmq::socket_t& socket, ::zmq::message_t& frame);

// The form of a name that the ROUTER gives, and the number in it. A peer may bring one of its own,
// which we never do.
bool is_given_name(std::string_view session);
std::uint32_t number_of(std::string_view session);

}  // namespace ballast::zmq
