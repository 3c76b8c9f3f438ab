// The connections that we open: one DEALER for each node, made when there is something to say,
// closed when it was silent for long. A node is reached under any address it has, since its key
// proves it; so a link that is up is used whatever endpoint is named.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "ballast/base/ids.h"
#include "ballast/port/trust.h"
#include "ballast/wire/envelope.h"
#include "ballast/wire/tenure.h"
#include "ballast/zmq/transport.h"
#include "frames.h"
#include "monitor.h"

namespace ballast::zmq {

class Links {
 public:
  using Clock = std::chrono::steady_clock;

  Links(::zmq::context_t& context, const TransportSettings& settings, const port::Trust* trust,
        TransportCounters& counters);

  // Over the link to this node; opens it when an endpoint is given and there is none.
  void send(const NodeId& to, const std::string& endpoint, std::string_view bytes,
            const wire::Body& body);
  // This has come in on the link to it.
  void heard(const NodeId& peer, const wire::Body& body);
  bool is_open(const NodeId& to) const { return links_.contains(to); }

  // What has happened to links since the last call.
  void take_link_events(std::vector<wire::TransportEvent>& events);

  struct Incoming {
    NodeId peer;
    ::zmq::message_t message;
  };
  // The next message, from each link in turn. Messages of more frames are passed over and counted.
  std::optional<Incoming> receive();

  // Closes what is idle, and links to nodes whose key is no longer the one we pinned.
  void tidy();

  std::size_t size() const { return links_.size(); }
  void append_sockets(std::vector<void*>& sockets) const;

 private:
  struct Link {
    std::string endpoint;
    port::CurveKey key{};
    ::zmq::socket_t socket;
    std::unique_ptr<Monitor> monitor;
    bool up = false;
    bool was_up = false;
    bool refused = false;        // its handshake failed for good: opened anew, not before retry_at
    std::size_t waiting = 0;     // messages given to it while it is down
    Clock::time_point retry_at;  // when refused
    Clock::time_point last_used;
    wire::Tenure tenure;
  };
  using Map = std::map<NodeId, Link>;

  // Says who we are, where the other side may not know our key: first on each connection.
  void introduce(Link& link);
  // The open link, or null when it cannot be had (counted).
  Link* open(const NodeId& to, const std::string& endpoint);
  std::optional<port::CurveKey> key_of(const NodeId& node) const;
  // Closes a link that is not to be used any more, which counts as broken.
  void close(Map::iterator at);
  void note(const NodeId& peer, Link& link, ConnectionEvent event,
            std::vector<wire::TransportEvent>& events);

  ::zmq::context_t& context_;
  const TransportSettings& settings_;
  const port::Trust* trust_;
  TransportCounters& counters_;
  Map links_;
  std::optional<NodeId> attached_to_;  // its link is never idle
  std::optional<NodeId> last_served_;
  std::vector<NodeId> lost_;  // closed by ourselves while they were up, not for want of use
};

}  // namespace ballast::zmq
