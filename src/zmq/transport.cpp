// Ties the doorman, the sessions of others, our own links and the gate together. One thread.
#include "ballast/zmq/transport.h"

#include <zmq.hpp>

#include "ballast/base/assert.h"
#include "ballast/wire/codec.h"
#include "frames.h"
#include "gate.h"
#include "links.h"
#include "monitor.h"
#include "options.h"
#include "sessions.h"
#include "zap.h"

namespace ballast::zmq {
namespace {

constexpr std::size_t zap_questions_per_turn = 64;
constexpr std::chrono::seconds tidy_every(1);

}  // namespace

struct ZmqTransport::Parts {
  Parts(const TransportSettings& given, const port::Trust* trust_given)
      : settings(given),
        trust(trust_given),
        links(context, settings, trust, counters),
        sessions(given.peers_max),
        gate(settings, trust, counters) {
    set_up(context);
    if (settings.security) zap.emplace(context, *trust);
    router = ::zmq::socket_t(context, ::zmq::socket_type::router);
    set_up_router(router, settings.security ? trust : nullptr);
    router_monitor.emplace(context, router);
    router.bind(settings.bind);
    endpoint = router.get(::zmq::sockopt::last_endpoint);
  }

  void reply(const NodeId& to, std::string_view bytes);
  void watch_the_door();
  std::optional<wire::Delivered> receive_from_session(std::size_t& looks);
  std::optional<wire::Delivered> receive_from_link(std::size_t& looks);
  bool is_still_trusted(const NodeId& node, const port::CurveKey& key) const;
  // Notes the session of a message; false when a newer one has replaced it.
  bool takes(const NodeId& node, std::string_view session, const port::CurveKey& key,
             bool is_attach);

