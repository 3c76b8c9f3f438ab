// The problem: where the greedy leaves overload, room is there but in the wrong shape. CPU is free
// on one host and memory on another; only other VMs leaving, exchanges, or chains of moves through
// several hosts use it. Which of the many sets of VMs leaves each host, and where each goes, has to
// be decided together.
//
// The idea: simulated annealing over final placements (Kirkpatrick et al., 1983). A state may break
// thresholds, at a price, but no rule. Two kinds of change reach everything: one unit goes to
// another host (or back home), and two units change places. A host that a change has pushed over is
// the next one that changes look at, and so chains of any length come about one link at a time. The
// price of overload rises while no state without it is found, and falls while all are, so that the
// search walks along the border of what is possible, where the plans with few migrations are. What
// is returned is the best state that broke nothing.
//
// Each trial draws a few candidates and weighs only the two hosts that it changes, so that a
// million of them take some tens of milliseconds. The count of trials is bounded, not the time: the
// same snapshot gives the same plan on every machine.
//
// Alternatives: integer programming proves optima for 20 hosts in seconds, not for 400 in half of
// one; the test suite uses it to judge this search. Destroy-and-repair needs a good greedy repair,
// which is what tight snapshots defeat.
#include "search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ballast/base/random.h"
#include "evict.h"

namespace ballast::plan {
namespace {

constexpr double overload_step = 1e-7;  // smaller differences of overload are rounding
constexpr double price_step = 1e-12;

// -log of evenly spread numbers in (0, 1): what a trial may worsen the energy by, in temperatures.
constexpr std::size_t patience_count = 4096;

std::vector<double> patience_table() {
  std::vector<double> table(patience_count);
  for (std::size_t i = 0; i < patience_count; ++i)
    table[i] = -std::log((static_cast<double>(i) + 0.5) / patience_count);
  return table;
}

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

struct Weights {
  double per_overload = 1;  // for a whole host of overload
  double per_breach = 1;    // for each resource of a host that is over at all
};

// What a host contributes: overload above its goal, and how many of its resources are over.
struct Strain {
  double overload = 0;
  int breaches = 0;
};

Strain strain_of(const PlanHost& host, const Load& load) {
  Strain strain;
  for (std::size_t k = 0; k < resource_count; ++k) {
    const double over = load[k] - host.goal[k];
    if (over > 0) {
      strain.overload += over * host.share[k];
      ++strain.breaches;
    }
  }
  return strain;
}

bool above_ceiling(const PlanHost& host, const Load& load) {
  for (std::size_t k = 0; k < resource_count; ++k)
    if (load[k] > host.ceiling[k]) return true;
  return false;
}

class Annealing {
 public:
  Annealing(const Problem& problem, const Placement& from, const SearchLimits& limits)
      : problem_(problem),
        limits_(limits),
        random_(limits.seed),
        now_(from),
        best_(problem.units.size()),
        strain_(problem.hosts.size()),
        hot_(problem.hosts.size()),
        need_(problem.hosts.size(), 0),
        away_count_(problem.hosts.size(), 0),
        away_(problem.units.size()),
        patience_(patience_table()) {
    for (HostIndex h = 0; h < problem.hosts.size(); ++h) {
      if (problem.hosts[h].target) targets_.push_back(h);
      refresh(h);
    }
    for (UnitIndex u = 0; u < problem.units.size(); ++u) {
      const Unit& unit = problem.units[u];
      if (unit.movable && problem.hosts[unit.home].maintenance) undrained_ += unit.count;
      if (now_.moved(u)) set_away(u);
      best_[u] = now_.at(u);
    }
    best_known_ = score_of(problem, from);
    list_options();
    choose_weights();
  }

