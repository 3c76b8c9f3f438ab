// The feeds of others that we have subscribed to: one SUB socket each, so that whatever comes on it
// is that peer's, proven by its pinned key. A subscription is a standing wish: a feed that breaks
// or refuses us is connected again.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "ballast/base/ids.h"
#include "ballast/port/trust.h"
#include "ballast/wire/envelope.h"
#include "ballast/zmq/transport.h"
#include "monitor.h"

namespace ballast::zmq {

class Feeds {
 public:
  using Clock = std::chrono::steady_clock;

  Feeds(::zmq::context_t& context, const TransportSettings& settings, const port::Trust* trust,
        TransportCounters& counters)
      : context_(context), settings_(settings), trust_(trust), counters_(counters) {}

  // From now on these topics of this feed and no others; none: leaves it, which tells no FeedDown.
  void subscribe(const wire::Subscription& wanted);

  // What has happened to feeds since the last call.
  void take_feed_events(std::vector<wire::TransportEvent>& events);

  struct Incoming {
    NodeId peer;
    ::zmq::message_t message;
  };
  // The next message, from each feed in turn; what is not a topic and one frame is passed over and
  // counted.
  std::optional<Incoming> receive();

  // Connects again to those that refused us, and leaves feeds of nodes that are not trusted as
  // masters any more or have another key.
  void tidy();

  std::size_t size() const { return feeds_.size(); }
  void append_sockets(std::vector<void*>& sockets) const;

 private:
  struct PeerFeed {
    std::string endpoint;
    port::CurveKey key{};
    std::set<std::string> topics;
    ::zmq::socket_t socket;
    std::unique_ptr<Monitor> monitor;
    bool up = false;
    bool refused = false;
    Clock::time_point retry_at;  // when refused
  };

  // The key to expect; nothing (and counted) for one that is no trusted master.
  std::optional<port::CurveKey> key_of(const NodeId& node);
  // A connected socket; false (and counted) when it cannot be had.
  bool connect(PeerFeed& feed);
  void note(const NodeId& peer, PeerFeed& feed, ConnectionEvent event,
            std::vector<wire::TransportEvent>& events);

  ::zmq::context_t& context_;
  const TransportSettings& settings_;
  const port::Trust* trust_;
  TransportCounters& counters_;
  std::map<NodeId, PeerFeed> feeds_;
  std::optional<NodeId> last_served_;
  std::vector<NodeId> lost_;  // left by ourselves while they were up
};

}  // namespace ballast::zmq
