// Most clusters have room almost everywhere, and then the least number of migrations is simply the
// sum of the smallest eviction sets: the only art is to find a host for each quickly, and to choose
// among the many that fit so that the plan is short and the fleet even. Spreading arrivals over
// different hosts does both: a host takes in one VM a step, so as long as no host gets more than
// one the number of steps is what the sources need to let go. Only when there is no such host left
// does a host get a second arrival, up to what the sources need steps for anyway, and then any
// number.
//
// The tight variant looks at the shape of the gaps instead: it fills the host whose remaining room
// is smallest afterwards. The planner uses it when spreading leaves something behind, as the better
// start for the search.
#include "greedy.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "target_index.h"

namespace ballast::plan {
namespace {

constexpr std::size_t candidates_max = 48;

// The utilisation a host would have with the unit, in its tightest resource.
double utilisation_with(const Problem& problem, const Placement& placement, const Unit& unit,
                        HostIndex host) {
  double most = 0;
  for (std::size_t k = 0; k < resource_count; ++k) {
    const double load = placement.load(host)[k] + unit.load[k];
    most = std::max(most, load * problem.hosts[host].share[k]);
  }
  return most;
}

// What is left of the room, over all resources: small where the unit closes the gap.
double gap_after(const Problem& problem, const Placement& placement, const Unit& unit,
                 HostIndex host) {
  double sum = 0;
  const PlanHost& info = problem.hosts[host];
  for (std::size_t k = 0; k < resource_count; ++k) {
    if (info.share[k] == 0) continue;
    const double gap = (info.intake[k] - placement.load(host)[k] - unit.load[k]) * info.share[k];
    sum += gap * gap;
  }
  return sum;
}

// Hosts from the one with the most even room to the fullest.
std::vector<HostIndex> coolest_first(const Problem& problem, const Placement& placement) {
  std::vector<HostIndex> order;
  std::vector<double> room(problem.hosts.size(), 0);
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
    const PlanHost& host = problem.hosts[h];
    if (!host.target) continue;
    order.push_back(h);
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < resource_count; ++k)
      if (host.share[k] > 0)
        least = std::min(least, (host.limit[k] - placement.load(h)[k]) * host.share[k]);
    room[h] = least;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](HostIndex a, HostIndex b) { return room[a] > room[b]; });
  return order;
}

class Greedy {
 public:
  Greedy(const Problem& problem, const Placement& start, Fit fit)
      : problem_(problem), placement_(start), fit_(fit) {}

  Placement run(const std::vector<HostEviction>& evictions) {
    const std::vector<UnitIndex> leaving = hardest_first(evictions);
    if (leaving.empty()) return std::move(placement_);
    const std::vector<HostIndex> order = coolest_first(problem_, placement_);
    position_.assign(problem_.hosts.size(), TargetIndex::none);
    for (std::size_t i = 0; i < order.size(); ++i) position_[order[i]] = i;
    arrivals_.assign(problem_.hosts.size(), 0);
    // Hosts that took in nothing yet, those that still may without prolonging the plan, and all.
    levels_ = {TargetIndex(problem_, placement_, order), TargetIndex(problem_, placement_, order),
               TargetIndex(problem_, placement_, order)};
    for (const UnitIndex u : leaving) place(u);
    return std::move(placement_);
  }

 private:
  std::vector<UnitIndex> hardest_first(const std::vector<HostEviction>& evictions) {
    std::vector<UnitIndex> leaving;
    for (const auto& [host, found] : evictions) {
      leaving.insert(leaving.end(), found.units.begin(), found.units.end());
      arrivals_at_ease_ = std::max(arrivals_at_ease_, (found.migrations + 1) / 2);
    }
    Load mean_share{};
    for (const PlanHost& host : problem_.hosts)
      for (std::size_t k = 0; k < resource_count; ++k) mean_share[k] += host.share[k];
    std::vector<double> size(problem_.units.size(), 0);
    for (const UnitIndex u : leaving) {
      const Unit& unit = problem_.units[u];
      for (std::size_t k = 0; k < resource_count; ++k)
        size[u] = std::max(size[u], unit.load[k] * mean_share[k]);
    }
    std::sort(leaving.begin(), leaving.end(), [&](UnitIndex a, UnitIndex b) {
      const bool a_bound = problem_.units[a].allowed >= 0;
      const bool b_bound = problem_.units[b].allowed >= 0;
      if (a_bound != b_bound) return a_bound;
      return size[a] != size[b] ? size[a] > size[b] : a < b;
    });
    return leaving;
  }

  void place(UnitIndex u) {
    if (!problem_.friends.empty() && join_friends(u)) return;
    std::size_t level = fit_ == Fit::tight ? levels_.size() - 1 : 0;
    while (level < levels_.size() && !place_at(u, level)) ++level;
  }

  // Mends affinity that was broken at the start, where the unit has to go somewhere anyway.
  bool join_friends(UnitIndex u) {
    for (const UnitIndex other : problem_.friends[u]) {
      const HostIndex h = placement_.at(other);
      if (h == placement_.at(u) || position_[h] == TargetIndex::none) continue;
      if (!placement_.fits(u, h) || !placement_.rules_allow(u, h)) continue;
      put(u, h);
      return true;
    }
    return false;
  }

  bool place_at(UnitIndex u, std::size_t level) {
    const TargetIndex& index = levels_[level];
    const Unit& unit = problem_.units[u];
    double best = std::numeric_limits<double>::infinity();
    std::size_t best_at = TargetIndex::none;
    std::size_t seen = 0;
    const std::size_t enough = fit_ == Fit::tight ? 8 * candidates_max : candidates_max;
    for (std::size_t i = index.next(0, unit.load); i != TargetIndex::none && seen < enough;
         i = index.next(i + 1, unit.load)) {
      const HostIndex h = index.host(i);
      if (h == placement_.at(u) || !placement_.rules_allow(u, h)) continue;
      ++seen;
      const double score = fit_ == Fit::tight ? gap_after(problem_, placement_, unit, h)
                                              : utilisation_with(problem_, placement_, unit, h);
      if (score < best) {
        best = score;
        best_at = i;
      }
    }
    if (best_at == TargetIndex::none) return false;
    put(u, index.host(best_at));
    return true;
  }

  void put(UnitIndex u, HostIndex to) {
    const HostIndex from = placement_.at(u);
    placement_.move(u, to);
    arrivals_[to] += problem_.units[u].count;
    refresh(to);
    if (position_[from] != TargetIndex::none) refresh(from);
  }

  void refresh(HostIndex h) {
    const std::size_t i = position_[h];
    levels_[0].update(placement_, i, arrivals_[h] == 0);
    levels_[1].update(placement_, i, arrivals_[h] < arrivals_at_ease_);
    levels_[2].update(placement_, i, true);
  }

  const Problem& problem_;
  Placement placement_;
  Fit fit_;
  std::uint32_t arrivals_at_ease_ = 1;
  std::vector<std::size_t> position_;
  std::vector<std::uint32_t> arrivals_;
  std::vector<TargetIndex> levels_;
};

}  // namespace

Placement place_greedily(const Problem& problem, const Placement& start,
                         const std::vector<HostEviction>& evictions, Fit fit) {
  return Greedy(problem, start, fit).run(evictions);
}

}  // namespace ballast::plan