  Placement run() {
    if (targets_.empty() || problem_.units.empty()) return now_;
    constexpr std::uint64_t epoch = 256;
    for (std::uint64_t trial = 0; trial < limits_.trials; ++trial) {
      if (trial % epoch == 0) {
        const double progress = static_cast<double>(trial) / static_cast<double>(limits_.trials);
        temperature_ = limits_.hottest * std::pow(limits_.coldest / limits_.hottest, progress);
        adapt();
        if (done()) break;
      }
      if (hot_.empty() && away_.empty()) break;
      const std::uint64_t draw = random_.below(16);
      if (draw < 4 && !sources_.empty()) {
        try_option();
      } else if (draw < 6 && !sources_.empty()) {
        try_large();
      } else if (draw < 9 && !sources_.empty()) {
        try_clearing();
      } else if (draw < 12 && !away_.empty()) {
        try_restore();
      } else if (hot_.empty() || (!away_.empty() && draw < 13)) {
        try_moved();
      } else {
        try_hot();
      }
    }
    remember();
    for (UnitIndex u = 0; u < best_.size(); ++u) now_.move(u, best_[u]);
    return now_;
  }

 private:
  void choose_weights() {
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
    weights_.per_overload = 1 / std::max(mean, 1e-3);
    weights_.per_breach = 1.4;
  }

  // For every host that must give something away: which of its units could be the one, and where it
  // could fit at all, counting what a target might itself give away.
  void list_options() {
    const Placement start(problem_);
    std::vector<Load> room(problem_.hosts.size()), wide(problem_.hosts.size());
    for (const HostIndex t : targets_) {
      Load largest{};
      for (const UnitIndex u : start.on(t))
        for (std::size_t k = 0; k < resource_count; ++k)
          if (problem_.units[u].movable)
            largest[k] = std::max(largest[k], problem_.units[u].load[k]);
      const bool gives = strain_of(problem_.hosts[t], start.load(t)).breaches > 0;
      for (std::size_t k = 0; k < resource_count; ++k) {
        room[t][k] = problem_.hosts[t].goal[k] - start.load(t)[k] + (gives ? largest[k] : 0);
        wide[t][k] = room[t][k] + largest[k];
      }
    }
    for (UnitIndex u = 0; u < problem_.units.size(); ++u)
      if (problem_.units[u].movable) by_size_.push_back(u);
    const auto size_of = [&](UnitIndex u) {
      double size = 0;
      for (std::size_t k = 0; k < resource_count; ++k)
        size = std::max(
            size, problem_.units[u].load[k] * problem_.hosts[problem_.units[u].home].share[k]);
      return size;
    };
    std::sort(by_size_.begin(), by_size_.end(), [&](UnitIndex a, UnitIndex b) {
      const double x = size_of(a), y = size_of(b);
      return x != y ? x > y : a < b;
    });
    rank_.assign(problem_.units.size(), ~std::size_t{0});
    for (std::size_t i = 0; i < by_size_.size(); ++i) rank_[by_size_[i]] = i;
    own_.resize(problem_.hosts.size());
    options_.resize(problem_.hosts.size());
    constexpr std::size_t few = 12;
    for (HostIndex h = 0; h < problem_.hosts.size(); ++h) {
      const Eviction need = evictions(problem_, start, h, 500);
      need_[h] = need.migrations;
      if (need.migrations == 0) continue;
      for (const UnitIndex u : start.on(h))
        if (problem_.units[u].movable) own_[h].push_back(u);
      for (const UnitIndex u : leavers(start, h, need.migrations)) {
        const std::size_t before = options_[h].size();
        add_options(h, u, room);
        if (options_[h].size() < before + few) {
          options_[h].resize(before);
          add_options(h, u, wide);
        }
      }
      if (!options_[h].empty()) sources_.push_back(h);
    }
  }

  void add_options(HostIndex h, UnitIndex u, const std::vector<Load>& room) {
    for (const HostIndex t : targets_) {
      bool fits = t != h && problem_.may_run_on(problem_.units[u], t);
      for (std::size_t k = 0; k < resource_count; ++k)
        fits = fits && problem_.units[u].load[k] <= room[t][k];
      if (fits) options_[h].emplace_back(u, t);
    }
  }

