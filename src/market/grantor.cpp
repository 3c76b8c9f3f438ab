#include "ballast/market/grantor.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "ballast/market/seller.h"

namespace ballast::market {
namespace {

// As long as an answer, an exchange of plans and an order may take, each with its repeats.
constexpr Duration lease_ttl = std::chrono::seconds(60);

// How much of the room is left over when the VM is in: the sum of shares that it does not use.
double left_over(const Resources& room, const Resources& load) {
  double left = 0;
  for (const Resource r : all_resources) {
    if (room[r] == unlimited || room[r] <= 0) continue;
    left += (room[r] - load[r]) / room[r];
  }
  return left;
}

bool goes_to(const wire::Want& want, const HostId& host) {
  return std::find(want.not_to.begin(), want.not_to.end(), host) == want.not_to.end();
}

bool fits_where_it_failed(const wire::Want& want, const Grantor::Offer& offer) {
  return std::any_of(offer.holes.begin(), offer.holes.end(), [&](const Hole& hole) {
    return fits(hole.room, want.load) && !goes_to(want, hole.host);
  });
}

}  // namespace

Grantor::Grantor(ledger::Ledger& ledger) : ledger_(ledger) {}

const Grantor::Granted* Grantor::find(const LeaseId& lease) const {
  const auto found = granted_.find(lease);
  return found == granted_.end() ? nullptr : &found->second;
}

void Grantor::tidy() {
  std::erase_if(granted_, [&](const auto& known) { return ledger_.find(known.first) == nullptr; });
}

std::size_t Grantor::open_leases_of(const NodeId& asker) const {
  return static_cast<std::size_t>(
      std::count_if(granted_.begin(), granted_.end(),
                    [&](const auto& known) { return known.second.asker == asker; }));
}

wire::RequestAnswer Grantor::serve(TimePoint now, const NodeId& asker, const wire::Request& request,
                                   Offer offer) {
  const auto before = answered_.find(asker);
  if (before != answered_.end() && before->second.number == request.number &&
      !planted::on(planted::Bug::grantor_answers_anew))
    return before->second.answer;
  tidy();
  wire::RequestAnswer answer;
  answer.number = request.number;
  const auto refuse = [&](const wire::Want& want, wire::RefusalReason reason,
                          std::uint64_t& counter) {
    const bool quiet = reason == wire::RefusalReason::quiet;
    answer.refusals.push_back({want.vm, reason, quiet ? offer.quiet_for : Duration(0)});
    ++counter;
  };
  for (const wire::Want& want : request.wants) {
    ++counters_.asked;
    if (offer.quiet) {
      refuse(want, wire::RefusalReason::quiet, counters_.refused_quiet);
    } else if (open_leases_of(asker) >= limits::leases_per_asker_max &&
               !planted::on(planted::Bug::grantor_forgets_quota)) {
      refuse(want, wire::RefusalReason::quota, counters_.refused_quota);
    } else if (auto granted = grant(now, asker, want, offer); granted) {
      answer.grants.push_back(std::move(*granted));
      ++counters_.granted;
    } else if (auto swapped = want.takes_back ? grant_swap(now, asker, want, offer) : std::nullopt;
               swapped) {
      answer.grants.push_back(std::move(*swapped));
      ++counters_.granted;
      ++counters_.granted_as_swap;
    } else if (fits_where_it_failed(want, offer)) {
      refuse(want, wire::RefusalReason::rule, counters_.refused_rule);
    } else {
      refuse(want, wire::RefusalReason::no_room, counters_.refused_room);
    }
  }
  answer.holes = told_holes(offer.holes);
  if (answered_.size() >= limits::summaries_kept_max && !answered_.contains(asker)) {
    const auto oldest =
        std::min_element(answered_.begin(), answered_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    answered_.erase(oldest);
  }
  answered_[asker] = {request.number, now, answer};
  return answer;
}

std::optional<wire::Grant> Grantor::grant(TimePoint now, const NodeId& asker,
                                          const wire::Want& want, Offer& offer) {
  std::vector<Hole*> fitting;
  for (Hole& hole : offer.holes) {
    const bool cool = want.heat_max <= 0 || hole.heat_with(want.load) <= want.heat_max;
    if (cool && fits(hole.room, want.load) && goes_to(want, hole.host)) fitting.push_back(&hole);
  }
  std::stable_sort(fitting.begin(), fitting.end(), [&](const Hole* a, const Hole* b) {
    if (want.heat_max > 0) return a->heat_with(want.load) < b->heat_with(want.load);
    return left_over(a->room, want.load) < left_over(b->room, want.load);
  });
  for (Hole* hole : fitting) {
    const auto lease =
        ledger_.promise({want.vm, want.from, hole->host, want.load}, now + lease_ttl);
    if (!lease) continue;
    hole->room -= want.load;
    hole->carried += want.load;
    granted_[lease->id] = {asker, hole->host, want.from_endpoint, std::nullopt, {}};
    return wire::Grant{want.vm, lease->id, hole->host, hole->endpoint, std::nullopt};
  }
  return std::nullopt;
}

// The smallest VM whose leaving makes the room, and that its host-to-be can take.
std::optional<wire::Grant> Grantor::grant_swap(TimePoint now, const NodeId& asker,
                                               const wire::Want& want, Offer& offer) {
  std::vector<std::pair<const Exchangeable*, Hole*>> pairs;
  for (const Exchangeable& ours : offer.exchangeable) {
    if (ours.load.cpu_mhz >= want.load.cpu_mhz || !fits(*want.takes_back, ours.load)) continue;
    if (!goes_to(want, ours.host) || ours.not_to.contains(want.from)) continue;
    const auto hole = std::find_if(offer.holes.begin(), offer.holes.end(),
                                   [&](const Hole& h) { return h.host == ours.host; });
    if (hole == offer.holes.end()) continue;
    Resources room = hole->room;
    room += ours.load;
    if (fits(room, want.load)) pairs.emplace_back(&ours, &*hole);
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.first->load.memory_mib < b.first->load.memory_mib;
  });
  for (const auto& [ours, hole] : pairs) {
    if (ledger_.find(ours->vm) != nullptr) continue;
    const bool first = ours->load.memory_mib <= want.takes_back_first_mib;
    const auto lease = ledger_.promise_exchange({want.vm, want.from, hole->host, want.load},
                                                ours->load, first, now + lease_ttl);
    if (!lease) continue;
    hole->room = Resources{};
    wire::Counterpart back{ours->vm, ours->load, hole->endpoint, first};
    granted_[lease->id] = {asker, hole->host, want.from_endpoint, back, want.from};
    return wire::Grant{want.vm, lease->id, hole->host, hole->endpoint, back};
  }
  return std::nullopt;
}

std::vector<Resources> told_holes(const std::vector<Hole>& holes) {
  std::vector<Resources> rooms;
  for (const Hole& hole : holes) {
    if (hole.room.cpu_mhz >= 1 && hole.room.memory_mib >= 1)
      rooms.push_back(whole_units(hole.room));
  }
  std::stable_sort(rooms.begin(), rooms.end(),
                   [](const Resources& a, const Resources& b) { return a.cpu_mhz > b.cpu_mhz; });
  if (rooms.size() > limits::summary_holes_max) rooms.resize(limits::summary_holes_max);
  return rooms;
}

}  // namespace ballast::market
