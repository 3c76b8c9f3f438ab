// Every option that we set on a socket, in one place: nothing is left to a default of libzmq that
// matters to us. Source: design, section 4.
#pragma once

#include <string>
#include <zmq.hpp>

#include "ballast/port/trust.h"

namespace ballast::zmq {

// Bounds of the context; before its first socket.
void set_up(::zmq::context_t& context);

// Before a ROUTER is made: the names that it gives to its connections then begin at a number that
// nobody can guess. libzmq draws it with rand() and never seeds that, so it would be the same in
// every process; and a peer that takes a name before the ROUTER gives it ends the process.
void draw_routing_ids();

// The ROUTER that others connect to. With `trust`, a CURVE server that asks ZAP about every key.
void set_up_router(::zmq::socket_t& socket, const port::Trust* trust);

// A DEALER to one node. With `trust`, a CURVE client that accepts only `server_key`.
void set_up_dealer(::zmq::socket_t& socket, const port::Trust* trust,
                   const port::CurveKey& server_key);

// What the doorman is asked with: who may come to the ROUTER, and who to the feed.
inline constexpr const char* zap_domain_router = "ballast";
inline constexpr const char* zap_domain_feed = "ballast-feed";

// The feed (XPUB) that others subscribe to, and a subscriber (SUB) of another's; CURVE as above.
void set_up_feed(::zmq::socket_t& socket, const port::Trust* trust);
void set_up_subscriber(::zmq::socket_t& socket, const port::Trust* trust,
                       const port::CurveKey& server_key);

}  // namespace ballast::zmq
