// The state of a search: a placement, what it costs, and the best that was seen on the way.
#pragma once

#include <cstdint>
#include <vector>

#include "placement.h"
#include "problem.h"
#include "search.h"

namespace ballast::plan {

// Members of a set with constant-time insert, erase and draw.
class DrawSet {
 public:
  explicit DrawSet(std::size_t universe) : slot_(universe, none) {}
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  std::uint32_t operator[](std::size_t i) const { return items_[i]; }
  void set(std::uint32_t item, bool in) {
    if (in == (slot_[item] != none)) return;
    if (in) {
      slot_[item] = static_cast<std::uint32_t>(items_.size());
      items_.push_back(item);
      return;
    }
    items_[slot_[item]] = items_.back();
    slot_[items_.back()] = slot_[item];
    slot_[item] = none;
    items_.pop_back();
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::vector<std::uint32_t> items_;
  std::vector<std::uint32_t> slot_;
};

// What a host contributes: overload above its intake, and how many of its resources are over.
struct Strain {
  double overload = 0;
  int breaches = 0;
};

// A search does little else than these: they are here to be inlined.
inline Strain strain_of(const PlanHost& host, const Load& load) {
  Strain strain;
  for (std::size_t k = 0; k < resource_count; ++k) {
    const double over = load[k] - host.intake[k];
    if (over > 0) {
      strain.overload += over * host.share[k];
      ++strain.breaches;
    }
  }
  return strain;
}

// What is charged for what left or entered a host that is over all the same.
inline double charge_for(const Problem& problem, HostIndex h, const Strain& strain,
                         std::uint32_t traffic) {
  const PlanHost& host = problem.hosts[h];
  const bool stays_over = (host.stuck || strain.breaches > 0) && !host.maintenance;
  return stays_over ? problem.min_gain * traffic : 0;
}

// What a host adds to the score of a placement.
inline double cost_of(const Problem& problem, const Placement& placement, HostIndex h) {
  if (!problem.hosts[h].source) return 0;
  const Strain strain = strain_of(problem.hosts[h], placement.load(h));
  return strain.overload + charge_for(problem, h, strain, placement.traffic(h));
}

inline Load sum_of(const Load& load, const Load& more, double sign) {
  Load sum = load;
  for (std::size_t k = 0; k < resource_count; ++k) sum[k] += sign * more[k];
  return sum;
}

// A placement under change. Its energy is what the annealing lowers: the price of what moved, and
// what being over costs, times a pressure that adapts. What is charged for migrations that bring no
// host under counts in the score alone: in the energy it would keep a host that needs many small
// units to go from ever giving the first.
class SearchState {
 public:
  SearchState(const Problem& problem, const Placement& from, double price_weight);

  const Placement& now() const { return now_; }
  const DrawSet& hot() const { return hot_; }    // hosts with something to relieve
  const DrawSet& away() const { return away_; }  // units that moved
  std::uint32_t away_from(HostIndex h) const { return away_count_[h]; }
  const Score& best() const { return best_known_; }

  // Energy of the hosts with these loads, or as they are.
  double energy(const Strain& strain) const {
    return pressure_ *
           (per_overload_ * strain.overload + per_breach_ * static_cast<double>(strain.breaches));
  }
  double energy(HostIndex host) const { return energy(strain_[host]); }
  double energy_with(HostIndex host, const Load& load) const {
    return energy(strain_of(problem_.hosts[host], load));
  }
  // What it costs that the unit is there.
  double price_at(UnitIndex unit, HostIndex host) const {
    const Unit& what = problem_.units[unit];
    if (host != what.home) return price_weight_ * what.price;
    return problem_.hosts[host].maintenance ? undrained_price * what.count : 0;
  }
  // All of what moved, and the hosts given, counted anew.
  double energy_of(const std::vector<HostIndex>& hosts) const;

  void shift(UnitIndex unit, HostIndex to);
  // After shifts: the hosts they changed, one by one, and then judge().
  void refresh(HostIndex host);
  // Notes when the present state is the best so far.
  void judge();
  // Keeps the best before it is left.
  void remember();
  Placement take_best();
  // Raises the pressure while every state is over somewhere, and lowers it while none is.
  void adapt();

 private:
  // To leave a VM on a host in maintenance is dearer than any way out.
  static constexpr double undrained_price = 8;

  void choose_weights();
  void set_away(UnitIndex unit);

  const Problem& problem_;
  const double price_weight_;
  Placement now_;
  std::vector<HostIndex> best_;  // by unit
  Score best_known_;
  std::vector<Strain> strain_;
  std::vector<double> cost_;  // by host, see cost_of
  DrawSet hot_, away_;
  std::vector<std::uint32_t> away_count_;  // VMs of each host that are elsewhere
  double per_overload_ = 1;                // energy of a whole host of overload
  double per_breach_ = 1;                  // and of each resource that is over at all
  double pressure_ = 1;
  double overload_ = 0;
  double price_ = 0;
  std::int64_t breaches_ = 0;
  std::size_t costly_ = 0;  // hosts that cost anything
  std::int64_t undrained_ = 0;
  std::uint64_t seen_clean_ = 0, seen_dirty_ = 0;
  bool improved_ = false;
};

}  // namespace ballast::plan
