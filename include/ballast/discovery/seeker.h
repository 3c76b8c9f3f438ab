// A node without a master: it calls for one, gathers the offers, and goes to one of them chosen at
// random, weighted by free places and nearness, so that the slaves of a dead master do not all run
// to the same one. It goes on until it has one. Source: design, section 3.11.
//
// A node that may lead becomes a master itself when nobody answers for 3 s and a random 0-7 s more,
// unless it hears one with a lower id that looks as well: that one goes first, and will have room.
// How often it gives way is bounded, so that a lower id which never becomes one holds nobody up.
//
//   idle --start--> seeking --1 s after the first offer--> trying --attached--> idle
//                      ^--------refused, or silent for 5 s----'
//
// Pure. take() and tick() do what is due; then take_effects(), and tick() no later than
// next_deadline().
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/base/time.h"
#include "ballast/discovery/effects.h"

namespace ballast::discovery {

struct SeekerSettings {
  NodeId self;
  bool may_lead = false;  // role `auto`
  Duration seek_every = std::chrono::seconds(1);
  Duration gather_for = std::chrono::seconds(1);  // after the first offer
  Duration silent_after = std::chrono::seconds(5);
  Duration avoid_for = std::chrono::seconds(30);
  Duration lead_after = std::chrono::seconds(3);
  Duration lead_spread = std::chrono::seconds(7);
  int give_way_max = 3;  // to lower ids, then it leads all the same
};

struct SeekerCounters {
  std::uint64_t seeks = 0;
  std::uint64_t offers = 0;         // that could be taken
  std::uint64_t not_asked_for = 0;  // offers to another, or with a nonce that is not ours, or late
  std::uint64_t avoided = 0;        // offers of masters that refused us or were silent
  std::uint64_t gave_way = 0;
};

class Seeker {
 public:
  Seeker(const SeekerSettings& settings, std::uint64_t seed);

  // We have no master: look for one. Nothing new when it looks already.
  void start(TimePoint now);
  // No longer wanted: attached, or a master now.
  void stop();
  // What it may do when nobody answers has changed.
  void set_may_lead(TimePoint now, bool may_lead);
  // The master that we were sent to, or one that we had, does not want us, or does not answer: it
  // is avoided for a while.
  void refused(TimePoint now, const NodeId& master);

  void take(TimePoint now, const wire::BeaconHeard& heard);
  void tick(TimePoint now);
  TimePoint next_deadline() const;
  Effects take_effects();

  bool is_idle() const { return phase_ == Phase::idle; }
  const SeekerCounters& counters() const { return counters_; }

 private:
  enum class Phase : unsigned char { idle, seeking, trying };
  struct Asked {
    wire::Nonce nonce{};
    TimePoint at;
  };
  struct Candidate {
    wire::Offer offer;
    Duration round_trip{0};
    TimePoint until;  // as long as the place is held
  };

  void seek(TimePoint now);
  void hear(TimePoint now, const wire::Offer& offer);
  void hear(TimePoint now, const wire::Seek& seek);
  void choose(TimePoint now);
  void wait_to_lead(TimePoint now);
  void lead_or_give_way(TimePoint now);
  bool is_avoided(TimePoint now, const NodeId& master) const;

  SeekerSettings settings_;
  Random random_;
  Phase phase_ = Phase::idle;
  std::vector<Asked> asked_;  // oldest first
  std::map<NodeId, Candidate> candidates_;
  std::map<NodeId, TimePoint> avoided_;  // until when
  NodeId trying_;
  TimePoint next_seek_ = time_never;
  TimePoint choose_at_ = time_never;
  TimePoint silent_at_ = time_never;
  TimePoint lead_at_ = time_never;
  std::optional<TimePoint> lower_heard_at_;
  int gave_way_ = 0;
  Effects effects_;
  SeekerCounters counters_;
};

}  // namespace ballast::discovery
