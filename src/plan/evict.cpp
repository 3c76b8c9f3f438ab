// The smallest set is a small covering problem in up to three dimensions. One resource alone is
// solved by taking the largest first; for several, and for the cheapest among the sets of equal
// size, a depth-first search looks at the units from the cheapest up and cuts a branch when what is
// still needed is more than the largest loads of the remaining units can cover with the VMs left to
// spend. Hosts carry tens of VMs and need a few to go, so this takes microseconds; a bound on the
// nodes keeps strange inputs harmless.
#include "evict.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ballast::plan {
namespace {

class CoverSearch {
 public:
  CoverSearch(const Problem& problem, std::vector<UnitIndex> candidates, const Load& excess,
              unsigned node_max)
      : problem_(problem), candidates_(std::move(candidates)), nodes_left_(node_max) {
    std::sort(candidates_.begin(), candidates_.end(), [&](UnitIndex a, UnitIndex b) {
      const Unit& x = problem_.units[a];
      const Unit& y = problem_.units[b];
      return x.price != y.price ? x.price < y.price : a < b;
    });
    // What one migration can take away at most, with the units from here on.
    largest_.resize(candidates_.size() + 1, Load{});
    for (std::size_t i = candidates_.size(); i-- > 0;) {
      const Unit& unit = problem_.units[candidates_[i]];
      for (std::size_t k = 0; k < resource_count; ++k)
        largest_[i][k] = std::max(largest_[i + 1][k], unit.load[k] / unit.count);
    }
    need_ = excess;
  }

  // The cheapest set of at most `migrations` VMs, or nothing.
  bool run(std::uint32_t migrations) {
    best_price_ = std::numeric_limits<double>::infinity();
    descend(0, need_, migrations, 0);
    return !best_.empty();
  }
  bool cut_off() const { return nodes_left_ == 0; }
  const std::vector<UnitIndex>& best() const { return best_; }

 private:
  void descend(std::size_t from, const Load& need, std::uint32_t left, double price) {
    if (nodes_left_ == 0) return;
    --nodes_left_;
    bool covered = true;
    for (const double n : need) covered = covered && n <= 0;
    if (covered) {
      if (price < best_price_) {
        best_price_ = price;
        best_ = chosen_;
      }
      return;
    }
    for (std::size_t i = from; i < candidates_.size() && left > 0; ++i) {
      for (std::size_t k = 0; k < resource_count; ++k)
        if (need[k] > left * largest_[i][k]) return;
      const Unit& unit = problem_.units[candidates_[i]];
      if (price + unit.price >= best_price_) return;
      if (unit.count > left) continue;
      Load rest = need;
      bool enough = true;
      for (std::size_t k = 0; k < resource_count; ++k) {
        rest[k] -= unit.load[k];
        enough = enough && rest[k] <= (left - unit.count) * largest_[i + 1][k];
      }
      bool done = true;
      for (const double n : rest) done = done && n <= 0;
      if (!enough && !done) continue;
      chosen_.push_back(candidates_[i]);
      descend(i + 1, rest, left - unit.count, price + unit.price);
      chosen_.pop_back();
      if (nodes_left_ == 0) return;
    }
  }