  const TransportSettings settings;
  const port::Trust* const trust;
  TransportCounters counters;
  ::zmq::context_t context;
  std::optional<ZapHandler> zap;
  ::zmq::socket_t router;
  std::optional<Monitor> router_monitor;
  std::string endpoint;
  Links links;
  Sessions sessions;
  Gate gate;
  bool links_first = false;
  Links::Clock::time_point tidy_at = Links::Clock::now() + tidy_every;
};

void ZmqTransport::Parts::reply(const NodeId& to, std::string_view bytes) {
  const Sessions::Session* session = sessions.find(to);
  if (session == nullptr && links.is_open(to)) return links.send(to, "", bytes, false);
  if (session == nullptr || !is_still_trusted(to, session->key)) {
    ++counters.no_session;
    return;
  }
  try {
    const auto now = ::zmq::send_flags::dontwait;
    if (!router.send(::zmq::buffer(session->id), now | ::zmq::send_flags::sndmore)) {
      ++counters.queue_full;
      return;
    }
    router.send(::zmq::buffer(bytes), now);
    ++counters.sent;
  } catch (const ::zmq::error_t&) {
    // EHOSTUNREACH: that connection has ended.
    sessions.forget(to);
    ++counters.no_session;
  }
}

void ZmqTransport::Parts::watch_the_door() {
  if (zap) counters.refused_keys += zap->serve(zap_questions_per_turn);
  while (const auto event = router_monitor->take()) {
    if (*event == ConnectionEvent::down) ++counters.lost_sessions;
    if (*event == ConnectionEvent::refused || *event == ConnectionEvent::failed) {
      ++counters.failed_handshakes;
    }
  }
}

bool ZmqTransport::Parts::is_still_trusted(const NodeId& node, const port::CurveKey& key) const {
  return !settings.security || trust->key_of(node) == key;
}

bool ZmqTransport::Parts::takes(const NodeId& node, std::string_view session,
                                const port::CurveKey& key, bool is_attach) {
  switch (sessions.note(node, session, key, is_attach)) {
    case Arrival::known:
    case Arrival::fresh: return true;
    case Arrival::replaced: ++counters.replaced_sessions; return true;
    case Arrival::doubled_attach: ++counters.doubled_session; return true;
    case Arrival::doubled: ++counters.doubled_session; return false;
  }
  BALLAST_ASSERT(false, "an arrival that is none");
}

std::optional<wire::Delivered> ZmqTransport::Parts::receive_from_session(std::size_t& looks) {
  for (; looks > 0; --looks) {
    ::zmq::message_t session;
    ::zmq::message_t frame;
    if (!router.recv(session, ::zmq::recv_flags::dontwait)) return std::nullopt;
    if (take_frame(router, frame) == Taken::junk) {
      ++counters.extra_frames;
      continue;
    }
    std::optional<Proven> proven;
    if (settings.security) {
      proven = ZapHandler::proven_by(frame);
      if (!proven || !is_still_trusted(proven->node, proven->key)) {
        ++counters.untrusted;
        continue;
      }
    }
    auto message = gate.admit(frame.to_string_view(), proven ? &proven->node : nullptr);
    if (!message) continue;
    NodeId from = message->header.sender;
    const port::CurveKey key = proven ? proven->key : port::CurveKey{};
    const bool is_attach = std::holds_alternative<wire::Attach>(message->body);
    if (!takes(from, session.to_string_view(), key, is_attach)) continue;
    --looks;
    return wire::Delivered{std::move(from), std::move(*message)};
  }
  return std::nullopt;
}

std::optional<wire::Delivered> ZmqTransport::Parts::receive_from_link(std::size_t& looks) {
  for (; looks > 0; --looks) {
    std::optional<Links::Incoming> incoming = links.receive();
    if (!incoming) return std::nullopt;
    auto message = gate.admit(incoming->message.to_string_view(), &incoming->peer);
    if (!message) continue;
    --looks;
    return wire::Delivered{std::move(incoming->peer), std::move(*message)};
  }
  return std::nullopt;
}

Result<std::unique_ptr<ZmqTransport>> ZmqTransport::open(const TransportSettings& settings,
                                                         const port::Trust* trust) {
  BALLAST_ASSERT(trust != nullptr || !settings.security, "security without a trust store");
  if (!settings.bind.starts_with("tcp://")) {
    return Error{"node.bind: found " + ballast::quoted(settings.bind) +
                 ", expected \"tcp://address:port\""};
  }
  try {
    return std::unique_ptr<ZmqTransport>(
        new ZmqTransport(std::make_unique<Parts>(settings, trust)));
  } catch (const ::zmq::error_t& error) {
    return Error{"node.bind: cannot listen at " + ballast::quoted(settings.bind) + ": " +
                 error.what()};
  }
}

ZmqTransport::ZmqTransport(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ZmqTransport::~ZmqTransport() = default;

void ZmqTransport::send(const wire::Envelope& envelope) {
  const std::string bytes = wire::encode(envelope.message);
  if (bytes.size() > limits::message_bytes_max) {
    ++parts_->counters.too_long;
    return;
  }
  if (envelope.endpoint.empty()) return parts_->reply(envelope.to, bytes);
  const bool is_attach = std::holds_alternative<wire::Attach>(envelope.message.body);
  parts_->links.send(envelope.to, envelope.endpoint, bytes, is_attach);
}

std::vector<wire::TransportEvent> ZmqTransport::take_events(std::size_t count_max) {
  Parts& parts = *parts_;
  std::vector<wire::TransportEvent> events;
  parts.watch_the_door();
  if (Links::Clock::now() >= parts.tidy_at) {
    parts.links.tidy();
    parts.tidy_at = Links::Clock::now() + tidy_every;
  }
  parts.links.take_link_events(events);
  // Junk costs a look as well, so that a flood of it cannot hold the thread.
  std::size_t looks = 2 * count_max + 2;
  // Links and sessions take turns, so that neither starves the other.
  bool others_empty = false;
  while (events.size() < count_max && looks > 0) {
    parts.links_first = !parts.links_first;
    auto delivered =
        parts.links_first ? parts.receive_from_link(looks) : parts.receive_from_session(looks);
    if (delivered) {
      events.push_back(std::move(*delivered));
      ++parts.counters.received;
      others_empty = false;
    } else if (std::exchange(others_empty, true)) {
      break;
    }
  }
  return events;
}

const std::string& ZmqTransport::endpoint() const { return parts_->endpoint; }
const TransportCounters& ZmqTransport::counters() const { return parts_->counters; }
std::size_t ZmqTransport::links() const { return parts_->links.size(); }
std::size_t ZmqTransport::sessions() const { return parts_->sessions.size(); }

void ZmqTransport::append_sockets(std::vector<void*>& sockets) const {
  sockets.push_back(parts_->router.handle());
  sockets.push_back(parts_->router_monitor->socket());
  if (parts_->zap) sockets.push_back(parts_->zap->socket());
  parts_->links.append_sockets(sockets);
}

}  // namespace ballast::zmq
