#include "links.h"

#include <utility>

#include "ballast/wire/codec.h"
#include "ballast/wire/endpoint.h"
#include "options.h"

namespace ballast::zmq {
namespace {

constexpr std::chrono::seconds retry_after_refusal(1);
constexpr std::chrono::seconds retry_after_no(5);  // of our certificate

}  // namespace

Links::Links(::zmq::context_t& context, const TransportSettings& settings, const port::Trust* trust,
             TransportCounters& counters)
    : context_(context), settings_(settings), trust_(trust), counters_(counters) {}

std::optional<port::CurveKey> Links::key_of(const NodeId& node) const {
  return settings_.security ? trust_->key_of(node) : port::CurveKey{};
}

void Links::send(const NodeId& to, const std::string& endpoint, std::string_view bytes,
                 const wire::Body& body) {
  Link* link = open(to, endpoint);
  if (link == nullptr) return;
  if (std::holds_alternative<wire::Attach>(body)) attached_to_ = to;
  link->last_used = Clock::now();
  link->tenure.sent(body);
  if (!link->up && link->waiting >= limits::waiting_for_link_max) {
    ++counters_.link_down;
    return;
  }
  if (!link->socket.send(::zmq::buffer(bytes), ::zmq::send_flags::dontwait)) {
    ++counters_.queue_full;
    return;
  }
  if (!link->up) ++link->waiting;
  ++counters_.sent;
}

void Links::heard(const NodeId& peer, const wire::Body& body) {
  const auto link = links_.find(peer);
  if (link == links_.end()) return;
  if (const auto* answer = std::get_if<wire::JoinAnswer>(&body);
      answer && !answer->refusal.empty()) {
    // Our certificate is not taken there: what we say is not heard.
    link->second.refused = true;
    link->second.retry_at = Clock::now() + retry_after_no;
    if (std::exchange(link->second.up, false)) lost_.push_back(peer);
    return;
  }
  link->second.tenure.heard(body);
  if (link->second.tenure.stay() == wire::Tenure::Stay::over && attached_to_ != peer)
    links_.erase(link);
}

Links::Link* Links::open(const NodeId& to, const std::string& endpoint) {
  const std::optional<port::CurveKey> key = key_of(to);
  if (!key) {
    close(links_.find(to));
    ++counters_.no_key;
    return nullptr;
  }
  const auto found = links_.find(to);
  if (found != links_.end()) {
    Link& link = found->second;
    const bool elsewhere = !endpoint.empty() && endpoint != link.endpoint && !link.up;
    if (link.refused && Clock::now() < link.retry_at) {
      ++counters_.link_down;
      return nullptr;
    }
    if (!link.refused && !elsewhere && link.key == *key) return &link;
    const std::string again = endpoint.empty() ? link.endpoint : endpoint;
    close(found);
    return open(to, again);
  }
  if (!wire::is_numeric_endpoint(endpoint)) {
    ++counters_.bad_endpoint;
    return nullptr;
  }
  if (links_.size() >= settings_.peers_max) {
    ++counters_.peers_full;
    return nullptr;
  }
  Link link;
  link.endpoint = endpoint;
  link.key = *key;
  try {
    link.socket = ::zmq::socket_t(context_, ::zmq::socket_type::dealer);
    set_up_dealer(link.socket, settings_.security ? trust_ : nullptr, *key);
    link.monitor = std::make_unique<Monitor>(context_, link.socket);
    link.socket.connect(endpoint);
  } catch (const ::zmq::error_t& error) {
    ++(error.num() == EMFILE ? counters_.peers_full : counters_.bad_endpoint);
    return nullptr;
  }
  introduce(link);
  return &links_.emplace(to, std::move(link)).first->second;
}

void Links::introduce(Link& link) {
  const wire::FleetRecordPtr own = trust_ == nullptr ? nullptr : trust_->certificate();
  if (!own) return;
  const std::string bytes =
      wire::encode({wire::Header{settings_.cluster, own->node, {}}, wire::Introduce{own}});
  if (link.socket.send(::zmq::buffer(bytes), ::zmq::send_flags::dontwait)) ++counters_.sent;
}

void Links::close(Map::iterator at) {
  if (at == links_.end()) return;
  if (at->second.up) lost_.push_back(at->first);
  links_.erase(at);
}

void Links::take_link_events(std::vector<wire::TransportEvent>& events) {
  for (NodeId& peer : std::exchange(lost_, {})) events.push_back(wire::LinkDown{std::move(peer)});
  for (auto& [peer, link] : links_) {
    while (const auto event = link.monitor->take()) note(peer, link, event->kind, events);
  }
}

void Links::note(const NodeId& peer, Link& link, ConnectionEvent event,
                 std::vector<wire::TransportEvent>& events) {
  if (event == ConnectionEvent::up) {
    // Connected anew: the other side may have been so long away that it has forgotten us.
    if (std::exchange(link.was_up, true)) introduce(link);
    link.up = true;
    link.waiting = 0;
    events.push_back(wire::LinkUp{peer});
    return;
  }
  if (event != ConnectionEvent::down) ++counters_.refused_by_peer;
  if (event == ConnectionEvent::refused) {
    link.refused = true;
    link.retry_at = Clock::now() + retry_after_refusal;
    events.push_back(wire::KeyRefused{peer});
  }
  link.tenure.broke();
  if (std::exchange(link.up, false)) events.push_back(wire::LinkDown{peer});
}

std::optional<Links::Incoming> Links::receive() {
  // From the one after the last served, once around.
  auto at = last_served_ ? links_.upper_bound(*last_served_) : links_.begin();
  for (std::size_t tried = 0; tried < links_.size(); ++tried, ++at) {
    if (at == links_.end()) at = links_.begin();
    ::zmq::message_t message;
    const Taken taken = take_frame(at->second.socket, message);
    if (taken == Taken::none) continue;
    last_served_ = at->first;
    if (taken == Taken::junk) {
      ++counters_.extra_frames;
      continue;
    }
    at->second.last_used = Clock::now();
    return Incoming{at->first, std::move(message)};
  }
  return std::nullopt;
}

void Links::tidy() {
  const Clock::time_point now = Clock::now();
  for (auto at = links_.begin(); at != links_.end();) {
    const bool brief = at->second.tenure.stay() != wire::Tenure::Stay::usual;
    const Duration idle_max = brief ? wire::Tenure::brief_idle : settings_.idle_close;
    const bool idle = now - at->second.last_used > idle_max && attached_to_ != at->first;
    if (key_of(at->first) != at->second.key) {
      close(at++);
    } else if (idle) {
      at = links_.erase(at);
    } else {
      ++at;
    }
  }
}

void Links::append_sockets(std::vector<void*>& sockets) const {
  for (const auto& [peer, link] : links_) {
    sockets.push_back(const_cast<::zmq::socket_t&>(link.socket).handle());
    sockets.push_back(link.monitor->socket());
  }
}

}  // namespace ballast::zmq