  const Problem& problem_;
  std::vector<UnitIndex> candidates_;
  std::vector<Load> largest_;
  Load need_{};
  unsigned nodes_left_;
  double best_price_ = 0;
  std::vector<UnitIndex> chosen_, best_;
};

// How many of these loads, the largest first, it takes until the excess is gone.
std::uint32_t largest_until(std::vector<double>& loads, double excess) {
  if (!(excess > 0)) return 0;
  std::sort(loads.begin(), loads.end(), std::greater<>());
  std::uint32_t count = 0;
  for (const double load : loads) {
    if (excess <= 0) break;
    excess -= load;
    ++count;
  }
  return count;
}

std::uint32_t count_at_least(const Problem& problem, const std::vector<UnitIndex>& candidates,
                             const Load& excess) {
  std::uint32_t most = 0;
  std::vector<double> each;
  for (std::size_t k = 0; k < resource_count; ++k) {
    if (!(excess[k] > 0)) continue;
    each.clear();
    for (const UnitIndex u : candidates) {
      const Unit& unit = problem.units[u];
      each.insert(each.end(), unit.count, unit.load[k] / unit.count);
    }
    most = std::max(most, largest_until(each, excess[k]));
  }
  return most;
}

// What every strategy finds: again and again the unit that takes away the most of what is needed.
std::vector<UnitIndex> greedy_cover(const Problem& problem, std::vector<UnitIndex> candidates,
                                    Load need, const Load& share) {
  std::vector<UnitIndex> chosen;
  while (std::any_of(need.begin(), need.end(), [](double n) { return n > 0; })) {
    double best = 0;
    std::size_t at = candidates.size();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const Unit& unit = problem.units[candidates[i]];
      double gain = 0;
      for (std::size_t k = 0; k < resource_count; ++k)
        if (need[k] > 0) gain += std::min(need[k], unit.load[k]) * share[k];
      gain /= unit.count;
      if (gain > best) {
        best = gain;
        at = i;
      }
    }
    if (at == candidates.size()) return {};
    const Unit& unit = problem.units[candidates[at]];
    for (std::size_t k = 0; k < resource_count; ++k) need[k] -= unit.load[k];
    chosen.push_back(candidates[at]);
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return chosen;
}

}  // namespace

Eviction smallest_cover(const Problem& problem, std::vector<UnitIndex> candidates,
                        const Load& excess, const Load& share, unsigned node_max) {
  const auto size_of = [&](const std::vector<UnitIndex>& units) {
    std::uint32_t sum = 0;
    for (const UnitIndex u : units) sum += problem.units[u].count;
    return sum;
  };
  Eviction found;
  found.units = greedy_cover(problem, candidates, excess, share);
  found.migrations = size_of(found.units);
  if (found.units.empty()) return found;
  const std::uint32_t least = count_at_least(problem, candidates, excess);
  CoverSearch search(problem, std::move(candidates), excess, node_max);
  found.at_least = least;
  for (std::uint32_t size = least; size <= found.migrations; ++size) {
    const bool some = search.run(size);
    if (some) {
      found.units = search.best();
      found.migrations = size_of(found.units);
      break;
    }
    if (search.cut_off()) break;
    found.at_least = size + 1;
  }
  return found;
}

namespace {

// Of equally few VMs rather those whose leaving lasts: that leave the host the headroom that its
// swing asks for, or half of it. The set is as cheap as such sets are.
void make_it_last(const Problem& problem, const Placement& placement, HostIndex host,
                  const std::vector<UnitIndex>& candidates, const Load& excess, unsigned node_max,
                  Eviction& found) {
  const Load& variance = placement.variance(host);
  const bool swings = std::any_of(variance.begin(), variance.end(), [](double v) { return v > 0; });
  if (!swings || found.units.empty()) return;
  for (const double part : {1.0, 0.5}) {
    Load more = excess;
    for (std::size_t k = 0; k < resource_count; ++k)
      if (problem.hosts[host].share[k] > 0)
        more[k] += part * headroom_deviations * std::sqrt(variance[k]);
    CoverSearch search(problem, candidates, more, node_max);
    if (!search.run(found.migrations)) continue;
    found.units = search.best();
    return;
  }
}

Load excess_over_goal(const Problem& problem, const Placement& placement, HostIndex host) {
  Load excess{};
  for (std::size_t k = 0; k < resource_count; ++k)
    excess[k] = placement.load(host)[k] - problem.hosts[host].goal[k];
  return excess;
}

// A host that stays over whatever leaves it: of its units those that are worth it, the most useful
// first.
Eviction worthwhile(const Problem& problem, const std::vector<UnitIndex>& candidates,
                    const PlanHost& host, Load excess) {
  std::vector<std::pair<double, UnitIndex>> by_gain;
  for (const UnitIndex u : candidates) {
    const Unit& unit = problem.units[u];
    const double gain = gain_of(host, unit, excess) / unit.count;
    if (gain > problem.min_gain) by_gain.emplace_back(-gain, u);
  }
  std::sort(by_gain.begin(), by_gain.end());
  Eviction found;
  for (const auto& [ignored, u] : by_gain) {
    const Unit& unit = problem.units[u];
    if (gain_of(host, unit, excess) <= problem.min_gain * unit.count) continue;
    for (std::size_t k = 0; k < resource_count; ++k) excess[k] -= unit.load[k];
    found.units.push_back(u);
    found.migrations += unit.count;
  }
  return found;
}

}  // namespace

