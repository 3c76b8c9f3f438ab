#include "monitor.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

namespace ballast::zmq {
namespace {

constexpr int watched_events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                               ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

// Names are per context; counting over the process keeps them apart in each.
std::string fresh_name() {
  static std::atomic<std::uint64_t> number{0};
  return "inproc://monitor-" + std::to_string(++number);
}

std::optional<ConnectionEvent> meaning_of(std::uint16_t event) {
  switch (event) {
    case ZMQ_EVENT_ACCEPTED: return ConnectionEvent::accepted;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return ConnectionEvent::up;
    case ZMQ_EVENT_DISCONNECTED: return ConnectionEvent::down;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return ConnectionEvent::failed;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return ConnectionEvent::refused;
    default: return std::nullopt;
  }
}

}  // namespace

Monitor::Monitor(::zmq::context_t& context, ::zmq::socket_t& socket)
    : watched_(socket.handle()), listener_(context, ::zmq::socket_type::pair) {
  const std::string name = fresh_name();
  if (zmq_socket_monitor(socket.handle(), name.c_str(), watched_events) != 0) {
    throw ::zmq::error_t();
  }
  listener_.set(::zmq::sockopt::linger, 0);
  // Without a bound: libzmq's own thread would wait in the middle of an event for us to read.
  listener_.set(::zmq::sockopt::rcvhwm, 0);
  listener_.connect(name);
}

Monitor::~Monitor() { zmq_socket_monitor(watched_, nullptr, 0); }

std::optional<Monitor::Event> Monitor::take() {
  for (;;) {
    ::zmq::message_t event;
    ::zmq::message_t address;
    if (!listener_.recv(event, ::zmq::recv_flags::dontwait)) return std::nullopt;
    if (event.more()) (void)listener_.recv(address, ::zmq::recv_flags::dontwait);
    std::uint16_t number = 0;
    std::int32_t value = -1;
    if (event.size() < sizeof number + sizeof value) continue;
    std::memcpy(&number, event.data(), sizeof number);
    std::memcpy(&value, event.data<char>() + sizeof number, sizeof value);
    const auto meaning = meaning_of(number);
    if (!meaning) continue;
    // Of a handshake that failed the value is an error, not a descriptor.
    const bool about_one = *meaning == ConnectionEvent::accepted ||
                           *meaning == ConnectionEvent::up || *meaning == ConnectionEvent::down;
    return Event{*meaning, about_one ? value : -1};
  }
}

}  // namespace ballast::zmq
