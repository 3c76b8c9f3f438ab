#include "ballast/market/asker.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::market {
namespace {

constexpr Duration repeat_after = std::chrono::seconds(2);
constexpr Duration give_up_after = std::chrono::seconds(6);
constexpr Duration silent_for = std::chrono::seconds(30);
constexpr Duration quota_for = std::chrono::seconds(30);
constexpr Duration quiet_max = std::chrono::hours(1);  // that another master may name
constexpr Duration pause_max = std::chrono::hours(1);
// A VM that needs so much less than when it was refused is another question.
constexpr double other_share = 0.1;
constexpr Duration learned_for = std::chrono::seconds(60);
constexpr Duration nobody_for = std::chrono::seconds(5);
constexpr std::size_t open_max = 8;
constexpr Duration soon = std::chrono::milliseconds(200);
constexpr std::size_t none = ~std::size_t{0};

// As the grantor will: out of the tightest hole; out of the roomiest for what looks for a cool
// host.
void take_room(std::vector<Resources>& holes, const wire::Want& want) {
  const bool looks_for_cool = want.heat_max > 0;
  Resources* best = nullptr;
  for (Resources& hole : holes) {
    if (!fits(hole, want.load)) continue;
    const bool better = best == nullptr || (looks_for_cool ? hole.cpu_mhz > best->cpu_mhz
                                                           : hole.cpu_mhz < best->cpu_mhz);
    if (better) best = &hole;
  }
  if (best != nullptr) *best -= want.load;
}

bool needs_less(const Resources& load, const Resources& asked) {
  return std::any_of(all_resources.begin(), all_resources.end(),
                     [&](Resource r) { return load[r] < (1 - other_share) * asked[r]; });
}

}  // namespace

// Numbers of another life must not be taken for ours: they begin anywhere.
Asker::Asker(AskerSettings settings, std::uint64_t seed)
    : settings_(std::move(settings)), random_(seed), next_number_(random_.next() >> 16U) {}

void Asker::need(TimePoint now, std::vector<wire::Want> wants) {
  std::map<VmId, Need> needs;
  std::uint32_t order = 0;
  for (wire::Want& want : wants) {
    const VmId vm = want.vm;
    Need need;
    need.next = now;
    if (auto known = needs_.extract(vm); !known.empty()) {
      need = std::move(known.mapped());
    } else if (auto paused = paused_.extract(vm); !paused.empty()) {
      need = std::move(paused.mapped());
    }
    if (!need.refused_by.empty() && needs_less(want.load, need.asked_load)) {
      need.pause = Duration(0);
      begin_round(now, need);
    }
    need.want = std::move(want);
    need.order = order++;
    needs.emplace(vm, std::move(need));
  }
  std::swap(needs_, needs);
  remember(now, std::move(needs));
}

// A VM that is a little under its host's threshold now and a little over it then is asked for no
// more often than one that stays over.
void Asker::remember(TimePoint now, std::map<VmId, Need> dropped) {
  const auto is_over = [&](const Need& need) {
    return need.request != 0 || !need.paused_until || now >= *need.paused_until + need.pause;
  };
  std::erase_if(paused_, [&](const auto& known) { return is_over(known.second); });
  for (auto& [vm, need] : dropped) {
    if (paused_.size() >= limits::pauses_max) return;  // then it is asked for sooner
    if (!is_over(need)) paused_.insert_or_assign(vm, std::move(need));
  }
}

void Asker::begin_round(TimePoint now, Need& need) const {
  need.refused_by.clear();
  need.paused_until.reset();
  need.next = now;
}

void Asker::end_round(TimePoint now, Need& need) const {
  need.pause = need.pause <= Duration(0) ? settings_.pause_first : 2 * need.pause;
  need.pause = std::min(need.pause, std::max(pause_max, settings_.pause_first));
  need.paused_until = now + need.pause;
}

std::optional<Asker::Pause> Asker::pause_of(TimePoint now, const VmId& vm) const {
  const auto found = needs_.find(vm);
  if (found == needs_.end() || found->second.request != 0 || !found->second.paused_until ||
      *found->second.paused_until <= now)
    return std::nullopt;
  return Pause{found->second.tries, *found->second.paused_until - now};
}

std::vector<Seller> Asker::as_known(TimePoint now, const std::vector<Seller>& sellers) const {
  std::vector<Seller> known;
  for (const Seller& seller : sellers) {
    const auto silent = silent_.find(seller.master);
    if (silent != silent_.end() && silent->second > now) continue;
    known.push_back(seller);
    const auto learned = learned_.find(seller.master);
    if (learned != learned_.end() && learned->second.until > now &&
        learned->second.incarnation == seller.incarnation &&
        learned->second.version == seller.version)
      known.back().holes = learned->second.holes;
  }
  return known;
}