  std::vector<UnitIndex> leavers(const Placement& start, HostIndex h, std::uint32_t left) const {
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
    if (host.maintenance) return units;
    std::erase_if(units, [&](UnitIndex u) {
      const Unit& unit = problem_.units[u];
      for (std::size_t k = 0; k < resource_count; ++k) {
        const double excess = start.load(h)[k] - host.goal[k];
        if (excess > 0 && excess > unit.load[k] + (left - unit.count) * most[k]) return true;
      }
      return false;
    });
    return units;
  }

  // A host that must give something away gives another unit, or to another host.
  void try_option() {
    HostIndex h = sources_[random_.below(sources_.size())];
    UnitIndex back = Placement::no_unit;
    if (!hot_.empty() && random_.chance(0.5)) {
      // Where it hurts: the host itself, or the home of a guest there.
      const HostIndex sore = hot_[random_.below(hot_.size())];
      const std::vector<UnitIndex>& on = now_.on(sore);
      if (on.empty()) return;
      const UnitIndex u = on[random_.below(on.size())];
      const HostIndex home = problem_.units[u].home;
      if (home != sore && !options_[home].empty()) {
        h = home;
        back = u;
      } else if (!options_[sore].empty()) {
        h = sore;
      }
    }
    const auto [u, t] = options_[h][random_.below(options_[h].size())];
    if (now_.at(u) == t) return;
    shifts_.clear();
    if (back != Placement::no_unit && back != u) go(back, problem_.units[back].home);
    const bool all = random_.chance(0.5);
    for (const UnitIndex w : own_[h]) {
      if (w == u || w == back || now_.at(w) == h) continue;
      if (all || shifts_.empty()) go(w, h);
    }
    go(u, t);
    try_shifts();
  }

  // A large unit of a host in need changes places with a slightly smaller one anywhere, and what
  // its host had to send away for it comes back as far as there is room.
  void try_large() {
    HostIndex h = draw_spendthrift();
    if (!hot_.empty() && random_.chance(0.3)) h = hot_[random_.below(hot_.size())];
    const UnitIndex u = largest_on(h);
    if (u == Placement::no_unit) return;
    const UnitIndex w = draw_replaceable(u, h);
    if (w == Placement::no_unit) return;
    const HostIndex to = now_.at(w);
    shifts_.clear();
    const HostIndex relay = random_.chance(0.5) ? h : snuggest(w, to);
    Load load = now_.load(h);
    for (std::size_t k = 0; k < resource_count; ++k)
      load[k] += (relay == h ? problem_.units[w].load[k] : 0) - problem_.units[u].load[k];
    go(u, to);
    go(w, relay);
    call_back(h, load);
    try_shifts();
  }

  // Of some hosts in need, the one that has sent away most beyond its need.
  HostIndex draw_spendthrift() {
    HostIndex best = sources_[random_.below(sources_.size())];
    if (random_.chance(0.3)) return best;
    for (int i = 0; i < 5; ++i) {
      const HostIndex h = sources_[random_.below(sources_.size())];
      if (away_count_[h] + need_[best] > away_count_[best] + need_[h]) best = h;
    }
    return best;
  }

  // A unit of a host that needed to give nothing comes home, and a guest there looks for another
  // place.
  void try_restore() {
    for (int i = 0; i < 8; ++i) {
      const UnitIndex w = away_[random_.below(away_.size())];
      const HostIndex home = problem_.units[w].home;
      if (need_[home] > 0) continue;
      UnitIndex guest = Placement::no_unit;
      for (const UnitIndex g : now_.on(home))
        if (problem_.units[g].home != home && (guest == Placement::no_unit || random_.chance(0.5)))
          guest = g;
      shifts_.clear();
      go(w, home);
      if (guest != Placement::no_unit) {
        const HostIndex from = problem_.units[guest].home;
        if (!options_[from].empty() && random_.chance(0.5)) {
          const auto [u, t] = options_[from][random_.below(options_[from].size())];
          if (now_.at(u) == t || u == w) return;
          if (u != guest) go(guest, from);
          go(u, t);
        } else {
          go(guest, snuggest(guest, home));
        }
      }
      try_shifts();
      return;
    }
  }

