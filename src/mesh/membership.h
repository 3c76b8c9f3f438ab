// Who is my peer: the views of a master on the others, and how links are made, kept and replaced.
//
// Problem: everyone must stay connected to everyone over few links, through crashes, splits and
// strangers. Idea (HyParView, Leitao, Pereira and Rodrigues, DSN 2007): a small symmetric active
// view of links that are watched, a larger passive view of addresses to replace broken ones from,
// mixed by shuffles. Differences: a joiner asks for its links itself, from the addresses that come
// with each answer, urgently (it is never refused then) while it has less than half of what it
// wants; and masters that were lost are remembered and tried again for as long as it takes, so that
// a split that heals becomes one mesh, even if both halves had filled their views.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/mesh/mesh.h"
#include "known.h"

namespace ballast::mesh {

struct Link {
  wire::Peer peer;
  std::uint64_t key = 0;
  TimePoint since;
  TimePoint fed;                     // when its feed was last heard
  TimePoint heard;                   // ... or anything from it
  TimePoint affirmed;                // when it was last asked whether we are still peers
  std::optional<TimePoint> doubted;  // the transport said that it is gone
  Topics topics;                     // that we told the transport to subscribe to
  bool ours = false;                 // we opened the session; else it is the peer's
  // In this interval:
  std::uint16_t messages = 0;
  std::uint16_t bad_signatures = 0;
  std::uint16_t wanted = 0;
  bool corrected = false;
  bool shuffled = false;
  bool pictured = false;  // the picture was sent to it, ever
};

// Where to send to this peer: on the session that it has opened, if it has.
inline std::string way_to(const Link& link) {
  return link.ours ? link.peer.endpoint : std::string();
}

struct LinkLost {
  wire::Peer peer;
  std::uint64_t key = 0;
  Topics topics;
  bool broken = false;  // else: one of us said good-bye
};

class Membership {
 public:
  Membership(TimePoint now, const Settings& settings, wire::Peer self, std::uint64_t seed,
             Counters& counters);

  // Replies and questions are appended to `out`. Each `take` is from the proven `from`. `foreign`:
  // we never heard a summary of it, so it may belong to a mesh apart from ours: it is taken like
  // an urgent one.
  void take(TimePoint now, const NodeId& from, const wire::Neighbor& body, bool foreign,
            Effects& out);
  void take(TimePoint now, const NodeId& from, const wire::NeighborAnswer& body, Effects& out);
  void take(TimePoint now, const NodeId& from, const wire::Disconnect& body, Effects& out);
  void take(TimePoint now, const NodeId& from, const wire::Shuffle& body, Effects& out);
  void take(TimePoint now, const NodeId& from, const wire::ShuffleAnswer& body);
  void link_down(TimePoint now, const NodeId& peer, Effects& out);
  // A master that may be there. `foreign`: nothing was heard of it; asked even if links suffice.
  void hint(const wire::Peer& peer, bool foreign);
  // A master whose summary was heard: an address more, if there is room for it.
  void learned(const wire::Peer& peer, std::uint64_t key);

  // Watches the links and makes new ones. `known`: of which masters something was heard.
  void tick(TimePoint now, const Known& known, Effects& out);
  // Replaces links at once; also to be called after anything that may have ended one.
  void seek(TimePoint now, Effects& out);
  // When the first question goes unanswered for too long; then call seek().
  TimePoint next_timeout() const;
  // Ask the next peer to send the picture that it has.
  void want_picture(bool wanted) { picture_wanted_ = wanted; }

  std::vector<Link>& links() { return links_; }
  const std::vector<Link>& links() const { return links_; }
  Link* link(std::uint64_t key);
  const std::vector<wire::Peer>& passive() const { return passive_; }
  // Links that ended since the last call.
  std::vector<LinkLost> take_lost();
  // Peers that are new and want our picture.
  std::vector<std::uint64_t> take_picture_askers();
  std::size_t addresses() const { return links_.size() + passive_.size(); }

 private:
  struct Try {
    wire::Peer peer;
    TimePoint deadline;
    bool lost = false;
    bool probe = false;     // of one whose link broke just now: not in place of another try
    bool pictured = false;  // asked to send the picture
  };
  struct Remembered {
    wire::Peer peer;
    bool lost = false;    // from a link that broke: ask urgently
    unsigned probes = 0;  // left, one a round, before it is only tried now and then
  };
  void ask(TimePoint now, const Try& one, bool urgent, Effects& out);
  bool ask_for_picture(TimePoint now);
  bool needs_picture(TimePoint now) const;
  void affirm(TimePoint now, Link& link, Effects& out);
  void add_link(TimePoint now, const wire::Peer& peer);
  void drop_link(std::size_t index, bool broken);
  bool displace(TimePoint now, Effects& out);
  void watch(TimePoint now, Effects& out);
  void shuffle(TimePoint now, Effects& out);
  void try_remembered(TimePoint now, const Known& known, Effects& out);
  void probe_lost(TimePoint now, Effects& out);
  void remember(const wire::Peer& peer, bool lost);
  void add_passive(const wire::Peer& peer, bool replace);
  void forget_passive(const NodeId& id);
  void drop_late_tries(TimePoint now);
  std::optional<wire::Peer> candidate();
  std::vector<wire::Peer> sample(std::size_t count, const NodeId& except);
  bool is_link(const NodeId& id) const;
  bool is_tried(const NodeId& id) const;
  bool is_usable(const wire::Peer& peer) const;
  std::size_t sound_links() const;

  Settings settings_;
  wire::Peer self_;
  Random random_;
  Counters& counters_;
  std::size_t masters_ = 1;
  bool picture_wanted_ = false;
  std::array<TimePoint, 2> picture_due_{};  // so many are asked for it at a time
  std::vector<Link> links_;
  std::vector<std::uint64_t> link_keys_;  // of links_, side by side: looked at for each message
  std::vector<wire::Peer> passive_;
  std::deque<Remembered> remembered_;
  std::vector<Try> tries_;
  std::vector<LinkLost> lost_;
  std::vector<std::uint64_t> picture_askers_;
  std::size_t seek_credit_ = 0;  // tries to be made at once, though links suffice
  TimePoint next_seek_;
  TimePoint next_shuffle_;
  TimePoint next_remember_;
  TimePoint last_displaced_;
};

}  // namespace ballast::mesh
