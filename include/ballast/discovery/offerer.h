// A master that has room: it answers those who look for one, and says that it is there. An offer
// holds a place until it is taken or 10 s have passed, so that any number of seekers at once never
// get more offers than there are places. One that was offered a place and did not come is not
// offered the last one for as long again, so that nobody keeps it from others. A full master is
// silent. Source: design, section 3.11.
//
// Another master's call (Hello) is proven by nothing: it is asked for an Offer, which is.
//
// Where many masters hear one seek, each answers by chance, so that about `answers_wanted` do.
//
// Pure. take() and tick() do what is due; then take_effects(), and tick() no later than
// next_deadline().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "ballast/base/random.h"
#include "ballast/base/time.h"
#include "ballast/discovery/effects.h"

namespace ballast::discovery {

struct OffererSettings {
  wire::Peer self;
  std::uint32_t max_slaves = 64;
  Duration hold_for = std::chrono::seconds(10);
  Duration offer_every = std::chrono::milliseconds(500);  // to one seeker at most
  Duration hello_every = std::chrono::seconds(5);
  std::uint32_t answers_wanted = 16;  // to one seek, of all masters together
};

struct OffererCounters {
  std::uint64_t offers = 0;
  std::uint64_t full = 0;      // seeks that we had no place for
  std::uint64_t too_soon = 0;  // asked again faster than we answer
  std::uint64_t left_to_others = 0;
  std::uint64_t crowded = 0;  // asked by more than we keep count of
};

class Offerer {
 public:
  Offerer(TimePoint now, const OffererSettings& settings, std::uint64_t seed);

  // How it stands: slaves attached (not counting ourselves), and other masters that are known. With
  // none known it calls for masters, too.
  void set_group(std::size_t slaves, std::size_t other_masters);
  // Whether nodes that look for a group are answered at once; else only those that nobody has taken
  // in for some seconds. Masters are answered in any case.
  void set_open(bool open) { open_ = open; }
  // Whether a node that wants to attach finds a place: its own that is held, or one that is not
  // held for another.
  bool has_place_for(TimePoint now, const NodeId& node) const;
  // It has attached: its place is no longer held but taken. set_group() follows, in time.
  void attached(const NodeId& node) {
    holds_.erase(node);
    ++slaves_;
  }

  void take(TimePoint now, const wire::BeaconHeard& heard);
  void tick(TimePoint now);
  TimePoint next_deadline() const { return next_hello_; }
  Effects take_effects();

  const OffererCounters& counters() const { return counters_; }

 private:
  bool has_waited(TimePoint now, const NodeId& seeker);
  struct Hold {
    TimePoint until;  // remembered as long again: it did not come
    TimePoint offered_at;
  };

  void answer(TimePoint now, const wire::BeaconAddress& from, const wire::Seek& seek);
  void answer_master(TimePoint now, const wire::BeaconAddress& from, const wire::Seek& seek);
  void offer(const wire::BeaconAddress& to, const wire::Seek& seek, std::size_t free);
  void seek_masters();
  void ask_who_called(TimePoint now, const wire::BeaconAddress& from, const wire::Peer& caller);
  // Holds that have not run out, but for this node's.
  std::size_t held_for_others(TimePoint now, const NodeId& node) const;

  OffererSettings settings_;
  Random random_;
  std::size_t slaves_ = 0;
  std::size_t other_masters_ = 0;
  bool open_ = true;
  struct Wait {
    TimePoint first;
    TimePoint last;
  };
  std::map<NodeId, Wait> waits_;  // seekers heard while it is not open
  std::map<NodeId, Hold> holds_;
  std::map<NodeId, TimePoint> answered_masters_;
  std::map<NodeId, TimePoint> asked_callers_;
  wire::Nonce nonce_{};  // of our last call for masters
  TimePoint next_hello_;
  Effects effects_;
  OffererCounters counters_;
};

}  // namespace ballast::discovery