  // What the host had to send away comes back as far as there is room.
  void call_back(HostIndex h, Load load) {
    for (const UnitIndex x : own_[h]) {
      if (now_.at(x) == h) continue;
      const bool taken =
          std::any_of(shifts_.begin(), shifts_.end(), [x](const Shift& s) { return s.unit == x; });
      bool fits = !taken;
      for (std::size_t k = 0; k < resource_count; ++k)
        fits = fits && load[k] + problem_.units[x].load[k] <= problem_.hosts[h].goal[k];
      if (!fits) continue;
      for (std::size_t k = 0; k < resource_count; ++k) load[k] += problem_.units[x].load[k];
      go(x, h);
    }
  }

  // The largest unit of a host in need takes the widest gap among some, and as many as must leave
  // there go elsewhere.
  void try_clearing() {
    const HostIndex h = draw_spendthrift();
    UnitIndex u = largest_on(h);
    if (random_.chance(0.4)) u = options_[h][random_.below(options_[h].size())].first;
    if (u == Placement::no_unit || now_.at(u) != h) return;
    HostIndex to = h;
    double least = never;
    for (int i = 0; i < 16; ++i) {
      const HostIndex t = draw_target();
      if (t == h || !problem_.may_run_on(problem_.units[u], t)) continue;
      const double over =
          strain_of(problem_.hosts[t], plus(now_.load(t), problem_.units[u].load, 1)).overload;
      if (over >= least) continue;
      least = over;
      to = t;
    }
    if (to == h) return;
    shifts_.clear();
    go(u, to);
    Load there = plus(now_.load(to), problem_.units[u].load, 1);
    constexpr int clearings_max = 4;
    for (int i = 0; i < clearings_max; ++i) {
      if (strain_of(problem_.hosts[to], there).breaches == 0) break;
      const UnitIndex w = best_to_clear(to, there);
      if (w == Placement::no_unit) return;
      const HostIndex other = snuggest(w, h);
      if (other == to) return;
      go(w, other);
      there = plus(there, problem_.units[w].load, -1);
    }
    call_back(h, plus(now_.load(h), problem_.units[u].load, -1));
    try_shifts();
  }

  // The smallest that relieves the host alone, else the one that relieves it most.
  UnitIndex best_to_clear(HostIndex h, const Load& load) const {
    UnitIndex best = Placement::no_unit;
    double best_left = never, best_size = never;
    for (const UnitIndex w : now_.on(h)) {
      if (!problem_.units[w].movable) continue;
      if (std::any_of(shifts_.begin(), shifts_.end(), [w](const Shift& s) { return s.unit == w; }))
        continue;
      const double left =
          strain_of(problem_.hosts[h], plus(load, problem_.units[w].load, -1)).overload;
      const double size = -static_cast<double>(rank_[w]);
      if (left > best_left || (left == best_left && size >= best_size)) continue;
      best = w;
      best_left = left;
      best_size = size;
    }
    return best;
  }

  UnitIndex largest_on(HostIndex h) const {
    UnitIndex u = Placement::no_unit;
    for (const UnitIndex x : now_.on(h))
      if (rank_[x] < by_size_.size() && (u == Placement::no_unit || rank_[x] < rank_[u])) u = x;
    return u;
  }

  // A unit a little smaller than `u`, on a host that would be within its thresholds with `u` in its
  // place; if some draws find none, the last one drawn.
  UnitIndex draw_replaceable(UnitIndex u, HostIndex h) {
    UnitIndex w = Placement::no_unit;
    for (int i = 0; i < 8; ++i) {
      const std::size_t next = rank_[u] + 1 + random_.below(48);
      if (next >= by_size_.size() || now_.at(by_size_[next]) == h) continue;
      w = by_size_[next];
      const HostIndex to = now_.at(w);
      Load load = now_.load(to);
      for (std::size_t k = 0; k < resource_count; ++k)
        load[k] += problem_.units[u].load[k] - problem_.units[w].load[k];
      if (strain_of(problem_.hosts[to], load).breaches == 0) return w;
    }
    return w;
  }

