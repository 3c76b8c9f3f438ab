#include "search_options.h"

#include <algorithm>

#include "evict.h"
#include "search_state.h"

namespace ballast::plan {
namespace {

// In large fleets a unit fits nearly everywhere: so many targets, drawn, are enough.
constexpr std::size_t targets_drawn_max = 512;
constexpr std::size_t units_max = 48;  // of one host
constexpr unsigned option_nodes_max = 500;

}  // namespace

SearchOptions::SearchOptions(const Problem& problem, std::uint64_t seed)
    : need(problem.hosts.size(), 0),
      options(problem.hosts.size()),
      own(problem.hosts.size()),
      problem_(problem),
      random_(seed) {
  for (HostIndex h = 0; h < problem.hosts.size(); ++h)
    if (problem.hosts[h].target) targets.push_back(h);
  rank_units();
  const Placement start(problem);
  std::vector<Load> room(problem.hosts.size()), wide(problem.hosts.size());
  for (const HostIndex t : targets) {
    Load largest{};
    for (const UnitIndex u : start.on(t))
      for (std::size_t k = 0; k < resource_count; ++k)
        if (problem.units[u].movable) largest[k] = std::max(largest[k], problem.units[u].load[k]);
    const bool gives = strain_of(problem.hosts[t], start.load(t)).breaches > 0;
    for (std::size_t k = 0; k < resource_count; ++k) {
      room[t][k] = problem.hosts[t].goal[k] - start.load(t)[k] + (gives ? largest[k] : 0);
      wide[t][k] = room[t][k] + largest[k];
    }
  }
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) list_options(start, h, room, wide);
}

void SearchOptions::rank_units() {
  std::vector<double> size(problem_.units.size(), 0);
  for (UnitIndex u = 0; u < problem_.units.size(); ++u) {
    const Unit& unit = problem_.units[u];
    for (std::size_t k = 0; k < resource_count; ++k)
      size[u] = std::max(size[u], unit.load[k] * problem_.hosts[unit.home].share[k]);
    if (unit.movable) by_size.push_back(u);
  }
  std::sort(by_size.begin(), by_size.end(), [&](UnitIndex a, UnitIndex b) {
    return size[a] != size[b] ? size[a] > size[b] : a < b;
  });
  rank.assign(problem_.units.size(), unranked);
  for (std::size_t i = 0; i < by_size.size(); ++i) rank[by_size[i]] = i;
}

void SearchOptions::list_options(const Placement& start, HostIndex h, const std::vector<Load>& room,
                                 const std::vector<Load>& wide) {
  need[h] = evictions(problem_, start, h, option_nodes_max).migrations;
  if (need[h] == 0) return;
  for (const UnitIndex u : start.on(h))
    if (problem_.units[u].movable) own[h].push_back(u);
  constexpr std::size_t few = 12;
  for (const UnitIndex u : leavers(start, h, need[h])) {
    const std::size_t before = options[h].size();
    add_options(h, u, room);
    if (options[h].size() >= before + few) continue;
    options[h].resize(before);
    add_options(h, u, wide);
  }
  if (!options[h].empty()) sources.push_back(h);
}

void SearchOptions::add_options(HostIndex h, UnitIndex u, const std::vector<Load>& room) {
  const Unit& unit = problem_.units[u];
  const bool all = targets.size() <= 2 * targets_drawn_max;
  const std::size_t count = all ? targets.size() : targets_drawn_max;
  for (std::size_t i = 0; i < count; ++i) {
    const HostIndex t = targets[all ? i : random_.below(targets.size())];
    bool fits = t != h && problem_.may_run_on(unit, t);
    for (std::size_t k = 0; k < resource_count; ++k) fits = fits && unit.load[k] <= room[t][k];
    if (fits) options[h].emplace_back(u, t);
  }
}

std::vector<UnitIndex> SearchOptions::leavers(const Placement& start, HostIndex h,
                                              std::uint32_t left) const {
  const PlanHost& host = problem_.hosts[h];
  std::vector<UnitIndex> units;
  Load most{};
  for (const UnitIndex u : start.on(h)) {
    const Unit& unit = problem_.units[u];
    if (!unit.movable || unit.count > left) continue;
    units.push_back(u);
    for (std::size_t k = 0; k < resource_count; ++k)
      most[k] = std::max(most[k], unit.load[k] / unit.count);
  }
  if (host.stuck) {
    Load excess{};
    for (std::size_t k = 0; k < resource_count; ++k) excess[k] = start.load(h)[k] - host.goal[k];
    std::erase_if(units, [&](UnitIndex u) {
      const Unit& unit = problem_.units[u];
      return gain_of(host, unit, excess) <= problem_.min_gain * unit.count;
    });
  } else if (!host.maintenance) {
    std::erase_if(units, [&](UnitIndex u) {
      const Unit& unit = problem_.units[u];
      for (std::size_t k = 0; k < resource_count; ++k) {
        const double excess = start.load(h)[k] - host.goal[k];
        if (excess > 0 && excess > unit.load[k] + (left - unit.count) * most[k]) return true;
      }
      return false;
    });
  }
  if (units.size() > units_max) units.resize(units_max);
  return units;
}

}  // namespace ballast::plan
