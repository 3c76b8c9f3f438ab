#include "ballast/discovery/offerer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ballast/base/planted.h"
#include "nonce.h"

namespace ballast::discovery {
namespace {

constexpr std::size_t answered_masters_max = 256;
constexpr std::size_t callers_asked_max = 64;  // in the time between two calls of one
constexpr std::size_t waits_max = 256;
constexpr Duration waited_after = std::chrono::seconds(8);
constexpr Duration heard_for = std::chrono::seconds(5);
constexpr std::size_t masters_told_max = 64;  // between two take_effects()

std::uint16_t as_16_bits(std::size_t number) {
  return static_cast<std::uint16_t>(
      std::min<std::size_t>(number, std::numeric_limits<std::uint16_t>::max()));
}

}  // namespace

Offerer::Offerer(TimePoint now, const OffererSettings& settings, std::uint64_t seed)
    : settings_(settings), random_(seed), next_hello_(now) {}

void Offerer::set_group(std::size_t slaves, std::size_t other_masters) {
  slaves_ = slaves;
  other_masters_ = other_masters;
}

bool Offerer::has_place_for(TimePoint now, const NodeId& node) const {
  return slaves_ + held_for_others(now, node) < settings_.max_slaves;
}

std::size_t Offerer::held_for_others(TimePoint now, const NodeId& node) const {
  return static_cast<std::size_t>(std::count_if(holds_.begin(), holds_.end(), [&](const auto& one) {
    return one.second.until > now && one.first != node;
  }));
}

void Offerer::take(TimePoint now, const wire::BeaconHeard& heard) {
  if (const auto* seek = std::get_if<wire::Seek>(&heard.body)) {
    if (seek->seeker == settings_.self.id) return;
    if (seek->wants == wire::Wanted::masters) {
      answer_master(now, heard.from, *seek);
    } else if (open_ || has_waited(now, seek->seeker)) {
      answer(now, heard.from, *seek);
    }
    return;
  }
  if (const auto* hello = std::get_if<wire::Hello>(&heard.body))
    return ask_who_called(now, heard.from, hello->master);
  const wire::Peer* master = nullptr;
  if (const auto* offer = std::get_if<wire::Offer>(&heard.body))
    if (offer->nonce == nonce_ && offer->seeker == settings_.self.id) master = &offer->master;
  if (master == nullptr || master->id == settings_.self.id) return;
  if (effects_.masters.size() < masters_told_max) effects_.masters.push_back(*master);
}

// Whoever nobody else has answered for so long does not trust the others, or they are full.
bool Offerer::has_waited(TimePoint now, const NodeId& seeker) {
  std::erase_if(waits_, [&](const auto& one) { return now >= one.second.last + heard_for; });
  if (waits_.size() >= waits_max && !waits_.contains(seeker)) return false;
  const auto [wait, added] = waits_.try_emplace(seeker, Wait{now, now});
  wait->second.last = now;
  if (planted::on(planted::Bug::stands_by_behind_doors)) return false;
  return now >= wait->second.first + waited_after;
}

void Offerer::answer(TimePoint now, const wire::BeaconAddress& from, const wire::Seek& seek) {
  std::erase_if(holds_,
                [&](const auto& one) { return one.second.until + settings_.hold_for <= now; });
  const auto held = holds_.find(seek.seeker);
  if (held != holds_.end() && now - held->second.offered_at < settings_.offer_every) {
    ++counters_.too_soon;
    return;
  }
  const std::size_t taken = slaves_ + held_for_others(now, seek.seeker);
  const bool did_not_come = held != holds_.end() && held->second.until <= now;
  if (taken + (did_not_come ? 1 : 0) >= settings_.max_slaves) {
    ++counters_.full;
    return;
  }
  const double masters = static_cast<double>(other_masters_) + 1;
  if (held == holds_.end() && !random_.chance(settings_.answers_wanted / masters)) {
    ++counters_.left_to_others;
    return;
  }
  if (held != holds_.end() && !did_not_come) {
    // The same place: its first offer may have got lost.
    held->second.offered_at = now;
  } else {
    holds_[seek.seeker] = {now + settings_.hold_for, now};
  }
  offer(from, seek, settings_.max_slaves - taken);
}

void Offerer::answer_master(TimePoint now, const wire::BeaconAddress& from,
                            const wire::Seek& seek) {
  std::erase_if(answered_masters_,
                [&](const auto& one) { return now - one.second >= settings_.offer_every; });
  if (answered_masters_.contains(seek.seeker)) {
    ++counters_.too_soon;
    return;
  }
  if (answered_masters_.size() >= answered_masters_max) {
    ++counters_.crowded;
    return;
  }
  answered_masters_[seek.seeker] = now;
  if (!random_.chance(settings_.answers_wanted / (static_cast<double>(other_masters_) + 1))) {
    ++counters_.left_to_others;
    return;
  }
  offer(from, seek, 0);
}

void Offerer::offer(const wire::BeaconAddress& to, const wire::Seek& seek, std::size_t free) {
  ++counters_.offers;
  effects_.sends.push_back(
      {to, wire::Offer{seek.seeker, seek.nonce, settings_.self, as_16_bits(free),
                       as_16_bits(slaves_), wire::BeaconMac{}}});
}

void Offerer::tick(TimePoint now) {
  if (now < next_hello_) return;
  effects_.sends.push_back({std::nullopt, wire::Hello{settings_.self}});
  if (other_masters_ == 0) seek_masters();
  next_hello_ =
      now + duration_of_seconds(seconds_of(settings_.hello_every) * random_.between(0.8, 1.2));
}

// A Hello is proven by nothing, and its addresses could be anybody's. So whoever called is asked,
// where he called from; his Offer carries the hash that only he can make.
void Offerer::ask_who_called(TimePoint now, const wire::BeaconAddress& from,
                             const wire::Peer& caller) {
  if (caller.id == settings_.self.id) return;
  std::erase_if(asked_callers_,
                [&](const auto& one) { return now - one.second >= settings_.hello_every; });
  if (asked_callers_.contains(caller.id)) return;
  if (asked_callers_.size() >= callers_asked_max) {
    ++counters_.crowded;
    return;
  }
  if (asked_callers_.empty()) nonce_ = fresh_nonce(random_);
  asked_callers_[caller.id] = now;
  effects_.sends.push_back({from, wire::Seek{settings_.self.id, nonce_, wire::Wanted::masters}});
}

void Offerer::seek_masters() {
  nonce_ = fresh_nonce(random_);
  effects_.sends.push_back(
      {std::nullopt, wire::Seek{settings_.self.id, nonce_, wire::Wanted::masters}});
}

Effects Offerer::take_effects() { return std::exchange(effects_, Effects{}); }

}  // namespace ballast::discovery
