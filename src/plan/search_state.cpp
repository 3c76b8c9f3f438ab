#include "search_state.h"

#include <algorithm>
#include <cmath>

namespace ballast::plan {
namespace {

constexpr double price_step = 1e-12;

}  // namespace

bool better(const Score& a, const Score& b) {
  if (std::abs(a.overload - b.overload) > overload_step) return a.overload < b.overload;
  return a.price < b.price - price_step;
}

Score score_of(const Problem& problem, const Placement& placement) {
  Score score;
  for (HostIndex h = 0; h < problem.hosts.size(); ++h)
    score.overload += cost_of(problem, placement, h);
  for (UnitIndex u = 0; u < problem.units.size(); ++u) {
    const Unit& unit = problem.units[u];
    if (placement.moved(u)) {
      score.price += unit.price;
    } else if (unit.movable && problem.hosts[unit.home].maintenance) {
      score.overload += unit.count;
    }
  }
  return score;
}

SearchState::SearchState(const Problem& problem, const Placement& from, double price_weight)
    : problem_(problem),
      price_weight_(price_weight),
      now_(from),
      best_(problem.units.size()),
      best_known_(score_of(problem, from)),
      strain_(problem.hosts.size()),
      cost_(problem.hosts.size(), 0),
      hot_(problem.hosts.size()),
      away_(problem.units.size()),
      away_count_(problem.hosts.size(), 0) {
  for (HostIndex h = 0; h < problem.hosts.size(); ++h) refresh(h);
  for (UnitIndex u = 0; u < problem.units.size(); ++u) {
    const Unit& unit = problem.units[u];
    if (unit.movable && problem.hosts[unit.home].maintenance) undrained_ += unit.count;
    if (now_.moved(u)) set_away(u);
    best_[u] = now_.at(u);
  }
  choose_weights();
}

void SearchState::choose_weights() {
  double sum = 0;
  std::size_t count = 0;
  for (const Unit& unit : problem_.units) {
    double size = 0;
    for (std::size_t k = 0; k < resource_count; ++k)
      size = std::max(size, unit.load[k] * problem_.hosts[unit.home].share[k]);
    sum += size;
    count += size > 0 ? 1 : 0;
  }
  const double mean = count > 0 ? sum / static_cast<double>(count) : 1;
  per_overload_ = 1 / std::max(mean, 1e-3);
  per_breach_ = 1.4;
}

double SearchState::energy_of(const std::vector<HostIndex>& hosts) const {
  double sum = price_weight_ * price_ + undrained_price * static_cast<double>(undrained_);
  for (const HostIndex h : hosts) sum += energy_with(h, now_.load(h));
  return sum;
}

Placement SearchState::take_best() {
  remember();
  for (UnitIndex u = 0; u < best_.size(); ++u) now_.move(u, best_[u]);
  return now_;
}

void SearchState::adapt() {
  if (seen_clean_ == 0) pressure_ = std::min(pressure_ * 1.1, 20.0);
  if (seen_dirty_ == 0) pressure_ = std::max(pressure_ * 0.9, 0.5);
  seen_clean_ = seen_dirty_ = 0;
}

void SearchState::shift(UnitIndex u, HostIndex to) {
  const HostIndex from = now_.at(u);
  now_.move(u, to);
  const Unit& unit = problem_.units[u];
  if (from == unit.home) set_away(u);
  if (to == unit.home) {
    away_.set(u, false);
    away_count_[unit.home] -= unit.count;
    price_ -= unit.price;
    if (problem_.hosts[to].maintenance) undrained_ += unit.count;
  }
}

void SearchState::set_away(UnitIndex u) {
  away_.set(u, true);
  const Unit& unit = problem_.units[u];
  away_count_[unit.home] += unit.count;
  price_ += unit.price;
  if (problem_.hosts[unit.home].maintenance) undrained_ -= unit.count;
}

void SearchState::refresh(HostIndex h) {
  const PlanHost& host = problem_.hosts[h];
  if (!host.source) return;
  const Strain old = strain_[h];
  const Strain fresh = strain_of(host, now_.load(h));
  const double cost = fresh.overload + charge_for(problem_, h, fresh, now_.traffic(h));
  overload_ += cost - cost_[h];
  costly_ += (cost > 0 ? 1U : 0U) - (cost_[h] > 0 ? 1U : 0U);
  cost_[h] = cost;
  breaches_ += fresh.breaches - old.breaches;
  strain_[h] = fresh;
  hot_.set(h, fresh.breaches > 0 || (host.maintenance && !now_.on(h).empty()));
}

void SearchState::judge() {
  ++(breaches_ == 0 ? seen_clean_ : seen_dirty_);
  if (costly_ == 0) overload_ = 0;
  const Score score{.overload = overload_ + static_cast<double>(undrained_), .price = price_};
  if (!better(score, best_known_)) return;
  for (std::size_t i = 0; i < hot_.size(); ++i)
    if (above_ceiling(problem_.hosts[hot_[i]], now_.load(hot_[i]))) return;
  best_known_ = score;
  improved_ = true;
}

void SearchState::remember() {
  if (!improved_) return;
  for (UnitIndex u = 0; u < best_.size(); ++u) best_[u] = now_.at(u);
  improved_ = false;
}

}  // namespace ballast::plan
