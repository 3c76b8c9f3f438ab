// Endpoints that may come over the wire: numeric ones only. A name would be asked for by whoever
// connects, and a nameserver that does not answer would hold it up: one datagram could stop a
// master's network.
#pragma once

#include <string_view>

namespace ballast::wire {

// "tcp://A.B.C.D:PORT" of one host: not 0.0.0.0, no multicast or broadcast address, no port 0, and
// no other way to write a number.
bool is_numeric_endpoint(std::string_view text);

}  // namespace ballast::wire