  // Of some hosts drawn, the one that the unit fills best, its home if none.
  HostIndex snuggest(UnitIndex u, HostIndex besides) {
    HostIndex best = problem_.units[u].home;
    double least = never;
    for (int i = 0; i < 48; ++i) {
      const HostIndex t = draw_target();
      if (t == now_.at(u) || t == besides || !now_.fits(u, t)) continue;
      double gap = 0;
      for (std::size_t k = 0; k < resource_count; ++k) {
        const PlanHost& host = problem_.hosts[t];
        if (host.share[k] > 0)
          gap += (host.goal[k] - now_.load(t)[k] - problem_.units[u].load[k]) * host.share[k];
      }
      if (gap < least) {
        least = gap;
        best = t;
      }
    }
    return best;
  }

  struct Shift {
    UnitIndex unit = 0;
    HostIndex to = 0;
    HostIndex from = 0;
  };

  void go(UnitIndex u, HostIndex to) {
    shifts_.push_back({.unit = u, .to = to, .from = now_.at(u)});
  }

  // All the shifts as one change.
  void try_shifts() {
    touched_.clear();
    for (const Shift& s : shifts_) {
      touched_.push_back(s.from);
      touched_.push_back(s.to);
    }
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    const double before = energy_of_touched();
    if (improved_) remember();
    for (const Shift& s : shifts_)
      if (s.from != s.to) shift(s.unit, s.to);
    bool allowed = true;
    for (const Shift& s : shifts_)
      allowed = allowed && (s.from == s.to || now_.rules_allow(s.unit, s.to));
    const double cost = allowed ? energy_of_touched() - before : never;
    if (!allowed || (cost > 0 && cost > temperature_ * patience_[random_.below(patience_count)])) {
      for (std::size_t i = shifts_.size(); i-- > 0;)
        if (shifts_[i].from != shifts_[i].to) shift(shifts_[i].unit, shifts_[i].from);
      return;
    }
    for (const HostIndex h : touched_) refresh(h);
    judge();
  }

  double energy_of_touched() const {
    double sum = limits_.price_weight * price_ + 8.0 * static_cast<double>(undrained_);
    for (const HostIndex h : touched_)
      sum += energy(problem_.hosts[h], strain_of(problem_.hosts[h], now_.load(h)));
    return sum;
  }

  bool done() const {
    return best_known_.overload < overload_step &&
           best_known_.price < limits_.migrations_min + 0.5 && limits_.migrations_min > 0;
  }

  // Along the border of what is possible.
  void adapt() {
    if (seen_clean_ == 0) pressure_ = std::min(pressure_ * 1.1, 20.0);
    if (seen_dirty_ == 0) pressure_ = std::max(pressure_ * 0.9, 0.5);
    seen_clean_ = seen_dirty_ = 0;
  }

  double energy(const PlanHost& host, const Strain& strain) const {
    static_cast<void>(host);
    return pressure_ * (weights_.per_overload * strain.overload +
                        weights_.per_breach * static_cast<double>(strain.breaches));
  }

  double price_at(UnitIndex u, HostIndex h) const {
    const Unit& unit = problem_.units[u];
    if (h != unit.home) return limits_.price_weight * unit.price;
    // To stay on a host in maintenance is dearer than any way out.
    return problem_.hosts[h].maintenance ? 8.0 * unit.count : 0;
  }

  static Load plus(const Load& load, const Load& more, double sign) {
    Load sum = load;
    for (std::size_t k = 0; k < resource_count; ++k) sum[k] += sign * more[k];
    return sum;
  }

