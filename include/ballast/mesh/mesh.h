// Who the masters are, and what each of them says of itself: the gossip mesh, seen from one master.
//
// A master keeps links to a few others (to all of them up to 12): each of the two subscribes to the
// other's feed. Its own summary goes out on every link; what is new to it is relayed on two ticks,
// to those peers that subscribed to that; digests tell what it knows, and what was lost is pulled.
// Links that break are replaced from a larger list of addresses. See docs and design, section 4.
//
// The caller's duties:
//   1. Hand in each mesh message with the id that its sender has proven (take), what the transport
//      says of connections (link_up, link_down), addresses from seeds and beacons (hint).
//   2. Call tick() no later than next_deadline(); earlier is harmless.
//   3. After each call take_effects() and carry them out, in order.
// Nothing here blocks, reads a clock or has a random source of its own: same seed, same inputs,
// same effects. Each list is bounded by limits.h, and what is dropped is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/mesh/formulas.h"
#include "ballast/wire/messages.h"

namespace ballast::mesh {

struct Settings {
  Duration gossip_interval = std::chrono::seconds(1);   // one round
  Duration silence = std::chrono::seconds(5);           // of a feed: the link counts as broken
  Duration answer_timeout = std::chrono::seconds(1);    // to a Neighbor
  Duration seek_interval = std::chrono::seconds(5);     // while links are few, but enough
  Duration affirm_interval = std::chrono::seconds(20);  // of a link: are we still peers?
  Duration shuffle_interval = std::chrono::seconds(20);
  Duration remember_interval = std::chrono::seconds(10);  // one lost master is tried again
  Duration suspect_after = std::chrono::seconds(5);  // of a broken link that does not come back
  Duration suspicion_lasts = std::chrono::minutes(5);
};

// What a peer may subscribe to. The name of a topic is what travels: "own", "first", "again".
enum class Topic : unsigned char { own, first, again };
const char* name_of(Topic topic);

struct Topics {
  bool own = false;
  bool first = false;
  bool again = false;
  bool none() const { return !own && !first && !again; }
  bool operator==(const Topics&) const = default;
};

// A message to one node: on its ROUTER, a connection is opened when there is none.
struct Direct {
  NodeId to;
  std::string endpoint;
  wire::Body body;
};
// To all who subscribe to this topic of our feed.
struct Publication {
  Topic topic = Topic::own;
  wire::Gossip gossip;
};
// From now on we want these topics of this peer's feed and no others; none: the feed is closed.
struct Subscription {
  wire::Peer peer;
  Topics topics;
};
struct Effects {
  std::vector<Direct> directs;
  std::vector<Publication> publications;
  std::vector<Subscription> subscriptions;
};

// A summary that is kept whole.
struct Kept {
  wire::ItemPtr item;
  TimePoint heard_at;      // when this version was
  bool withdrawn = false;  // two witnesses cannot reach its origin: its spare is not to be used
};

struct Pause {
  std::uint64_t stamp = 0;
  bool paused = false;
  bool operator==(const Pause&) const = default;
};

// What came in, and what was dropped and why. All count from the start.
struct Counters {
  std::uint64_t items_new = 0;
  std::uint64_t items_known = 0;      // copies of what was known already
  std::uint64_t items_pulled = 0;     // of the new ones, those that had to be asked for
  std::uint64_t signatures_bad = 0;   // forged, or of an origin that is not trusted
  std::uint64_t strangers = 0;        // messages that only a peer may send
  std::uint64_t liars = 0;            // messages that name another sender than has sent them
  std::uint64_t over_rate = 0;        // messages or questions beyond what one interval allows
  std::uint64_t pauses_refused = 0;   // words of pause whose number is far above all others
  std::uint64_t over_range = 0;       // versions that no honest master reaches
  std::uint64_t news_dropped = 0;     // items not relayed: too many wait
  std::uint64_t unknown_dropped = 0;  // items of one master more than limits::masters_known_max
  std::uint64_t wanted_dropped = 0;   // told of in a digest, not pulled: too many wait
  std::uint64_t not_served = 0;       // asked for by a peer, not had
  std::uint64_t links_broken = 0;
  std::uint64_t links_lost = 0;     // the peer said that we are no longer peers
  std::uint64_t joins_refused = 0;  // Neighbors that we said no to
  std::uint64_t withdrawn = 0;      // summaries, upon two witnesses
  std::uint64_t republished = 0;    // because we heard of our own past, or of a suspicion of us
};

class Mesh {
 public:
  // `self`: where we are reached, as others are told. `incarnation` of this node as it was stored
  // (the mesh may move on from it: see incarnation()). `seed` is all the chance there is. The
  // signer must outlive the mesh. Nothing is published before the first publish().
  Mesh(TimePoint now, const Settings& settings, wire::Peer self, std::uint64_t incarnation,
       std::uint64_t seed, const wire::Signer& signer);
  ~Mesh();
  Mesh(Mesh&&) noexcept;
  Mesh& operator=(Mesh&&) noexcept;

  // A mesh message from a node that holds the key of `from`; other kinds are ignored.
  void take(TimePoint now, const NodeId& from, const wire::Body& body);
  // Masters that may be there: answers of seeds, hellos of beacons. Only a hint.
  void hint(TimePoint now, const std::vector<wire::Peer>& peers);
  // The connection or the feed of a peer broke, or came up. Only a hint: the peer is asked.
  void link_down(TimePoint now, const NodeId& peer);
  void link_up(TimePoint now, const NodeId& peer);
  // What we say of ourselves from now on; goes out on the next tick. `self` and `suspicions` are
  // set by the mesh. The caller decides whether the change is worth a message.
  void publish(TimePoint now, const wire::Summary& summary);
  void tick(TimePoint now);
  TimePoint next_deadline() const;

  Effects take_effects();

  // The summaries kept, at most limits::summaries_kept_max, our own not among them; the order has
  // no meaning but is the same in each run. Valid until the next call that is not const.
  const std::vector<Kept>& kept() const;
  // Null when it is not kept.
  const Kept* find(const NodeId& master) const;
  // The newest version that was heard of a master: {incarnation, version}, zeros when none was.
  wire::DigestEntry heard_of(const NodeId& master) const;
  std::vector<NodeId> active_peers() const;
  // Two witnesses cannot reach it, or our own link with it broke and it was not heard of since, for
  // longer than `suspect_after`.
  bool is_lost(const NodeId& master) const;
  std::vector<wire::Peer> passive_peers() const;
  // Masters that were heard of, as well as can be known; we ourselves count.
  std::size_t masters() const;
  RelayDegree degree() const;
  // How long to wait between two words that are not urgent: formulas.h.
  Duration pace() const;
  // The highest pause stamp in any summary heard, ours included. Of equal ones, "paused" wins.
  Pause pause() const;
  // Of what we published last. Above the node's own when our past was found to be ahead of us.
  std::uint64_t incarnation() const;
  std::uint64_t version() const;
  const Counters& counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ballast::mesh
