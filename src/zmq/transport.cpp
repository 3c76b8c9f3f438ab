// Ties the doorman, the sessions of others, our own links and the gate together. One thread.
#include "ballast/zmq/transport.h"

#include <sys/resource.h>

#include <algorithm>
#include <zmq.hpp>

#include "ballast/base/assert.h"
#include "ballast/wire/codec.h"
#include "doorman.h"
#include "feed.h"
#include "feeds.h"
#include "frames.h"
#include "gate.h"
#include "guests.h"
#include "links.h"
#include "memory.h"
#include "monitor.h"
#include "options.h"
#include "sessions.h"
#include "strangers.h"
#include "zap.h"

namespace ballast::zmq {
namespace {

constexpr std::size_t zap_questions_per_turn = 64;
constexpr std::size_t subscriptions_per_turn = 256;
constexpr std::chrono::seconds tidy_every(1);
constexpr std::chrono::milliseconds memory_looked_at_every(100);
// Of a process: for the rest of it, libvirt's connections and threads among that.
constexpr std::size_t other_descriptors = 256;

// How many connections to us may be open: what the limit on descriptors leaves of them.
std::size_t connections_max(const TransportSettings& settings) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return settings.peers_max;
  const std::size_t all = limit.rlim_cur;
  return std::min(settings.peers_max,
                  all > 2 * other_descriptors ? all - other_descriptors : all / 2);
}

}  // namespace

struct ZmqTransport::Parts {
  Parts(const TransportSettings& given, port::Trust* trust_given)
      : settings(given),
        trust(trust_given),
        links(context, settings, trust, counters),
        feeds(context, settings, trust, counters),
        sessions(given.peers_max),
        gate(settings, trust, counters),
        doorman(connections_max(given)),
        strangers(settings, trust_given, counters, gate, doorman) {
    return_large_blocks();
    set_up(context);
    if (settings.security) zap.emplace(context, *trust);
    draw_routing_ids();
    router = ::zmq::socket_t(context, ::zmq::socket_type::router);
    set_up_router(router, settings.security ? trust : nullptr);
    first_name = name_of_first();
    router_monitor.emplace(context, router);
    router.bind(settings.bind);
    endpoint = router.get(::zmq::sockopt::last_endpoint);
  }

  // The number at which the names begin that the ROUTER gives: that of a connection of our own.
  std::uint32_t name_of_first();
  void open_feed() { feed.emplace(context, settings, trust, counters); }

  void reply(const NodeId& to, std::string_view bytes, const wire::Body& body);
  void watch_the_door();
  std::optional<wire::Delivered> receive_from_session(std::size_t& looks);
  std::optional<wire::Message> heard_of_stranger(std::string_view session, ::zmq::message_t& frame);
  std::optional<wire::Delivered> receive_from_link(std::size_t& looks);
  std::optional<wire::Delivered> receive_from_feed(std::size_t& looks);
  // From the next of the three in turn, so that none starves another.
  std::optional<wire::Delivered> receive(std::size_t& looks);
  void tidy();
  bool is_still_trusted(const NodeId& node, const port::CurveKey& key) const;
  // Its first message, at least since the last tidy(). Of a key with many connections the oldest
  // go.
  void welcome(Guest& guest, std::string_view session);
  // False, and its connection cut, when it is one master too many.
  bool may_knock(Guest& guest, const wire::Body& body);
  // False, and its connection cut, when the peer has brought a name of its own.
  bool is_named_by_us(std::string_view session, ::zmq::message_t& frame);
  // A connection has ended, and the session on it.
  void closed(int descriptor);
  void watch_memory();
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
  Guests guests;
  std::optional<Feed> feed;
  Links links;
  Feeds feeds;
  Sessions sessions;
  Gate gate;
  Doorman doorman;
  Strangers strangers;
  std::uint32_t first_name = 0;
  std::uint64_t connections_come = 0;
  Links::Clock::time_point memory_at;
  bool memory_was_high = false;
  unsigned turn = 0;
  Links::Clock::time_point tidy_at = Links::Clock::now() + tidy_every;
};

