#include "placement.h"

#include <algorithm>

#include "ballast/base/assert.h"

namespace ballast::plan {

Placement::Placement(const Problem& problem)
    : problem_(&problem),
      at_(problem.units.size()),
      load_(problem.hosts.size()),
      variance_(problem.hosts.size(), Load{}),
      traffic_(problem.hosts.size(), 0),
      on_(problem.hosts.size()),
      slot_(problem.units.size()),
      crowd_(problem.anti_rows * problem.hosts.size(), 0) {
  for (std::size_t h = 0; h < load_.size(); ++h) load_[h] = problem.hosts[h].base;
  std::vector<std::uint32_t> counts(problem.hosts.size(), 0);
  for (const Unit& unit : problem.units) ++counts[unit.home];
  for (std::size_t h = 0; h < on_.size(); ++h) on_[h].reserve(counts[h] + 4);
  for (UnitIndex u = 0; u < problem.units.size(); ++u) {
    const Unit& unit = problem.units[u];
    at_[u] = unit.home;
    slot_[u] = static_cast<std::uint32_t>(on_[unit.home].size());
    on_[unit.home].push_back(u);
    for (std::size_t k = 0; k < resource_count; ++k) {
      load_[unit.home][k] += unit.load[k];
      variance_[unit.home][k] += unit.variance[k];
    }
    for (const std::uint32_t rule : problem.anti_of_unit(unit)) {
      const std::int32_t row = problem.anti[rule].row;
      if (row >= 0) ++crowd_[static_cast<std::size_t>(row) * on_.size() + unit.home];
    }
  }
}

void Placement::move(UnitIndex unit, HostIndex to) {
  const HostIndex from = at_[unit];
  if (from == to) return;
  std::vector<UnitIndex>& old_list = on_[from];
  old_list[slot_[unit]] = old_list.back();
  slot_[old_list.back()] = slot_[unit];
  old_list.pop_back();
  slot_[unit] = static_cast<std::uint32_t>(on_[to].size());
  on_[to].push_back(unit);
  at_[unit] = to;
  const Unit& moving = problem_->units[unit];
  // At home it is no traffic; anywhere else it left one host and came to another.
  if (from == moving.home) {
    traffic_[from] += moving.count;
  } else {
    traffic_[from] -= moving.count;
  }
  if (to == moving.home) {
    traffic_[to] -= moving.count;
  } else {
    traffic_[to] += moving.count;
  }
  for (std::size_t k = 0; k < resource_count; ++k) {
    load_[from][k] -= moving.load[k];
    load_[to][k] += moving.load[k];
    // Never below 0 by rounding: a root is taken of it.
    variance_[from][k] = std::max(0.0, variance_[from][k] - moving.variance[k]);
    variance_[to][k] += moving.variance[k];
  }
  for (const std::uint32_t rule : problem_->anti_of_unit(moving)) {
    const std::int32_t row = problem_->anti[rule].row;
    if (row < 0) continue;
    --crowd_[static_cast<std::size_t>(row) * on_.size() + from];
    ++crowd_[static_cast<std::size_t>(row) * on_.size() + to];
  }
}

bool Placement::crowded(UnitIndex unit, HostIndex to, UnitIndex leaving, bool tolerant) const {
  const bool at_home = tolerant && to == problem_->units[unit].home;
  for (const std::uint32_t rule : problem_->anti_of_unit(problem_->units[unit])) {
    const AntiRule& anti = problem_->anti[rule];
    if (anti.row >= 0 && crowd_[static_cast<std::size_t>(anti.row) * on_.size() + to] == 0)
      continue;
    for (const UnitIndex other : anti.units) {
      if (at_[other] != to || other == unit || other == leaving) continue;
      if (!at_home || problem_->units[other].home != to) return true;
    }
  }
  return false;
}

bool Placement::may_arrive(UnitIndex unit, HostIndex to, UnitIndex leaving) const {
  const Unit& moving = problem_->units[unit];
  if (!problem_->may_run_on(moving, to)) return false;
  return moving.anti_count == 0 || !crowded(unit, to, leaving, false);
}

}  // namespace ballast::plan