  static constexpr double never = std::numeric_limits<double>::infinity();

  double cost_of_move(UnitIndex u, HostIndex to) const {
    const HostIndex from = now_.at(u);
    if (from == to || !now_.rules_allow(u, to)) return never;
    const Load& load = problem_.units[u].load;
    const PlanHost& a = problem_.hosts[from];
    const PlanHost& b = problem_.hosts[to];
    return energy(a, strain_of(a, plus(now_.load(from), load, -1))) - energy(a, strain_[from]) +
           energy(b, strain_of(b, plus(now_.load(to), load, 1))) - energy(b, strain_[to]) +
           price_at(u, to) - price_at(u, from);
  }

  double cost_of_exchange(UnitIndex u, UnitIndex w) const {
    const HostIndex from = now_.at(u);
    const HostIndex to = now_.at(w);
    if (from == to || !now_.rules_allow(u, to, w) || !now_.rules_allow(w, from, u)) return never;
    const PlanHost& a = problem_.hosts[from];
    const PlanHost& b = problem_.hosts[to];
    const Load& x = problem_.units[u].load;
    const Load& y = problem_.units[w].load;
    return energy(a, strain_of(a, plus(plus(now_.load(from), x, -1), y, 1))) -
           energy(a, strain_[from]) +
           energy(b, strain_of(b, plus(plus(now_.load(to), y, -1), x, 1))) -
           energy(b, strain_[to]) + price_at(u, to) - price_at(u, from) + price_at(w, from) -
           price_at(w, to);
  }

  UnitIndex draw_on(HostIndex h) {
    const std::vector<UnitIndex>& on = now_.on(h);
    if (on.empty()) return Placement::no_unit;
    const UnitIndex u = on[random_.below(on.size())];
    return problem_.units[u].movable ? u : Placement::no_unit;
  }

  HostIndex draw_target() { return targets_[random_.below(targets_.size())]; }

  void try_hot() {
    const HostIndex h = hot_[random_.below(hot_.size())];
    const UnitIndex u = draw_on(h);
    if (u == Placement::no_unit) return;
    consider_nothing();
    if (now_.moved(u)) consider_move(u, problem_.units[u].home);
    look_around(u);
    decide();
  }

  void try_moved() {
    const UnitIndex u = away_[random_.below(away_.size())];
    const HostIndex home = problem_.units[u].home;
    consider_nothing();
    switch (random_.below(4)) {
      case 0: consider_move(u, home); break;
      case 1:
        // Another VM of the same host goes in its place.
        for (int i = 0; i < 4; ++i) {
          const UnitIndex w = draw_on(home);
          if (w != Placement::no_unit) consider_exchange(u, w);
        }
        break;
      default: look_around(u);
    }
    decide();
  }

  void look_around(UnitIndex u) {
    if (random_.chance(0.5)) {
      for (int i = 0; i < 6; ++i) consider_move(u, draw_target());
      return;
    }
    for (int i = 0; i < 6; ++i) {
      const HostIndex h = draw_target();
      const UnitIndex w = draw_on(h);
      if (w != Placement::no_unit) consider_exchange(u, w);
    }
  }

  void consider_nothing() { candidate_cost_ = never; }
  void consider_move(UnitIndex u, HostIndex to) {
    const double cost = cost_of_move(u, to);
    if (cost >= candidate_cost_) return;
    candidate_cost_ = cost;
    candidate_ = u;
    candidate_to_ = to;
    candidate_other_ = Placement::no_unit;
  }
  void consider_exchange(UnitIndex u, UnitIndex w) {
    const double cost = cost_of_exchange(u, w);
    if (cost >= candidate_cost_) return;
    candidate_cost_ = cost;
    candidate_ = u;
    candidate_to_ = now_.at(w);
    candidate_other_ = w;
  }