double Asker::weight_of(TimePoint now, const Need& need, const Seller& seller, bool as_swap) const {
  const auto refused = need.refused_by.find(seller.master);
  if (refused != need.refused_by.end() && refused->second.until > now) {
    // News may tell of room for it, but not of a VM to exchange it for.
    const bool same = refused->second.incarnation == seller.incarnation &&
                      refused->second.version == seller.version;
    if (same || as_swap) return 0;
  }
  if (!as_swap) return fit_of(seller.holes, need.want.load);
  // Where there is much room, a small VM in exchange makes enough of it.
  return seller.holes.empty() ? 0 : std::max(1.0, seller.holes.front().cpu_mhz);
}

std::size_t Asker::choose(const std::vector<double>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (total <= 0) return none;
  double at = random_.between(0, total);
  std::size_t last = none;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    at -= weights[i];
    if (at < 0) break;
  }
  return last;
}

std::vector<double> Asker::weights_of(TimePoint now, const Need& need,
                                      const std::vector<Seller>& sellers, bool as_swap) const {
  std::vector<double> weights;
  weights.reserve(sellers.size());
  for (const Seller& seller : sellers) weights.push_back(weight_of(now, need, seller, as_swap));
  return weights;
}

// Of those that have room for it, the one with the roomiest hole.
std::size_t Asker::roomiest(TimePoint now, const Need& need,
                            const std::vector<Seller>& sellers) const {
  std::size_t best = none;
  double most = 0;
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    if (weight_of(now, need, sellers[i], false) <= 0) continue;
    for (const Resources& hole : sellers[i].holes) {
      if (!fits(hole, need.want.load) || hole.cpu_mhz <= most) continue;
      most = hole.cpu_mhz;
      best = i;
    }
  }
  return best;
}

std::size_t Asker::choose_or_wait(TimePoint now, Need& need, const std::vector<Seller>& sellers,
                                  const std::vector<bool>& ours, bool& as_swap) {
  as_swap = false;
  if (need.want.heat_max > 0) return roomiest(now, need, sellers);
  if (need.paused_until && *need.paused_until <= now) begin_round(now, need);
  const std::vector<double> weights = weights_of(now, need, sellers, false);
  std::vector<double> weights_of_ours = weights;
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    if (!ours[i]) weights_of_ours[i] = 0;
  }
  if (const std::size_t chosen = choose(weights_of_ours); chosen != none) return chosen;
  std::size_t chosen = choose(weights);
  if (chosen != none && !need.waited) {
    need.waited = true;
    need.next = now + duration_of_seconds(seconds_of(settings_.news_take) * random_.between(1, 2));
    if (need.next > now) return none;
  }
  if (chosen == none && need.want.takes_back && !need.paused_until) {
    as_swap = true;
    chosen = choose(weights_of(now, need, sellers, true));
  }
  if (chosen == none) {
    const bool was_refused =
        std::any_of(need.refused_by.begin(), need.refused_by.end(),
                    [](const auto& known) { return known.second.until == time_never; });
    if (!need.paused_until && was_refused) end_round(now, need);
    need.next = now + nobody_for;
    // Who said for how long it takes nothing is asked when that is over.
    for (const auto& [master, refused] : need.refused_by)
      if (refused.until > now) need.next = std::min(need.next, refused.until);
    if (planted::on(planted::Bug::asker_starves)) need.next = time_never;
  }
  return chosen;
}

void Asker::free_needs_of(std::uint64_t number, const Open& open, TimePoint now,
                          const std::map<VmId, TimePoint>& avoid_until) {
  for (auto& [vm, need] : needs_) {
    if (need.request != number) continue;
    if (need.want.heat_max > 0) declined_.insert(vm);
    const auto until = avoid_until.find(vm);
    need.request = 0;
    need.next = now;
    if (need.refused_by.empty()) need.asked_load = need.want.load;
    if (need.refused_by.size() >= limits::summaries_kept_max) need.refused_by.clear();
    if (!planted::on(planted::Bug::asker_forgets_refusals))
      need.refused_by[open.to] = {until == avoid_until.end() ? now + silent_for : until->second,
                                  open.incarnation, open.version};
  }
  std::erase_if(needs_, [&](const auto& known) { return declined_.contains(known.first); });
}

void Asker::give_up_silent(TimePoint now) {
  if (planted::on(planted::Bug::asker_waits_for_the_dead)) return;
  std::vector<std::uint64_t> over;
  for (const auto& [number, open] : open_) {
    if (now >= open.since + give_up_after) over.push_back(number);
  }
  for (const std::uint64_t number : over) {
    const Open open = open_.at(number);
    open_.erase(number);
    counters_.unanswered += open.request.wants.size();
    silent_[open.to] = now + silent_for;
    free_needs_of(number, open, now, {});
  }
  std::erase_if(silent_, [&](const auto& known) { return known.second <= now; });
  std::erase_if(learned_, [&](const auto& known) { return known.second.until <= now; });
}