Eviction evictions(const Problem& problem, const Placement& placement, HostIndex host,
                   unsigned node_max) {
  const PlanHost& info = problem.hosts[host];
  Eviction found;
  if (!info.source) return found;
  const Load excess = excess_over_goal(problem, placement, host);
  const bool over =
      std::any_of(excess.begin(), excess.end(), [](double above) { return above > 0; });
  if (!over && !info.maintenance) return found;
  std::vector<UnitIndex> candidates;
  for (const UnitIndex u : placement.on(host))
    if (problem.units[u].movable) candidates.push_back(u);
  if (!info.maintenance && info.stuck) return worthwhile(problem, candidates, info, excess);
  if (!info.maintenance) {
    found = smallest_cover(problem, candidates, excess, info.share, node_max);
    make_it_last(problem, placement, host, candidates, excess, node_max, found);
    return found;
  }
  for (const UnitIndex u : candidates) found.migrations += problem.units[u].count;
  found.at_least = found.migrations;
  found.units = std::move(candidates);
  return found;
}

std::vector<HostEviction> all_evictions(const Problem& problem, const Placement& start) {
  constexpr unsigned node_max = 2000;
  std::vector<HostEviction> all;
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
    Eviction found = evictions(problem, start, h, node_max);
    if (found.migrations > 0) all.push_back({.host = h, .eviction = std::move(found)});
  }
  return all;
}

namespace {

// Some host other than its home may take the unit, with that room on each host.
bool has_place(const Problem& problem, UnitIndex u, const std::vector<Load>& room) {
  const Unit& unit = problem.units[u];
  for (HostIndex t = 0; t < problem.hosts.size(); ++t) {
    if (t == unit.home || !problem.may_run_on(unit, t)) continue;
    bool fits = true;
    for (std::size_t k = 0; k < resource_count; ++k)
      fits = fits && (unit.load[k] <= 0 || unit.load[k] <= room[t][k]);
    if (fits) return true;
  }
  return false;
}

std::vector<Load> room_of(const Problem& problem, const Placement& start) {
  std::vector<Load> room(problem.hosts.size());
  for (HostIndex h = 0; h < problem.hosts.size(); ++h)
    for (std::size_t k = 0; k < resource_count; ++k)
      room[h][k] = problem.hosts[h].intake[k] - start.load(h)[k];
  return room;
}

// The most that leaves a host which gives away so many VMs.
Load most_of(const Problem& problem, const Placement& start, HostIndex h,
             std::uint32_t migrations) {
  Load most{};
  std::vector<double> each;
  for (std::size_t k = 0; k < resource_count; ++k) {
    each.clear();
    for (const UnitIndex u : start.on(h)) {
      const Unit& unit = problem.units[u];
      if (unit.movable) each.insert(each.end(), unit.count, unit.load[k] / unit.count);
    }
    std::sort(each.begin(), each.end(), std::greater<>());
    for (std::size_t i = 0; i < each.size() && i < migrations; ++i) most[k] += each[i];
  }
  return most;
}

// The units with a place take the host to its goal, with no more VMs than it must give.
bool gives_directly(const Problem& problem, const Placement& start, const HostEviction& one,
                    const std::vector<Load>& room) {
  constexpr unsigned node_max = 2000;
  const PlanHost& host = problem.hosts[one.host];
  std::vector<UnitIndex> placed;
  for (const UnitIndex u : start.on(one.host)) {
    if (!problem.units[u].movable) continue;
    if (has_place(problem, u, room)) {
      placed.push_back(u);
    } else if (host.maintenance) {
      return false;
    }
  }
  if (host.maintenance) return true;
  if (host.stuck) return true;
  const Load excess = excess_over_goal(problem, start, one.host);
  const Eviction cover = smallest_cover(problem, std::move(placed), excess, host.share, node_max);
  return !cover.units.empty() && cover.at_least <= one.eviction.at_least;
}

}  // namespace