  void decide() {
    if (candidate_cost_ == never) return;
    if (candidate_cost_ > 0 &&
        candidate_cost_ > temperature_ * patience_[random_.below(patience_count)])
      return;
    if (candidate_cost_ > 0) remember();
    const HostIndex from = now_.at(candidate_);
    shift(candidate_, candidate_to_);
    if (candidate_other_ != Placement::no_unit) shift(candidate_other_, from);
    refresh(from);
    refresh(candidate_to_);
    judge();
  }

  void shift(UnitIndex u, HostIndex to) {
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

  void set_away(UnitIndex u) {
    away_.set(u, true);
    const Unit& unit = problem_.units[u];
    away_count_[unit.home] += unit.count;
    price_ += unit.price;
    if (problem_.hosts[unit.home].maintenance) undrained_ -= unit.count;
  }

  void refresh(HostIndex h) {
    const PlanHost& host = problem_.hosts[h];
    if (!host.source) return;
    const Strain old = strain_[h];
    const Strain fresh = strain_of(host, now_.load(h));
    overload_ += fresh.overload - old.overload;
    breaches_ += fresh.breaches - old.breaches;
    strain_[h] = fresh;
    hot_.set(h, fresh.breaches > 0 || (host.maintenance && !now_.on(h).empty()));
  }

  // Notes when the present state is the best so far; it is copied only before it is left.
  void judge() {
    if (breaches_ == 0) {
      ++seen_clean_;
      overload_ = 0;
    } else {
      ++seen_dirty_;
    }
    const Score score{.overload = overload_ + static_cast<double>(undrained_), .price = price_};
    if (!better(score, best_known_)) return;
    for (std::size_t i = 0; i < hot_.size(); ++i)
      if (above_ceiling(problem_.hosts[hot_[i]], now_.load(hot_[i]))) return;
    best_known_ = score;
    improved_ = true;
  }

  void remember() {
    if (!improved_) return;
    for (UnitIndex u = 0; u < best_.size(); ++u) best_[u] = now_.at(u);
    improved_ = false;
  }

  const Problem& problem_;
  const SearchLimits limits_;
  Random random_;
  Placement now_;
  std::vector<HostIndex> best_;  // by unit
  Score best_known_;
  std::vector<HostIndex> targets_;
  std::vector<Strain> strain_;
  DrawSet hot_;                            // hosts with something to relieve
  std::vector<std::uint32_t> need_;        // migrations that a host needs at least
  std::vector<std::uint32_t> away_count_;  // and those it has now
  DrawSet away_;                           // units that moved
  std::vector<double> patience_;
  std::vector<std::vector<std::pair<UnitIndex, HostIndex>>> options_;  // by host
  std::vector<std::vector<UnitIndex>> own_;  // movable units of the hosts with options
  std::vector<UnitIndex> by_size_;
  std::vector<std::size_t> rank_;
  std::vector<Shift> shifts_;
  std::vector<HostIndex> touched_;
  std::vector<HostIndex> sources_;  // with options
  Weights weights_;
  double pressure_ = 1;
  double temperature_ = 1;
  double overload_ = 0;
  double price_ = 0;
  std::int64_t breaches_ = 0;
  std::int64_t undrained_ = 0;
  std::uint64_t seen_clean_ = 0, seen_dirty_ = 0;
  bool improved_ = false;
  double candidate_cost_ = 0;
  UnitIndex candidate_ = 0;
  UnitIndex candidate_other_ = 0;
  HostIndex candidate_to_ = 0;
};

}  // namespace

bool better(const Score& a, const Score& b) {
  if (std::abs(a.overload - b.overload) > overload_step) return a.overload < b.overload;
  return a.price < b.price - price_step;
}

Score score_of(const Problem& problem, const Placement& placement) {
  Score score;
  for (HostIndex h = 0; h < problem.hosts.size(); ++h)
    if (problem.hosts[h].source)
      score.overload += strain_of(problem.hosts[h], placement.load(h)).overload;
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

Placement search(const Problem& problem, const Placement& from, const SearchLimits& limits) {
  return Annealing(problem, from, limits).run();
}

}  // namespace ballast::plan
