// The problem: where the greedy leaves overload, room is there but in the wrong shape. CPU is free
// on one host and memory on another; only other VMs leaving, exchanges, or chains of moves through
// several hosts use it. Which of the many sets of VMs leaves each host, and where each goes, has to
// be decided together.
//
// The idea: simulated annealing over final placements (Kirkpatrick et al., 1983). A state may break
// thresholds, at a price, but no rule. Small changes (one unit goes elsewhere, two change places)
// reach everything in principle, but a large VM finds a place only when several things happen at
// once; so there are changes of several units: a host gives another unit than before and takes back
// what it gave; a large unit changes places with a slightly smaller one; it takes a gap that is too
// small while what is there clears it; a unit that was cleared away comes home and the guest looks
// for another place. Whoever has sent away more than it needed is tried most. The price of overload
// rises while no state without it is found, and falls while all are, so that the search walks along
// the border of what is possible, where the plans with few migrations are. What is returned is the
// best state that pushed no host over.
//
// A trial weighs only the hosts that it changes and takes less than a microsecond. The count of
// trials is bounded, not the time: the same snapshot gives the same plan on every machine.
//
// Alternatives: integer programming proves optima for 20 hosts in seconds, not for 400 in half of
// one; the test suite uses it to judge this search. Destroy-and-repair needs a good greedy repair,
// which is what tight snapshots defeat.
#include "search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ballast/base/random.h"
#include "search_options.h"
#include "search_state.h"

namespace ballast::plan {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

// -log of evenly spread numbers in (0, 1): what a trial may worsen the energy by, in temperatures.
constexpr std::size_t patience_count = 4096;

const std::vector<double>& patience_table() {
  static const std::vector<double> table = [] {
    std::vector<double> made(patience_count);
    for (std::size_t i = 0; i < patience_count; ++i)
      made[i] = -std::log((static_cast<double>(i) + 0.5) / patience_count);
    return made;
  }();
  return table;
}

class Annealing {
 public:
  Annealing(const Problem& problem, const Placement& from, const SearchLimits& limits)
      : problem_(problem),
        limits_(limits),
        random_(limits.seed),
        options_(problem, limits.seed),
        state_(problem, from, limits.price_weight),
        patience_(patience_table()) {}

  Placement run() {
    if (options_.targets.empty()) return state_.take_best();
    constexpr std::uint64_t epoch = 256;
    for (std::uint64_t trial = 0; trial < limits_.trials; ++trial) {
      if (trial % epoch == 0) {
        const double progress = static_cast<double>(trial) / static_cast<double>(limits_.trials);
        temperature_ = limits_.hottest * std::pow(limits_.coldest / limits_.hottest, progress);
        state_.adapt();
        if (done()) break;
      }
      if (state_.hot().empty() && state_.away().empty()) break;
      const std::uint64_t draw = random_.below(16);
      if (draw < 4 && !options_.sources.empty()) {
        try_option();
      } else if (draw < 6 && !options_.sources.empty()) {
        try_large();
      } else if (draw < 9 && !options_.sources.empty()) {
        try_clearing();
      } else if (draw < 12 && !state_.away().empty()) {
        try_restore();
      } else if (state_.hot().empty() || (!state_.away().empty() && draw < 13)) {
        try_moved();
      } else {
        try_hot();
      }
    }
    return state_.take_best();
  }

 private:
  // A host that must give something away gives another unit, or to another host.
  void try_option() {
    HostIndex h = options_.sources[random_.below(options_.sources.size())];
    UnitIndex back = Placement::no_unit;
    if (!state_.hot().empty() && random_.chance(0.5)) {
      // Where it hurts: the host itself, or the home of a guest there.
      const HostIndex sore = state_.hot()[random_.below(state_.hot().size())];
      const std::vector<UnitIndex>& on = state_.now().on(sore);
      if (on.empty()) return;
      const UnitIndex u = on[random_.below(on.size())];
      const HostIndex home = problem_.units[u].home;
      if (home != sore && !options_.options[home].empty()) {
        h = home;
        back = u;
      } else if (!options_.options[sore].empty()) {
        h = sore;
      }
    }
    const auto [u, t] = options_.options[h][random_.below(options_.options[h].size())];
    if (state_.now().at(u) == t) return;
    shifts_.clear();
    if (back != Placement::no_unit && back != u) go(back, problem_.units[back].home);
    const bool all = random_.chance(0.5);
    for (const UnitIndex w : options_.own[h]) {
      if (w == u || w == back || state_.now().at(w) == h) continue;
      if (all || shifts_.empty()) go(w, h);
    }
    go(u, t);
    try_shifts();
  }