std::vector<Asker::Send> Asker::tick(TimePoint now, const std::vector<Seller>& sellers) {
  std::vector<Send> sends;
  give_up_silent(now);
  for (auto& [number, open] : open_) {
    if (open.repeat > now) continue;
    open.repeat = now + repeat_after;
    sends.push_back({open.to, open.endpoint, open.request});
  }
  std::vector<Need*> due;
  for (auto& [vm, need] : needs_) {
    const bool free = need.request == 0 || planted::on(planted::Bug::asker_asks_all_at_once);
    if (free && need.next <= now) due.push_back(&need);
  }
  if (due.empty()) return sends;
  std::sort(due.begin(), due.end(), [](auto* a, auto* b) { return a->order < b->order; });
  std::vector<Seller> known = as_known(now, sellers);
  const std::vector<bool> ours = ours_first(settings_.self, known);
  std::map<NodeId, std::uint64_t> asked;  // number of the request that goes out now; 0: one is open
  for (const auto& [number, open] : open_) asked.emplace(open.to, 0);
  for (Need* need : due) {
    bool as_swap = false;
    const std::size_t chosen = choose_or_wait(now, *need, known, ours, as_swap);
    if (chosen == none && need->want.heat_max > 0) declined_.insert(need->want.vm);
    if (chosen == none) continue;
    Seller& seller = known[chosen];
    const auto entry = asked.find(seller.master);
    const bool busy = entry != asked.end() && entry->second == 0;
    const bool full =
        entry == asked.end()
            ? open_.size() >= open_max
            : !busy && open_.at(entry->second).request.wants.size() >= limits::wants_max;
    if (busy || full) {
      need->next = now + soon;
      continue;
    }
    std::uint64_t& number = asked[seller.master];
    Open& open = request_to(now, seller, number);
    wire::Want want = need->want;
    if (!as_swap) {
      want.takes_back.reset();
      take_room(seller.holes, want);
    }
    open.request.wants.push_back(std::move(want));
    need->request = number;
    ++need->tries;
    ++counters_.sent;
  }
  for (const VmId& vm : declined_) needs_.erase(vm);
  for (const auto& [master, number] : asked) {
    if (number == 0) continue;
    const Open& open = open_.at(number);
    sends.push_back({open.to, open.endpoint, open.request});
  }
  return sends;
}

// The request to this master that is being written, or a new one.
Asker::Open& Asker::request_to(TimePoint now, const Seller& seller, std::uint64_t& number) {
  if (number == 0) {
    number = ++next_number_;
    Open open;
    open.to = seller.master;
    open.endpoint = seller.endpoint;
    open.request.number = number;
    open.incarnation = seller.incarnation;
    open.version = seller.version;
    open.since = now;
    open.repeat = now + repeat_after;
    open_.emplace(number, std::move(open));
  }
  return open_.at(number);
}

TimePoint Asker::next_deadline() const {
  TimePoint next = time_never;
  for (const auto& [number, open] : open_)
    next = std::min({next, open.repeat, open.since + give_up_after});
  for (const auto& [vm, need] : needs_) {
    if (need.request == 0) next = std::min(next, need.next);
  }
  return next;
}

Asker::Answered Asker::take(TimePoint now, const NodeId& from, const wire::RequestAnswer& answer) {
  Answered answered;
  const auto found = open_.find(answer.number);
  const bool known = found != open_.end() && found->second.to == from;
  if (!known) {
    if (planted::on(planted::Bug::asker_keeps_late_grants)) return answered;
    for (const wire::Grant& grant : answer.grants) {
      answered.unwanted.push_back({from, {}, grant.lease});
      ++counters_.given_back;
    }
    return answered;
  }
  const Open open = found->second;
  open_.erase(found);
  for (const wire::Grant& grant : answer.grants) {
    const auto need = needs_.find(grant.vm);
    if (need == needs_.end() || need->second.request != answer.number) {
      answered.unwanted.push_back({from, open.endpoint, grant.lease});
      ++counters_.given_back;
      continue;
    }
    ++counters_.granted;
    if (need->second.tries == 1) ++counters_.granted_first;
    answered.granted.push_back({from, open.endpoint, grant, need->second.want});
    needs_.erase(need);
  }
  counters_.refused += answer.refusals.size();
  std::map<VmId, TimePoint> avoid_until;
  bool knows_room = true;  // one that is quiet has not looked
  for (const wire::Refusal& refusal : answer.refusals) {
    const bool soon_over = refusal.reason == wire::RefusalReason::quota;
    const bool names_a_time =
        refusal.reason == wire::RefusalReason::quiet && refusal.wait > Duration(0);
    avoid_until[refusal.vm] = soon_over      ? now + quota_for
                              : names_a_time ? now + std::min(refusal.wait, quiet_max)
                                             : time_never;
    knows_room = knows_room && refusal.reason != wire::RefusalReason::quiet;
    const bool was_to_fit = std::any_of(
        open.request.wants.begin(), open.request.wants.end(),
        [&](const wire::Want& want) { return want.vm == refusal.vm && !want.takes_back; });
    if (refusal.reason == wire::RefusalReason::no_room && was_to_fit) ++counters_.refused_stale;
  }
  if (knows_room)
    learned_[from] = {open.incarnation, open.version, answer.holes, now + learned_for};
  free_needs_of(answer.number, open, now, avoid_until);
  return answered;
}

void Asker::lost(TimePoint now, const NodeId& master) {
  for (auto& [number, open] : open_) {
    if (open.to == master) open.since = now - give_up_after;
  }
}

}  // namespace ballast::market
