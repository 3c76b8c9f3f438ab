#include "ballast/discovery/seeker.h"

#include <algorithm>
#include <utility>

#include "nonce.h"

namespace ballast::discovery {
namespace {

constexpr std::size_t asked_max = 4;  // an offer later than that many seeks is late
constexpr std::size_t candidates_max = 64;
constexpr std::size_t avoided_max = 64;
constexpr Duration place_held_for = std::chrono::seconds(10);
constexpr Duration first_seek_spread = std::chrono::milliseconds(200);

Duration share_of(Duration span, double share) {
  return duration_of_seconds(seconds_of(span) * share);
}

// A master 10 ms away counts half of one next door: the times of one network are noise, those
// between sites are not.
double weight_of(const wire::Offer& offer, Duration round_trip) {
  constexpr double half_at_s = 0.010;
  return offer.free_places / (1 + seconds_of(round_trip) / half_at_s);
}

}  // namespace

Seeker::Seeker(const SeekerSettings& settings, std::uint64_t seed)
    : settings_(settings), random_(seed) {}

void Seeker::start(TimePoint now) {
  if (phase_ != Phase::idle) return;
  phase_ = Phase::seeking;
  candidates_.clear();
  asked_.clear();
  gave_way_ = 0;
  lower_heard_at_.reset();
  // Those who lose their master together should not all call in the same instant.
  next_seek_ = now + share_of(first_seek_spread, random_.unit());
  wait_to_lead(now);
}

void Seeker::stop() {
  phase_ = Phase::idle;
  next_seek_ = choose_at_ = silent_at_ = lead_at_ = time_never;
  candidates_.clear();
}

void Seeker::set_may_lead(TimePoint now, bool may_lead) {
  if (settings_.may_lead == may_lead) return;
  settings_.may_lead = may_lead;
  lead_at_ = time_never;
  if (phase_ == Phase::seeking && choose_at_ == time_never) wait_to_lead(now);
}

void Seeker::refused(TimePoint now, const NodeId& master) {
  std::erase_if(avoided_, [&](const auto& one) { return one.second <= now; });
  if (avoided_.size() < avoided_max) avoided_[master] = now + settings_.avoid_for;
  candidates_.erase(master);
  if (phase_ != Phase::trying || trying_ != master) return;
  phase_ = Phase::seeking;
  silent_at_ = time_never;
  next_seek_ = now;
  wait_to_lead(now);
  // The others may still hold their places.
  std::erase_if(candidates_, [&](const auto& one) { return one.second.until <= now; });
  if (!candidates_.empty()) choose(now);
}

void Seeker::take(TimePoint now, const wire::BeaconHeard& heard) {
  if (const auto* offer = std::get_if<wire::Offer>(&heard.body)) hear(now, *offer);
  if (const auto* seek = std::get_if<wire::Seek>(&heard.body)) hear(now, *seek);
}

void Seeker::hear(TimePoint now, const wire::Offer& offer) {
  if (phase_ == Phase::idle || offer.free_places == 0) return;
  const auto asked = std::find_if(asked_.begin(), asked_.end(),
                                  [&](const Asked& one) { return one.nonce == offer.nonce; });
  if (offer.seeker != settings_.self || asked == asked_.end()) {
    ++counters_.not_asked_for;
    return;
  }
  if (is_avoided(now, offer.master.id)) {
    ++counters_.avoided;
    return;
  }
  ++counters_.offers;
  if (candidates_.size() >= candidates_max && !candidates_.contains(offer.master.id)) return;
  Candidate& candidate = candidates_[offer.master.id];
  const Duration round_trip = now - asked->at;
  const bool is_new = candidate.until == TimePoint{};
  candidate = {offer, is_new ? round_trip : std::min(candidate.round_trip, round_trip),
               now + place_held_for};
  if (phase_ != Phase::seeking || choose_at_ != time_never) return;
  choose_at_ = now + settings_.gather_for;
  lead_at_ = time_never;
}

void Seeker::hear(TimePoint now, const wire::Seek& seek) {
  if (seek.wants == wire::Wanted::group_or_lead && seek.seeker < settings_.self)
    lower_heard_at_ = now;
}

void Seeker::tick(TimePoint now) {
  if (phase_ == Phase::trying && now >= silent_at_) refused(now, NodeId(trying_));
  if (phase_ == Phase::seeking && now >= choose_at_) choose(now);
  if (phase_ == Phase::seeking && now >= lead_at_) lead_or_give_way(now);
  if (phase_ == Phase::seeking && now >= next_seek_) seek(now);
}

TimePoint Seeker::next_deadline() const {
  switch (phase_) {
    case Phase::idle: return time_never;
    case Phase::trying: return silent_at_;
    case Phase::seeking: return std::min({next_seek_, choose_at_, lead_at_});
  }
  BALLAST_ASSERT(false, "a phase that is none");
}

void Seeker::seek(TimePoint now) {
  const Asked asked{fresh_nonce(random_), now};
  if (asked_.size() >= asked_max) asked_.erase(asked_.begin());
  asked_.push_back(asked);
  const auto wants = settings_.may_lead ? wire::Wanted::group_or_lead : wire::Wanted::group;
  effects_.sends.push_back({std::nullopt, wire::Seek{settings_.self, asked.nonce, wants}});
  ++counters_.seeks;
  next_seek_ = now + share_of(settings_.seek_every, random_.between(0.9, 1.1));
}

void Seeker::choose(TimePoint now) {
  choose_at_ = time_never;
  std::erase_if(candidates_, [&](const auto& one) { return one.second.until <= now; });
  double all = 0;
  for (const auto& [id, candidate] : candidates_)
    all += weight_of(candidate.offer, candidate.round_trip);
  if (candidates_.empty()) return wait_to_lead(now);
  double drawn = random_.between(0, all);
  auto chosen = candidates_.begin();
  for (auto at = chosen; at != candidates_.end() && drawn >= 0; ++at) {
    chosen = at;
    drawn -= weight_of(at->second.offer, at->second.round_trip);
  }
  const wire::Peer master = chosen->second.offer.master;
  candidates_.erase(chosen);
  phase_ = Phase::trying;
  trying_ = master.id;
  silent_at_ = now + settings_.silent_after;
  lead_at_ = time_never;
  effects_.attach_to = PeerAddress{master.id, master.endpoint};
}

void Seeker::wait_to_lead(TimePoint now) {
  if (!settings_.may_lead) return;
  lead_at_ = now + settings_.lead_after + share_of(settings_.lead_spread, random_.unit());
}

void Seeker::lead_or_give_way(TimePoint now) {
  // One that is alive calls each second; of three calls one comes through.
  const bool lower_seeks = lower_heard_at_ && now - *lower_heard_at_ <= settings_.lead_after;
  if (lower_seeks && gave_way_ < settings_.give_way_max) {
    ++gave_way_;
    ++counters_.gave_way;
    return wait_to_lead(now);
  }
  stop();
  effects_.lead = true;
}

bool Seeker::is_avoided(TimePoint now, const NodeId& master) const {
  const auto found = avoided_.find(master);
  return found != avoided_.end() && found->second > now;
}

Effects Seeker::take_effects() { return std::exchange(effects_, Effects{}); }

}  // namespace ballast::discovery