  // A large unit of a host in need changes places with a slightly smaller one anywhere, and what
  // its host had to send away for it comes back as far as there is room.
  void try_large() {
    HostIndex h = draw_spendthrift();
    if (!state_.hot().empty() && random_.chance(0.3))
      h = state_.hot()[random_.below(state_.hot().size())];
    const UnitIndex u = largest_on(h);
    if (u == Placement::no_unit) return;
    const UnitIndex w = draw_replaceable(u, h);
    if (w == Placement::no_unit) return;
    const HostIndex to = state_.now().at(w);
    shifts_.clear();
    const HostIndex relay = random_.chance(0.5) ? h : snuggest(w, to);
    Load load = state_.now().load(h);
    for (std::size_t k = 0; k < resource_count; ++k)
      load[k] += (relay == h ? problem_.units[w].load[k] : 0) - problem_.units[u].load[k];
    go(u, to);
    go(w, relay);
    call_back(h, load);
    try_shifts();
  }

  // Of some hosts in need, the one that has sent away most beyond its need.
  HostIndex draw_spendthrift() {
    HostIndex best = options_.sources[random_.below(options_.sources.size())];
    if (random_.chance(0.3)) return best;
    for (int i = 0; i < 5; ++i) {
      const HostIndex h = options_.sources[random_.below(options_.sources.size())];
      if (state_.away_from(h) + options_.need[best] > state_.away_from(best) + options_.need[h])
        best = h;
    }
    return best;
  }

