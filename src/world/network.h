// The network between the nodes of a world, with what ZeroMQ makes of it: connections that nodes
// open to each other, sessions that answers go back on, feeds with their topics, and how each of
// them breaks and comes back. Everything that is on its way is handed to whoever keeps the queue.
//
// A message is lost while its way is blocked; a connection is told to be broken once it was silent
// for long, or at once when the process at its other end died. A connection costs nothing while
// nothing happens to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/wire/tenure.h"
#include "ballast/world/network.h"
#include "ballast/world/world.h"
#include "queue.h"

namespace ballast::world {

class Network {
 public:
  struct Hooks {
    std::function<void(TimePoint at, std::uint32_t node, std::uint32_t life, InputPtr input)>
        deliver;
    std::function<void(const std::string& what)> complain;  // a message that the codec changed
    // What was sent, and whether it is lost; may be empty.
    std::function<void(std::uint32_t from, std::uint32_t to, const wire::Body& body, bool lost)>
        sent;
  };

  Network(const NetworkSettings& settings, std::size_t nodes, std::uint64_t seed,
          bool through_bytes, Hooks hooks);

  // Who a node is; before it comes up.
  void introduce(std::uint32_t node, const NodeId& id, std::string endpoint, std::string feed);
  const std::string& endpoint(std::uint32_t node) const { return places_[node].endpoint; }
  const std::string& feed(std::uint32_t node) const { return places_[node].feed; }

  // Nodes that everybody knows by address.
  void set_seeds(std::vector<std::uint32_t> seeds) { seeds_ = std::move(seeds); }

  // Whether the key of `about` is trusted as a master's where `at` is; without: always.
  void set_trust(std::function<bool(std::uint32_t at, std::uint32_t about)> believes) {
    believes_ = std::move(believes);
  }

  void node_up(std::uint32_t node, std::uint32_t life, bool master);
  // `at_once`: its connections are reset; otherwise it just falls silent.
  void node_down(TimePoint now, std::uint32_t node, bool at_once);
  void set_paused(TimePoint now, std::uint32_t node, bool paused);

  void send(TimePoint now, std::uint32_t from, wire::Envelope&& envelope);
  void publish(TimePoint now, std::uint32_t from, wire::Publication&& publication);
  void subscribe(TimePoint now, std::uint32_t from, wire::Subscription&& subscription);
  // A datagram to one node, or to all in its broadcast domain and to the seeds.
  void call(TimePoint now, std::uint32_t from, wire::BeaconSend&& beacon);

  // What is due of connections: call it no later than next_deadline().
  void tick(TimePoint now);
  TimePoint next_deadline() const;

  MessageFaults faults;
  void set_side(TimePoint now, std::uint32_t node, std::uint32_t side);
  void set_blocked(TimePoint now, std::uint32_t from, std::uint32_t to, bool blocked);
  void unblock_all(TimePoint now);
  void clog(std::uint32_t from, std::uint32_t to, TimePoint until);

  std::uint64_t messages() const { return messages_; }
  const Traffic& traffic(std::uint32_t node) const { return places_[node].traffic; }
  // Between masters, sent by all of them together.
  std::map<std::string, double> bytes_by_kind() const;
  // Of these masters, the share in the largest part connected by feeds that are up both ways.
  double largest_mesh_share(const std::vector<std::uint32_t>& masters) const;
  Duration delay(std::uint32_t a, std::uint32_t b) const;
  // Whether a message of somebody else's protocol would get lost.
  bool loses(std::uint32_t from, std::uint32_t to);

 private:
  using LinkIndex = std::uint32_t;
  enum class LinkState : unsigned char { none, connecting, up, silent };
  struct Waiting {
    InputPtr input;
    double bytes;
  };
  struct Link {
    LinkState state = LinkState::none;
    bool feed = false;
    bool kept = false;      // it carried an Attach: never idle
    bool counted = false;   // among the connections of two masters
    bool admitted = false;  // ... at the other end, too
    std::uint32_t opener = 0;
    std::uint32_t peer = 0;
    std::uint32_t peer_life = 0;  // when it came up
    TimePoint due = time_never;
    TimePoint last_used;
    wire::Tenure tenure;
    std::vector<std::string> topics;
    std::vector<Waiting> waiting;
  };
  struct Place {
    NodeId id;
    std::string endpoint;
    std::string feed;
    std::uint32_t life = 0;  // 0: not up
    std::uint32_t side = 0;
    bool master = false;
    bool paused = false;
    std::vector<LinkIndex> opened;
    std::vector<LinkIndex> accepted;
    Traffic traffic;
    // With other masters, open now.
    std::uint32_t sessions = 0;
    std::uint32_t subscribers = 0;
  };

  bool way_is_open(std::uint32_t from, std::uint32_t to) const;
  bool in_contact(const Link& link) const;
  Link* find(std::uint32_t opener, std::uint32_t peer, bool feed);
  Link& open(TimePoint now, std::uint32_t opener, std::uint32_t peer, bool feed);
  void close(Link& link);
  void count(Link& link, bool open);
  void count_end(const Link& link, std::uint32_t node, bool open);
  void count_bytes(std::uint32_t from, std::uint32_t to, std::size_t kind, double bytes);
  bool is_full(std::uint32_t node, bool feed) const;
  void admit(Link& link, bool in);
  void mind_stay(Link& link, TimePoint at);
  void schedule(Link& link, TimePoint due);
  void fire(TimePoint now, Link& link);
  void come_up(TimePoint now, Link& link);
  void look_at_links_of(TimePoint now, std::uint32_t node);
  void close_idle(TimePoint now);
  LinkIndex index_of(const Link& link) const { return static_cast<LinkIndex>(&link - &links_[0]); }
  void hear(TimePoint at, std::uint32_t node, wire::TransportEvent event);
  // When it arrives; nothing when it is lost.
  std::optional<TimePoint> transmit(TimePoint now, std::uint32_t from, std::uint32_t to,
                                    const InputPtr& input, double bytes);
  InputPtr carried(std::uint32_t from, wire::Message&& message, bool measure, double& bytes);
  // What arrives of it where its sender is not believed.
  InputPtr as_believed(std::uint32_t from, std::uint32_t to, const InputPtr& input) const;
  bool follows(std::uint32_t subscriber, std::uint32_t node) const;

  const NetworkSettings settings_;
  const std::uint64_t seed_;
  const bool through_bytes_;
  Hooks hooks_;
  Random random_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> seeds_;
  std::function<bool(std::uint32_t at, std::uint32_t about)> believes_;
  std::unordered_map<NodeId, std::uint32_t> node_of_;  // looked up, never walked
  std::vector<Link> links_;
  std::vector<LinkIndex> free_;
  std::set<std::pair<TimePoint, LinkIndex>> timers_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> blocked_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, TimePoint> clogged_;
  TimePoint next_sweep_{Duration(0)};
  std::uint64_t messages_ = 0;
  std::vector<double> bytes_by_kind_;  // by the index of the body; datagrams come last
  std::vector<const char*> kinds_;     // their names, as far as there were any
  Random other_random_;                // for what is not ours
};

}  // namespace ballast::world