void ZmqTransport::Parts::reply(const NodeId& to, std::string_view bytes, const wire::Body& body) {
  const Sessions::Session* session = sessions.find(to);
  if (session == nullptr && links.is_open(to)) return links.send(to, "", bytes, body);
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

std::uint32_t ZmqTransport::Parts::name_of_first() {
  ::zmq::socket_t probe(context, ::zmq::socket_type::dealer);
  router.bind("inproc://first-name");
  probe.connect("inproc://first-name");
  probe.send(::zmq::str_buffer(""), ::zmq::send_flags::dontwait);
  ::zmq::message_t name;
  ::zmq::message_t nothing;
  const bool taken = router.recv(name) && router.recv(nothing);
  BALLAST_ASSERT(taken && is_given_name(name.to_string_view()), "a ROUTER that gives other names");
  router.unbind("inproc://first-name");
  return number_of(name.to_string_view());
}

// Those it gives follow each other, one for each connection, so that one of its form that a peer
// has made up is told as well. It cannot be one of those that come next: see draw_routing_ids().
bool ZmqTransport::Parts::is_named_by_us(std::string_view session, ::zmq::message_t& frame) {
  constexpr std::uint64_t not_yet_heard_of = 1U << 16U;
  const auto is_in_order = [&] {
    const std::uint32_t since_first = number_of(session) - first_name;
    return since_first <= connections_come + not_yet_heard_of;
  };
  if (is_given_name(session) && is_in_order()) return true;
  ++counters.chosen_names;
  if (const auto connection = connection_of(frame)) cut(*connection);
  return false;
}

void ZmqTransport::Parts::closed(int descriptor) {
  doorman.closed(descriptor);
  const std::optional<Guest> gone = guests.closed(descriptor);
  if (gone) sessions.ended(gone->who.node, gone->session);
}

void ZmqTransport::Parts::watch_the_door() {
  const Doorman::Clock::time_point now = Doorman::Clock::now();
  // Keys first, then who has come: whoever has shown one is at the door by then, and is not taken
  // for one who sends much without it.
  const ZapHandler::Served served = zap ? zap->serve(zap_questions_per_turn) : ZapHandler::Served{};
  while (const auto event = router_monitor->take()) {
    if (event->kind == ConnectionEvent::accepted) {
      ++connections_come;
      doorman.accepted(now, event->descriptor, guests.size());
    }
    if (event->kind == ConnectionEvent::down) {
      ++counters.lost_sessions;
      closed(event->descriptor);
    }
    if (event->kind == ConnectionEvent::refused || event->kind == ConnectionEvent::failed) {
      ++counters.failed_handshakes;
    }
  }
  if (feed) feed->note_connections();
  counters.refused_keys += served.strangers;
  counters.refused_subscribers += served.not_masters;
  for (const std::uint32_t address : served.at_router) doorman.key_accepted(now, address);
  if (feed)
    for (const std::uint32_t address : served.at_feed) feed->key_accepted(address);
  if (feed) feed->watch(subscriptions_per_turn);
  if (doorman.is_watching()) doorman.look(now);
}

// What waits in libzmq's queues is nowhere told, but the process is as large as it is: above the
// mark, whoever has sent most between two looks is cut off, until it is smaller.
void ZmqTransport::Parts::watch_memory() {
  const Links::Clock::time_point now = Links::Clock::now();
  if (now < memory_at) return;
  memory_at = now + memory_looked_at_every;
  const bool high = resident_bytes() > limits::memory_soft_max;
  if (high) {
    const auto most = guests.greedy();
    if (memory_was_high && most && most->second >= limits::greedy_bytes_min)
      counters.greedy_cut += guests.cut_all(most->first);
  }
  if (memory_was_high && !high) give_memory_back();
  memory_was_high = high;
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

void ZmqTransport::Parts::welcome(Guest& guest, std::string_view session) {
  if (!guest.session.empty()) return;
  guest.session = session;
  doorman.spoke(guest.connection.descriptor);
  if (settings.security)
    counters.connections_of_key +=
        guests.cut_all(NodeId(guest.who.node), limits::connections_of_key_max);
}

// Slaves may be many, other masters at our door may not, however many want to be our peer.
bool ZmqTransport::Parts::may_knock(Guest& guest, const wire::Body& body) {
  if (guest.knocked || !std::holds_alternative<wire::Neighbor>(body)) return true;
  guest.knocked = true;
  if (guests.knocked() + links.size() <= limits::master_sessions_max) return true;
  ++counters.masters_too_many;
  guests.cut(guest);
  return false;
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
    if (!is_named_by_us(session.to_string_view(), frame)) continue;
    std::optional<Proven> proven;
    std::optional<wire::Message> message;
    if (settings.security) {
      proven = ZapHandler::proven_by(frame, *trust);
      if (!proven || !is_still_trusted(proven->node, proven->key)) {
        message = heard_of_stranger(session.to_string_view(), frame);
        if (!message) continue;
        proven = ZapHandler::proven_by(frame, *trust);
      }
    }
    Guest* guest = guests.note(frame, proven.value_or(Proven{}));
    if (guest != nullptr && guest->said == 1) welcome(*guest, session.to_string_view());
    if (!message) message = gate.admit(frame.to_string_view(), proven ? &proven->node : nullptr);
    if (!message) {
      // Its node is told that it is not believed, on the session that it has opened.
      if (gate.refused_for_trust())
        (void)takes(proven->node, session.to_string_view(), proven->key, false);
      continue;
    }
    if (guest != nullptr && !may_knock(*guest, message->body)) continue;
    if (const auto* ask = std::get_if<wire::JoinAsk>(&message->body)) {
      strangers.knock(session.to_string_view(), proven ? proven->key : port::CurveKey{}, *ask);
      continue;
    }
    // Only who was asked answers.
    if (std::holds_alternative<wire::JoinAnswer>(message->body)) continue;
    NodeId from = message->header.sender;
    const port::CurveKey key = proven ? proven->key : port::CurveKey{};
    const bool is_attach = std::holds_alternative<wire::Attach>(message->body);
    if (!takes(from, session.to_string_view(), key, is_attach)) continue;
    --looks;
    return wire::Delivered{std::move(from), std::move(*message)};
  }
  return std::nullopt;
}

// The word of one who is known by it from now on.
std::optional<wire::Message> ZmqTransport::Parts::heard_of_stranger(std::string_view session,
                                                                    ::zmq::message_t& frame) {
  const std::optional<port::CurveKey> key = ZapHandler::key_of(frame);
  if (!key) {
    ++counters.untrusted;
    if (const auto connection = connection_of(frame)) cut(*connection);
    return std::nullopt;
  }
  std::optional<wire::Message> word = strangers.hear(router, session, frame, *key);
  if (word) ++counters.introduced;
  return word;
}

std::optional<wire::Delivered> ZmqTransport::Parts::receive_from_link(std::size_t& looks) {
  for (; looks > 0; --looks) {
    std::optional<Links::Incoming> incoming = links.receive();
    if (!incoming) return std::nullopt;
    auto message = gate.admit(incoming->message.to_string_view(), &incoming->peer);
    if (!message) continue;
    links.heard(incoming->peer, message->body);
    if (std::holds_alternative<wire::JoinAsk>(message->body)) continue;
    --looks;
    return wire::Delivered{std::move(incoming->peer), std::move(*message)};
  }
  return std::nullopt;
}

std::optional<wire::Delivered> ZmqTransport::Parts::receive_from_feed(std::size_t& looks) {
  for (; looks > 0; --looks) {
    std::optional<Feeds::Incoming> incoming = feeds.receive();
    if (!incoming) return std::nullopt;
    auto message = gate.admit(incoming->message.to_string_view(), &incoming->peer);
    if (!message) continue;
    if (!std::holds_alternative<wire::Gossip>(message->body)) {
      ++counters.not_gossip;
      continue;
    }
    --looks;
    return wire::Delivered{std::move(incoming->peer), std::move(*message)};
  }
  return std::nullopt;
}

std::optional<wire::Delivered> ZmqTransport::Parts::receive(std::size_t& looks) {
  constexpr unsigned sources = 3;
  std::optional<wire::Delivered> delivered;
  for (unsigned tried = 0; tried < sources && !delivered; ++tried) {
    turn = (turn + 1) % sources;
    switch (turn) {
      case 0: delivered = receive_from_link(looks); break;
      case 1: delivered = receive_from_session(looks); break;
      default: delivered = receive_from_feed(looks); break;
    }
  }
  return delivered;
}

void ZmqTransport::Parts::tidy() {
  links.tidy();
  feeds.tidy();
  if (feed) feed->tidy();
  counters.cut_connections += guests.tidy(
      [this](const Guest& guest) { return is_still_trusted(guest.who.node, guest.who.key); });
  tidy_at = Links::Clock::now() + tidy_every;
}

Result<std::unique_ptr<ZmqTransport>> ZmqTransport::open(const TransportSettings& settings,
                                                         port::Trust* trust) {
  BALLAST_ASSERT(trust != nullptr || !settings.security, "security without a trust store");
  const auto refused = [](const char* key, const std::string& address, const std::string& why) {
    return Error{std::string("node.") + key + ": cannot listen at " + ballast::quoted(address) +
                 ": " + why};
  };
  if (!settings.bind.starts_with("tcp://")) {
    return refused("bind", settings.bind, "expected \"tcp://address:port\"");
  }
  const bool has_feed = !settings.bind_feed.empty();
  if (has_feed && !settings.bind_feed.starts_with("tcp://")) {
    return refused("bind_feed", settings.bind_feed, "expected \"tcp://address:port\"");
  }
  std::unique_ptr<Parts> parts;
  try {
    parts = std::make_unique<Parts>(settings, trust);
  } catch (const ::zmq::error_t& error) {
    return refused("bind", settings.bind, error.what());
  }
  try {
    if (has_feed) parts->open_feed();
  } catch (const ::zmq::error_t& error) {
    return refused("bind_feed", settings.bind_feed, error.what());
  }
  return std::unique_ptr<ZmqTransport>(new ZmqTransport(std::move(parts)));
}

ZmqTransport::ZmqTransport(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ZmqTransport::~ZmqTransport() = default;

void ZmqTransport::send(const wire::Envelope& envelope) {
  const std::string bytes = wire::encode(envelope.message);
  if (bytes.size() > limits::message_bytes_max) {
    ++parts_->counters.too_long;
    return;
  }
  if (envelope.endpoint.empty()) return parts_->reply(envelope.to, bytes, envelope.message.body);
  parts_->links.send(envelope.to, envelope.endpoint, bytes, envelope.message.body);
}

void ZmqTransport::publish(const wire::Publication& publication) {
  if (!parts_->feed || !std::holds_alternative<wire::Gossip>(publication.message.body)) {
    ++parts_->counters.bad_publication;
    return;
  }
  const std::string bytes = wire::encode(publication.message);
  if (bytes.size() > limits::message_bytes_max) {
    ++parts_->counters.too_long;
    return;
  }
  parts_->feed->publish(publication.topic, bytes);
}

void ZmqTransport::subscribe(const wire::Subscription& subscription) {
  parts_->feeds.subscribe(subscription);
}

std::vector<wire::TransportEvent> ZmqTransport::take_events(std::size_t count_max) {
  Parts& parts = *parts_;
  std::vector<wire::TransportEvent> events;
  parts.watch_the_door();
  parts.watch_memory();
  if (Links::Clock::now() >= parts.tidy_at) parts.tidy();
  parts.links.take_link_events(events);
  parts.feeds.take_feed_events(events);
  // Junk costs a look as well, so that a flood of it cannot hold the thread.
  std::size_t looks = 2 * count_max + 2;
  while (events.size() < count_max && looks > 0) {
    std::optional<wire::Delivered> delivered = parts.receive(looks);
    if (!delivered) break;
    events.push_back(std::move(*delivered));
    ++parts.counters.received;
  }
  for (NodeId& node : parts.gate.take_not_believed())
    events.push_back(wire::NotBelieved{std::move(node)});
  return events;
}

std::vector<Knock> ZmqTransport::take_knocks() { return parts_->strangers.take_knocks(); }

void ZmqTransport::answer_knock(const Knock& knock, const NodeId& self,
                                const wire::JoinAnswer& answer) {
  parts_->strangers.answer(parts_->router, knock.session,
                           {wire::Header{parts_->settings.cluster, self, {}}, answer});
}

const std::string& ZmqTransport::endpoint() const { return parts_->endpoint; }
const std::string& ZmqTransport::feed() const {
  static const std::string none;
  return parts_->feed ? parts_->feed->endpoint() : none;
}
const TransportCounters& ZmqTransport::counters() const {
  // The doormen count for themselves.
  TransportCounters& all = parts_->counters;
  DoormanCounters door = parts_->doorman.counters();
  if (parts_->feed) {
    const DoormanCounters& at_feed = parts_->feed->doorman().counters();
    door.too_many += at_feed.too_many;
    door.silent += at_feed.silent;
    door.too_long += at_feed.too_long;
  }
  all.unproven_too_many = door.too_many;
  all.unproven_silent = door.silent;
  all.unproven_too_long = door.too_long;
  return all;
}
Duration ZmqTransport::patience() const {
  const bool at_feed = parts_->feed && parts_->feed->doorman().is_watching();
  if (parts_->doorman.is_watching() || at_feed || parts_->memory_was_high)
    return memory_looked_at_every;
  return std::chrono::hours(1);
}
std::size_t ZmqTransport::links() const { return parts_->links.size(); }
std::size_t ZmqTransport::sessions() const { return parts_->sessions.size(); }
std::size_t ZmqTransport::feeds() const { return parts_->feeds.size(); }
std::size_t ZmqTransport::subscribers() const {
  return parts_->feed ? parts_->feed->subscribers() : 0;
}

void ZmqTransport::append_sockets(std::vector<void*>& sockets) const {
  sockets.push_back(parts_->router.handle());
  sockets.push_back(parts_->router_monitor->socket());
  if (parts_->zap) sockets.push_back(parts_->zap->socket());
  if (parts_->feed) parts_->feed->append_sockets(sockets);
  parts_->links.append_sockets(sockets);
  parts_->feeds.append_sockets(sockets);
}

}  // namespace ballast::zmq