std::uint32_t direct_migrations_at_least(const Problem& problem, const Placement& start,
                                         const std::vector<HostEviction>& evictions) {
  std::uint32_t sum = 0;
  std::vector<Load> room = room_of(problem, start);
  for (const auto& [h, eviction] : evictions) {
    sum += eviction.at_least;
    // What it gives makes room there, for others.
    const Load most = most_of(problem, start, h, eviction.at_least);
    for (std::size_t k = 0; k < resource_count; ++k) room[h][k] += most[k];
  }
  const bool direct = std::all_of(evictions.begin(), evictions.end(), [&](const HostEviction& one) {
    return gives_directly(problem, start, one, room);
  });
  return direct ? sum : sum + 1;
}

bool nothing_can_leave(const Problem& problem, const Placement& start,
                       const std::vector<HostEviction>& evictions) {
  std::vector<Load> room = room_of(problem, start);
  for (const Unit& unit : problem.units)
    for (std::size_t k = 0; k < resource_count && unit.movable; ++k)
      room[unit.home][k] += unit.load[k];
  return std::none_of(evictions.begin(), evictions.end(), [&](const HostEviction& one) {
    const PlanHost& host = problem.hosts[one.host];
    const Load excess = excess_over_goal(problem, start, one.host);
    Load rest = excess;
    bool some = false;
    for (const UnitIndex u : start.on(one.host)) {
      const Unit& unit = problem.units[u];
      if (!unit.movable || !has_place(problem, u, room)) continue;
      if (host.maintenance || gain_of(host, unit, excess) > problem.min_gain * unit.count)
        return true;
      for (std::size_t k = 0; k < resource_count; ++k) rest[k] -= unit.load[k];
      some = true;
    }
    // Each alone is not worth it: together they are if they bring the host under.
    return some && !host.stuck &&
           std::all_of(rest.begin(), rest.end(), [](double above) { return above <= 0; });
  });
}

std::size_t migrations_at_least(const Problem& problem, const Placement& start,
                                const std::vector<HostEviction>& evictions,
                                const Snapshot& snapshot) {
  std::size_t sum = 0;
  std::vector<double> loads;
  for (const auto& [h, eviction] : evictions) {
    const PlanHost& host = problem.hosts[h];
    std::uint32_t most = eviction.at_least;
    std::vector<VmIndex> free;
    for (const UnitIndex u : start.on(h))
      for (const VmIndex v : problem.vms_of(problem.units[u]))
        if (snapshot.vms[v].movable) free.push_back(v);
    if (host.maintenance) most = static_cast<std::uint32_t>(free.size());
    for (std::size_t k = 0; k < resource_count && !host.maintenance && !host.stuck; ++k) {
      if (start.load(h)[k] <= host.goal[k]) continue;  // or it is the host's own load
      loads.clear();
      for (const VmIndex v : free) loads.push_back(snapshot.vms[v].load[all_resources[k]]);
      const double excess = start.load(h)[k] - host.limit[k] - load_tolerance * host.capacity[k];
      most = std::max(most, largest_until(loads, excess));
    }
    sum += most;
  }
  return sum;
}

}  // namespace ballast::plan
