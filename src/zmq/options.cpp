#include "options.h"

#include <sys/random.h>

#include <cstdlib>

#include "ballast/base/limits.h"

namespace ballast::zmq {
namespace {

namespace option = ::zmq::sockopt;

// A host that is gone, or a way that is cut, is noticed after 6 s: by keepalive where nothing is
// said, else by what is not acknowledged. A process that stands still is noticed by those who wait
// for its answers. ZMTP's own heartbeats would notice it sooner, and cannot be used: when a peer
// closes a connection whose messages wait to be read, as after this process stood still, libzmq 4.3
// answers the heartbeat among them into it, and aborts ("!_io_error", stream_engine_base.cpp).
constexpr int keepalive_idle_s = 2;
constexpr int keepalive_every_s = 1;
constexpr int keepalive_count = 4;
constexpr int unacknowledged_max_ms = 6'000;
constexpr int connect_timeout_ms = 5'000;
constexpr int handshake_timeout_ms = 5'000;
constexpr int reconnect_first_ms = 100;
constexpr int reconnect_longest_ms = 5'000;
constexpr int backlog = 1'024;
// With room for the handshake of CURVE, which the bound is for as well.
constexpr std::int64_t subscription_bytes_max = 1'024;

void set_up_any(::zmq::socket_t& socket, std::size_t bytes_max) {
  socket.set(option::linger, 0);
  socket.set(option::sndhwm, static_cast<int>(limits::send_queue_messages_max));
  socket.set(option::rcvhwm, static_cast<int>(limits::receive_queue_messages_max));
  socket.set(option::maxmsgsize, static_cast<std::int64_t>(bytes_max));
  socket.set(option::handshake_ivl, handshake_timeout_ms);
  socket.set(option::reconnect_ivl, reconnect_first_ms);
  socket.set(option::reconnect_ivl_max, reconnect_longest_ms);
  socket.set(option::ipv6, false);
}

void set_up_tcp(::zmq::socket_t& socket) {
  set_up_any(socket, limits::message_bytes_max);
  socket.set(option::connect_timeout, connect_timeout_ms);
  socket.set(option::backlog, backlog);
  socket.set(option::tcp_keepalive, 1);
  socket.set(option::tcp_keepalive_idle, keepalive_idle_s);
  socket.set(option::tcp_keepalive_intvl, keepalive_every_s);
  socket.set(option::tcp_keepalive_cnt, keepalive_count);
  socket.set(option::tcp_maxrt, unacknowledged_max_ms);
}

void be_curve_server(::zmq::socket_t& socket, const port::Trust& trust, const char* zap_domain) {
  socket.set(option::curve_server, true);
  socket.set(option::curve_secretkey, ::zmq::buffer(trust.secret_key()));
  socket.set(option::zap_domain, zap_domain);
  // Without it everybody may come in where no doorman answers. One always does, so a libzmq that
  // does not know the option (its headers call it a draft) is no reason not to start.
  constexpr int zap_enforce_domain = 93;
  const int on = 1;
  (void)zmq_setsockopt(socket.handle(), zap_enforce_domain, &on, sizeof on);
}

void be_curve_client(::zmq::socket_t& socket, const port::Trust& trust,
                     const port::CurveKey& server_key) {
  socket.set(option::curve_serverkey, ::zmq::buffer(server_key));
  socket.set(option::curve_publickey, ::zmq::buffer(trust.public_key()));
  socket.set(option::curve_secretkey, ::zmq::buffer(trust.secret_key()));
}

}  // namespace

void draw_routing_ids() {
  unsigned seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
    throw ::zmq::error_t();  // the reason is in errno
  std::srand(seed);
}

void set_up(::zmq::context_t& context) {
  context.set(::zmq::ctxopt::max_sockets, static_cast<int>(limits::sockets_max));
  context.set(::zmq::ctxopt::io_threads, 1);
}

void set_up_router(::zmq::socket_t& socket, const port::Trust* trust) {
  set_up_tcp(socket);
  socket.set(option::sndhwm, static_cast<int>(limits::session_send_queue_messages_max));
  socket.set(option::rcvhwm, static_cast<int>(limits::session_receive_queue_messages_max));
  socket.set(option::router_mandatory, true);
  socket.set(option::router_handover, false);
  if (trust != nullptr) be_curve_server(socket, *trust, zap_domain_router);
}

void set_up_dealer(::zmq::socket_t& socket, const port::Trust* trust,
                   const port::CurveKey& server_key) {
  set_up_tcp(socket);
  if (trust != nullptr) be_curve_client(socket, *trust, server_key);
}

void set_up_feed(::zmq::socket_t& socket, const port::Trust* trust) {
  set_up_tcp(socket);
  // Subscriptions are all that comes in.
  socket.set(option::maxmsgsize, subscription_bytes_max);
  socket.set(option::xpub_verboser, 1);
  if (trust != nullptr) be_curve_server(socket, *trust, zap_domain_feed);
}

void set_up_subscriber(::zmq::socket_t& socket, const port::Trust* trust,
                       const port::CurveKey& server_key) {
  set_up_tcp(socket);
  if (trust != nullptr) be_curve_client(socket, *trust, server_key);
}

}  // namespace ballast::zmq
