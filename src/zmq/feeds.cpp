#include "feeds.h"

#include <utility>

#include "ballast/wire/endpoint.h"
#include "ballast/wire/tenure.h"
#include "frames.h"
#include "options.h"

namespace ballast::zmq {
namespace {

constexpr std::chrono::seconds retry_after_refusal(1);

}  // namespace

std::optional<port::CurveKey> Feeds::key_of(const NodeId& node) {
  if (!settings_.security) return port::CurveKey{};
  const std::optional<port::CurveKey> key = trust_->key_of(node);
  if (!key) {
    ++counters_.no_key;
  } else if (!trust_->may_be_master(node)) {
    ++counters_.not_master;
    return std::nullopt;
  }
  return key;
}

void Feeds::subscribe(const wire::Subscription& wanted) {
  if (wanted.topics.empty()) {
    feeds_.erase(wanted.peer);
    return;
  }
  const std::optional<port::CurveKey> key = key_of(wanted.peer);
  if (!key) return;
  const auto found = feeds_.find(wanted.peer);
  if (found != feeds_.end() && found->second.endpoint == wanted.feed && found->second.key == *key) {
    PeerFeed& feed = found->second;
    for (const std::string& topic : feed.topics)
      if (!wanted.topics.contains(topic)) feed.socket.set(::zmq::sockopt::unsubscribe, topic);
    for (const std::string& topic : wanted.topics)
      if (!feed.topics.contains(topic)) feed.socket.set(::zmq::sockopt::subscribe, topic);
    feed.topics = wanted.topics;
    return;
  }
  if (found != feeds_.end()) {
    if (found->second.up) lost_.push_back(wanted.peer);
    feeds_.erase(found);
  }
  if (feeds_.size() >= limits::master_feeds_max) {
    ++counters_.peers_full;
    return;
  }
  PeerFeed feed;
  feed.endpoint = wanted.feed;
  feed.key = *key;
  feed.topics = wanted.topics;
  if (connect(feed)) feeds_.emplace(wanted.peer, std::move(feed));
}

bool Feeds::connect(PeerFeed& feed) {
  feed.up = feed.refused = false;
  if (!wire::is_numeric_endpoint(feed.endpoint)) {
    ++counters_.bad_endpoint;
    return false;
  }
  try {
    feed.monitor.reset();
    feed.socket = ::zmq::socket_t(context_, ::zmq::socket_type::sub);
    set_up_subscriber(feed.socket, settings_.security ? trust_ : nullptr, feed.key);
    feed.monitor = std::make_unique<Monitor>(context_, feed.socket);
    for (const std::string& topic : feed.topics) feed.socket.set(::zmq::sockopt::subscribe, topic);
    feed.socket.connect(feed.endpoint);
    return true;
  } catch (const ::zmq::error_t& error) {
    ++(error.num() == EMFILE ? counters_.peers_full : counters_.bad_endpoint);
    return false;
  }
}

void Feeds::take_feed_events(std::vector<wire::TransportEvent>& events) {
  for (NodeId& peer : std::exchange(lost_, {})) events.push_back(wire::FeedDown{std::move(peer)});
  for (auto& [peer, feed] : feeds_)
    while (const auto event = feed.monitor->take()) note(peer, feed, event->kind, events);
}

void Feeds::note(const NodeId& peer, PeerFeed& feed, ConnectionEvent event,
                 std::vector<wire::TransportEvent>& events) {
  if (event == ConnectionEvent::up) {
    feed.up = true;
    events.push_back(wire::FeedUp{peer});
    return;
  }
  if (event != ConnectionEvent::down) ++counters_.refused_by_peer;
  if (event == ConnectionEvent::refused) {
    feed.refused = true;
    feed.retry_at = Clock::now() + retry_after_refusal;
  }
  if (std::exchange(feed.up, false)) events.push_back(wire::FeedDown{peer});
}

std::optional<Feeds::Incoming> Feeds::receive() {
  // From the one after the last served, once around.
  auto at = last_served_ ? feeds_.upper_bound(*last_served_) : feeds_.begin();
  for (std::size_t tried = 0; tried < feeds_.size(); ++tried, ++at) {
    if (at == feeds_.end()) at = feeds_.begin();
    ::zmq::message_t topic;
    if (!at->second.socket.recv(topic, ::zmq::recv_flags::dontwait)) continue;
    last_served_ = at->first;
    ::zmq::message_t message;
    if (!topic.more() || take_frame(at->second.socket, message) != Taken::one) {
      ++counters_.extra_frames;
      continue;
    }
    return Incoming{at->first, std::move(message)};
  }
  return std::nullopt;
}

void Feeds::tidy() {
  const Clock::time_point now = Clock::now();
  for (auto at = feeds_.begin(); at != feeds_.end();) {
    PeerFeed& feed = at->second;
    const bool trusted = !settings_.security || (trust_->key_of(at->first) == feed.key &&
                                                 trust_->may_be_master(at->first));
    const bool again = feed.refused && now >= feed.retry_at;
    if (trusted && (!again || connect(feed))) {
      ++at;
      continue;
    }
    if (feed.up) lost_.push_back(at->first);
    at = feeds_.erase(at);
  }
}

void Feeds::append_sockets(std::vector<void*>& sockets) const {
  for (const auto& [peer, feed] : feeds_) {
    sockets.push_back(const_cast<::zmq::socket_t&>(feed.socket).handle());
    sockets.push_back(feed.monitor->socket());
  }
}

}  // namespace ballast::zmq