  // A unit of a host that needed to give nothing comes home, and a guest there looks for another
  // place.
  void try_restore() {
    for (int i = 0; i < 8; ++i) {
      const UnitIndex w = state_.away()[random_.below(state_.away().size())];
      const HostIndex home = problem_.units[w].home;
      if (options_.need[home] > 0) continue;
      UnitIndex guest = Placement::no_unit;
      for (const UnitIndex g : state_.now().on(home))
        if (problem_.units[g].home != home && (guest == Placement::no_unit || random_.chance(0.5)))
          guest = g;
      shifts_.clear();
      go(w, home);
      if (guest != Placement::no_unit) {
        const HostIndex from = problem_.units[guest].home;
        if (!options_.options[from].empty() && random_.chance(0.5)) {
          const auto [u, t] = options_.options[from][random_.below(options_.options[from].size())];
          if (state_.now().at(u) == t || u == w) return;
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
    for (const UnitIndex x : options_.own[h]) {
      if (state_.now().at(x) == h) continue;
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
    if (random_.chance(0.4))
      u = options_.options[h][random_.below(options_.options[h].size())].first;
    if (u == Placement::no_unit || state_.now().at(u) != h) return;
    HostIndex to = h;
    double least = never;
    for (int i = 0; i < 16; ++i) {
      const HostIndex t = draw_target();
      if (t == h || !problem_.may_run_on(problem_.units[u], t)) continue;
      const double over =
          strain_of(problem_.hosts[t], sum_of(state_.now().load(t), problem_.units[u].load, 1))
              .overload;
      if (over >= least) continue;
      least = over;
      to = t;
    }
    if (to == h) return;
    shifts_.clear();
    go(u, to);
    Load there = sum_of(state_.now().load(to), problem_.units[u].load, 1);
    constexpr int clearings_max = 4;
    for (int i = 0; i < clearings_max; ++i) {
      if (strain_of(problem_.hosts[to], there).breaches == 0) break;
      const UnitIndex w = best_to_clear(to, there);
      if (w == Placement::no_unit) return;
      const HostIndex other = snuggest(w, h);
      if (other == to) return;
      go(w, other);
      there = sum_of(there, problem_.units[w].load, -1);
    }
    call_back(h, sum_of(state_.now().load(h), problem_.units[u].load, -1));
    try_shifts();
  }

  // The smallest that relieves the host alone, else the one that relieves it most.
  UnitIndex best_to_clear(HostIndex h, const Load& load) const {
    UnitIndex best = Placement::no_unit;
    double best_left = never, best_size = never;
    for (const UnitIndex w : state_.now().on(h)) {
      if (!problem_.units[w].movable) continue;
      if (std::any_of(shifts_.begin(), shifts_.end(), [w](const Shift& s) { return s.unit == w; }))
        continue;
      const double left =
          strain_of(problem_.hosts[h], sum_of(load, problem_.units[w].load, -1)).overload;
      const double size = -static_cast<double>(options_.rank[w]);
      if (left > best_left || (left == best_left && size >= best_size)) continue;
      best = w;
      best_left = left;
      best_size = size;
    }
    return best;
  }

  UnitIndex largest_on(HostIndex h) const {
    UnitIndex u = Placement::no_unit;
    for (const UnitIndex x : state_.now().on(h))
      if (options_.rank[x] < options_.by_size.size() &&
          (u == Placement::no_unit || options_.rank[x] < options_.rank[u]))
        u = x;
    return u;
  }

  // A unit a little smaller than `u`, on a host that would be within its thresholds with `u` in its
  // place; if some draws find none, the last one drawn.
  UnitIndex draw_replaceable(UnitIndex u, HostIndex h) {
    UnitIndex w = Placement::no_unit;
    for (int i = 0; i < 8; ++i) {
      const std::size_t next = options_.rank[u] + 1 + random_.below(48);
      if (next >= options_.by_size.size() || state_.now().at(options_.by_size[next]) == h) continue;
      w = options_.by_size[next];
      const HostIndex to = state_.now().at(w);
      Load load = state_.now().load(to);
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
      if (t == state_.now().at(u) || t == besides || !state_.now().fits(u, t)) continue;
      double gap = 0;
      for (std::size_t k = 0; k < resource_count; ++k) {
        const PlanHost& host = problem_.hosts[t];
        if (host.share[k] > 0)
          gap +=
              (host.goal[k] - state_.now().load(t)[k] - problem_.units[u].load[k]) * host.share[k];
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
    shifts_.push_back({.unit = u, .to = to, .from = state_.now().at(u)});
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
    const double before = state_.energy_of(touched_);
    state_.remember();
    for (const Shift& s : shifts_)
      if (s.from != s.to) state_.shift(s.unit, s.to);
    bool allowed = true;
    for (const Shift& s : shifts_)
      allowed = allowed && (s.from == s.to || state_.now().rules_allow(s.unit, s.to));
    const double cost = allowed ? state_.energy_of(touched_) - before : never;
    if (!allowed || (cost > 0 && cost > temperature_ * patience_[random_.below(patience_count)])) {
      for (std::size_t i = shifts_.size(); i-- > 0;)
        if (shifts_[i].from != shifts_[i].to) state_.shift(shifts_[i].unit, shifts_[i].from);
      return;
    }
    for (const HostIndex h : touched_) state_.refresh(h);
    state_.judge();
  }

  bool done() const {
    return state_.best().overload == 0 && state_.best().price < limits_.migrations_min + 0.5 &&
           limits_.migrations_min > 0;
  }

  double cost_of_move(UnitIndex u, HostIndex to) const {
    const HostIndex from = state_.now().at(u);
    if (from == to || !state_.now().rules_allow(u, to)) return never;
    const Load& load = problem_.units[u].load;
    return change(from, sum_of(state_.now().load(from), load, -1)) +
           change(to, sum_of(state_.now().load(to), load, 1)) + state_.price_at(u, to) -
           state_.price_at(u, from);
  }

  double cost_of_exchange(UnitIndex u, UnitIndex w) const {
    const Placement& now = state_.now();
    const HostIndex from = now.at(u);
    const HostIndex to = now.at(w);
    if (from == to || !now.rules_allow(u, to, w) || !now.rules_allow(w, from, u)) return never;
    const Load& x = problem_.units[u].load;
    const Load& y = problem_.units[w].load;
    return change(from, sum_of(sum_of(now.load(from), x, -1), y, 1)) +
           change(to, sum_of(sum_of(now.load(to), y, -1), x, 1)) + state_.price_at(u, to) -
           state_.price_at(u, from) + state_.price_at(w, from) - state_.price_at(w, to);
  }

  // Of the energy of a host, were this its load.
  double change(HostIndex h, const Load& load) const {
    return state_.energy_with(h, load) - state_.energy(h);
  }

  UnitIndex draw_on(HostIndex h) {
    const std::vector<UnitIndex>& on = state_.now().on(h);
    if (on.empty()) return Placement::no_unit;
    const UnitIndex u = on[random_.below(on.size())];
    return problem_.units[u].movable ? u : Placement::no_unit;
  }

  HostIndex draw_target() { return options_.targets[random_.below(options_.targets.size())]; }

  void try_hot() {
    const HostIndex h = state_.hot()[random_.below(state_.hot().size())];
    const UnitIndex u = draw_on(h);
    if (u == Placement::no_unit) return;
    consider_nothing();
    if (state_.now().moved(u)) consider_move(u, problem_.units[u].home);
    look_around(u);
    decide();
  }

  void try_moved() {
    const UnitIndex u = state_.away()[random_.below(state_.away().size())];
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
    candidate_to_ = state_.now().at(w);
    candidate_other_ = w;
  }

  void decide() {
    if (candidate_cost_ == never) return;
    if (candidate_cost_ > 0 &&
        candidate_cost_ > temperature_ * patience_[random_.below(patience_count)])
      return;
    if (candidate_cost_ > 0) state_.remember();
    const HostIndex from = state_.now().at(candidate_);
    state_.shift(candidate_, candidate_to_);
    if (candidate_other_ != Placement::no_unit) state_.shift(candidate_other_, from);
    state_.refresh(from);
    state_.refresh(candidate_to_);
    state_.judge();
  }

  const Problem& problem_;
  const SearchLimits limits_;
  Random random_;
  const SearchOptions options_;
  SearchState state_;
  const std::vector<double>& patience_;
  double temperature_ = 1;
  std::vector<Shift> shifts_;  // the change that is being tried
  std::vector<HostIndex> touched_;
  double candidate_cost_ = 0;  // the best of some small changes
  UnitIndex candidate_ = 0;
  UnitIndex candidate_other_ = 0;
  HostIndex candidate_to_ = 0;
};

}  // namespace

Placement search(const Problem& problem, const Placement& from, const SearchLimits& limits) {
  return Annealing(problem, from, limits).run();
}

}  // namespace ballast::plan
