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

// Up to this share of its limit a host is as good a target as any: there it counts more that
// arrivals spread, so that the plan has few steps. Beyond it the less full one is taken.
constexpr double at_ease = 0.8;

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

// Hosts from the least full to the fullest.
std::vector<HostIndex> coolest_first(const Problem& problem, const Placement& placement) {
  std::vector<HostIndex> order;
  std::vector<double> heat(problem.hosts.size(), 0);
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
    if (!problem.hosts[h].target) continue;
    order.push_back(h);
    heat[h] = placement.heat(h);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](HostIndex a, HostIndex b) { return heat[a] < heat[b]; });
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
    if (fit_ == Fit::tight) {
      put_if_any(u, best_at(u, levels_.size() - 1));
      return;
    }
    // A host that took nothing yet, unless it gets full and one that did take something does not.
    Candidate best;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      Candidate next = best_at(u, level);
      if (std::max(next.score, at_ease) < std::max(best.score, at_ease)) best = next;
    }
    put_if_any(u, best);
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

  struct Candidate {
    std::size_t position = TargetIndex::none;
    double score = std::numeric_limits<double>::infinity();
  };

  Candidate best_at(UnitIndex u, std::size_t level) const {
    const TargetIndex& index = levels_[level];
    const Unit& unit = problem_.units[u];
    Candidate best;
    std::size_t seen = 0;
    const std::size_t enough = fit_ == Fit::tight ? 8 * candidates_max : candidates_max;
    for (std::size_t i = index.next(0, unit.load); i != TargetIndex::none && seen < enough;
         i = index.next(i + 1, unit.load)) {
      const HostIndex h = index.host(i);
      if (h == placement_.at(u) || !placement_.rules_allow(u, h)) continue;
      ++seen;
      const double score = fit_ == Fit::tight ? gap_after(problem_, placement_, unit, h)
                                              : placement_.heat_with(u, h);
      if (score < best.score) best = {.position = i, .score = score};
    }
    return best;
  }

  void put_if_any(UnitIndex u, const Candidate& found) {
    if (found.position != TargetIndex::none) put(u, levels_.front().host(found.position));
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
