// The network over ZeroMQ: one ROUTER for the sessions that others open to us, one DEALER for each
// node that we speak to first, one PUB for what we publish, one SUB for each feed that we follow.
// All sockets belong to the one thread that calls. Source: design,
// section 4.
//
// Whoever speaks is proven before a message is handed up: CURVE with the key that the trust store
// pins, the ZAP User-Id equal to the sender that the message names, the sender's key still trusted,
// and what only masters may say only from those that may be master. All else is dropped and
// counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/port/transport.h"
#include "ballast/port/trust.h"

namespace ballast::zmq {

struct TransportSettings {
  std::string cluster;         // messages of another cluster are dropped
  std::string bind;            // "tcp://address:port"; port "*" takes a free one
  std::string bind_feed = {};  // the same, for the feed; empty: no feed
  std::vector<std::string> topics = {"own", "first", "again"};  // of our feed
  // False, for tests only: no CURVE, and a sender is who its header says.
  bool security = true;
  // A connection of ours without a message for so long is closed; the one to the node that we last
  // sent an Attach to stays, because orders come back on it.
  Duration idle_close = std::chrono::seconds(60);
  std::size_t peers_max = limits::peers_per_node_max;  // of each kind: sessions, connections
};

// What has happened so far. A message counts once, where it ended.
struct TransportCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t published = 0;

  // Dropped on the way in
  std::uint64_t undecodable = 0;   // bytes that are no message
  std::uint64_t extra_frames = 0;  // more than one frame
  std::uint64_t wrong_cluster = 0;
  std::uint64_t impostor = 0;    // names a sender that its key does not belong to
  std::uint64_t untrusted = 0;   // its key was revoked or replaced since it connected
  std::uint64_t not_master = 0;  // says what only masters may say, or feeds what only they may
  std::uint64_t not_gossip = 0;  // on a feed, but no Gossip
  // From a session that a newer one of the same node has replaced: alarm, two nodes may have one
  // key.
  std::uint64_t doubled_session = 0;

  // Dropped on the way out
  std::uint64_t no_session = 0;    // no endpoint given, and the node has no session with us
  std::uint64_t no_key = 0;        // the trust store has no key for that node
  std::uint64_t bad_endpoint = 0;  // not "tcp://A.B.C.D:PORT", as for names: see wire/endpoint.h
  std::uint64_t queue_full = 0;
  std::uint64_t link_down = 0;  // enough is waiting for that connection already
  std::uint64_t too_long = 0;
  std::uint64_t bad_publication = 0;  // no Gossip, an unknown topic, or there is no feed
  std::uint64_t peers_full = 0;       // as many connections as allowed, or no descriptor left

  // Keys that nobody knew, let in to show a certificate or to ask for one
  std::uint64_t introduced = 0;            // and known from then on
  std::uint64_t certificates_refused = 0;  // of another key, id or fleet, or revoked; told why
  std::uint64_t strangers_cut = 0;         // said something else, or too much
  std::uint64_t knocks_too_many = 0;       // asked to be taken in, too many at a time

  // Connections
  std::uint64_t refused_keys = 0;       // strangers at our door
  std::uint64_t failed_handshakes = 0;  // of others with us: garbage, wrong server key, time over
  std::uint64_t lost_sessions = 0;      // TCP connections of others that ended, for any reason
  std::uint64_t refused_by_peer = 0;    // our handshake failed at a node that we connected to
  std::uint64_t replaced_sessions = 0;  // a node came back on a new connection
  std::uint64_t cut_connections = 0;    // ended by us: their key is no longer trusted for them

  // Cut at the door: too many that nobody had spoken on, or silent for too long, or with more than
  // a handshake on them and no key.
  std::uint64_t unproven_too_many = 0;
  std::uint64_t unproven_silent = 0;
  std::uint64_t unproven_too_long = 0;
  std::uint64_t connections_of_key = 0;  // cut: older ones of a node that has opened too many
  std::uint64_t chosen_names = 0;        // cut: the peer had chosen its routing id itself: alarm
  std::uint64_t greedy_cut = 0;          // cut: sent most while the process was too large: alarm

  std::uint64_t masters_too_many = 0;  // cut: as many masters as allowed are here already

  // Subscribers that were refused or cut off
  std::uint64_t refused_subscribers = 0;     // trusted, but not as master
  std::uint64_t unknown_topic = 0;           // asked for what we do not publish
  std::uint64_t subscriptions_too_many = 0;  // changed their mind too often
  std::uint64_t subscribers_too_many = 0;    // more connections than allowed
};

// One who asks to be taken in, on a session of the ROUTER, with the key of its connection.
struct Knock {
  std::string session;
  port::CurveKey key{};
  wire::JoinAsk ask;
};

class ZmqTransport final : public port::Transport {
 public:
  // Binds and is ready. `trust` must outlive the transport and is asked from the calling thread, in
  // which it also learns of certificates; it may be null only when security is off (then everyone
  // may be master).
  static Result<std::unique_ptr<ZmqTransport>> open(const TransportSettings& settings,
                                                    port::Trust* trust);
  ~ZmqTransport() override;

  void send(const wire::Envelope& envelope) override;
  void publish(const wire::Publication& publication) override;
  void subscribe(const wire::Subscription& subscription) override;
  std::vector<wire::TransportEvent> take_events(std::size_t count_max) override;

  // Who asks to be taken in since the last call, at most 64, and the answer to one of them.
  std::vector<Knock> take_knocks();
  void answer_knock(const Knock& knock, const NodeId& self, const wire::JoinAnswer& answer);

  // Where the ROUTER is bound, with the port that it got.
  const std::string& endpoint() const;
  // Where the feed is bound; empty when there is none.
  const std::string& feed() const;
  const TransportCounters& counters() const;
  // Open connections of ours, and sessions of others.
  std::size_t links() const;
  std::size_t sessions() const;
  // Feeds that we follow, and connections that follow ours.
  std::size_t feeds() const;
  std::size_t subscribers() const;

  // How long wait() may sleep at most: less while somebody stands at the door.
  Duration patience() const;
  // The libzmq sockets that wait() polls.
  void append_sockets(std::vector<void*>& sockets) const;

 private:
  struct Parts;
  explicit ZmqTransport(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ballast::zmq
