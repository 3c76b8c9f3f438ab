// The problem: the end is known, the way is not. Every migration needs memory at both ends while it
// runs, a host may not be pushed over its threshold on the way, anti-affine VMs may not even meet
// in passing, and a host sends two and takes in one at a time. And the plan should be short.
//
// The idea: list scheduling. Each step starts whatever may start now, what keeps the longest queue
// waiting first; departures count only when the step is over, arrivals from its beginning, so a
// step is safe in whatever order its migrations end. Then room that was freed lets the next ones
// start. When nothing may start, the waiting moves block each other in a cycle:
//  - two hosts that wait for each other exchange their VMs as a swap, which alone may exceed a
//    threshold, between its halves;
//  - a longer cycle, or a swap without memory for either half, is opened by one VM that makes way:
//  it
//    waits on a third host that has room, or changes places with the one that waits for it, at the
//    cost of one more migration, or two where it would have stayed.
// A pair that could not be exchanged otherwise even with every other move done is swapped at once,
// without waiting for the standstill.
//
// Alternatives: shortest schedules by integer programming (as BtrPlace does) take minutes at this
// size; moving first and repairing later would break the rules in between.
#include "order.h"

#include <algorithm>
#include <limits>

#include "ballast/base/random.h"

namespace ballast::plan {
namespace {

// Of sums of loads, as a share of capacity.
constexpr double rounding = 1e-9;

struct Waiting {
  UnitIndex unit = 0;
  HostIndex to = 0;
  std::uint32_t urgency = 0;
};

// A unit of several VMs on its way, one VM a step; or the second half of a swap.
struct Underway {
  UnitIndex unit = 0;
  HostIndex to = 0;
  std::uint32_t vms_gone = 0;
  std::uint32_t swap = 0;  // 0: none
};

struct Exchange {
  std::size_t first = 0;  // positions among the waiting: which goes first
  std::size_t second = 0;
};

class Scheduler {
 public:
  Scheduler(const Problem& problem, const Placement& start, const Placement& wanted,
            const Options& options, std::uint64_t seed)
      : problem_(problem),
        options_(options),
        seed_(seed),
        random_(seed),
        now_(start),
        wanted_(wanted),
        reserved_(problem.hosts.size(), Load{}),
        out_(problem.hosts.size(), 0),
        in_(problem.hosts.size(), 0),
        locked_until_(problem.hosts.size(), 0),
        overload_(problem.hosts.size(), 0),
        out_left_(problem.hosts.size(), 0),
        in_left_(problem.hosts.size(), 0) {
    for (UnitIndex u = 0; u < problem.units.size(); ++u) {
      if (wanted.at(u) == start.at(u)) continue;
      waiting_.push_back({.unit = u, .to = wanted.at(u)});
    }
    for (const Waiting& w : waiting_) overload_[now_.at(w.unit)] = overload(now_.at(w.unit));
  }

  Ordered run() {
    while (!waiting_.empty() || !underway_.empty()) {
      ++step_;
      begin_step();
      go_on();
      start_moves();
      start_swaps(started_ == 0);
      if (started_ == 0) make_way();
      if (started_ == 0) break;
      end_step();
    }
    return {
        .migrations = std::move(migrations_), .end = std::move(now_), .complete = waiting_.empty()};
  }

 private:
  double overload(HostIndex h) const {
    double sum = problem_.hosts[h].maintenance ? 1 : 0;
    for (std::size_t k = 0; k < resource_count; ++k) {
      const double over = now_.load(h)[k] - problem_.hosts[h].limit[k];
      if (over > 0) sum += over * problem_.hosts[h].share[k];
    }
    return sum;
  }

  void begin_step() {
    for (const HostIndex h : touched_) out_[h] = in_[h] = 0;
    touched_.clear();
    ending_.clear();
    started_ = 0;
  }

  // A few dozen sorts give nearly all of the benefit; a drain of thousands takes thousands of
  // steps.
  void sort_waiting() {
    constexpr std::uint32_t sorted_steps_max = 64;
    if (step_ > sorted_steps_max && step_ % sorted_steps_max != 0) return;
    for (const Waiting& w : waiting_) out_left_[now_.at(w.unit)] = in_left_[w.to] = 0;
    for (const Waiting& w : waiting_) {
      out_left_[now_.at(w.unit)] += problem_.units[w.unit].count;
      in_left_[w.to] += problem_.units[w.unit].count;
    }
    for (Waiting& w : waiting_) {
      const std::uint32_t sending =
          (out_left_[now_.at(w.unit)] + options_.outgoing_max - 1) / options_.outgoing_max;
      const std::uint32_t taking =
          (in_left_[w.to] + options_.incoming_max - 1) / options_.incoming_max;
      w.urgency = std::max(sending, taking);
    }
    std::sort(waiting_.begin(), waiting_.end(), [&](const Waiting& a, const Waiting& b) {
      if (a.urgency != b.urgency) return a.urgency > b.urgency;
      const double over_a = overload_[now_.at(a.unit)];
      const double over_b = overload_[now_.at(b.unit)];
      return over_a != over_b ? over_a > over_b : a.unit < b.unit;
    });
  }

  // Records one VM's migration in this step.
  void emit(UnitIndex u, std::uint32_t nth_vm, HostIndex to, std::uint32_t swap) {
    const HostIndex from = now_.at(u);
    Migration m{.vm = problem_.vms_of(problem_.units[u])[nth_vm],
                .from = from,
                .to = to,
                .step = step_,
                .swap = std::nullopt};
    if (swap != 0) m.swap = swap;
    migrations_.push_back(m);
    ++out_[from];
    ++in_[to];
    touched_.push_back(from);
    touched_.push_back(to);
    ++started_;
  }

  // What was begun in the step before and must go on in this one.
  void go_on() {
    std::vector<Underway> still;
    for (Underway& job : underway_) {
      emit(job.unit, job.vms_gone++, job.to, job.swap);
      if (job.swap != 0) reserve(job.unit, job.to, 1);
      if (job.vms_gone == problem_.units[job.unit].count) {
        ending_.push_back({.unit = job.unit, .to = job.to});
      } else {
        still.push_back(job);
      }
    }
    underway_ = std::move(still);
  }

  void reserve(UnitIndex u, HostIndex to, double sign) {
    for (std::size_t k = 0; k < resource_count; ++k)
      reserved_[to][k] += sign * problem_.units[u].load[k];
  }

  bool slots_free(HostIndex from, HostIndex to) const {
    return out_[from] < options_.outgoing_max && in_[to] < options_.incoming_max &&
           locked_until_[to] < step_;
  }

  bool memory_allows(UnitIndex u, HostIndex to, UnitIndex gone = Placement::no_unit) const {
    const double capacity = problem_.hosts[to].capacity[memory_at];
    double memory =
        now_.load(to)[memory_at] + reserved_[to][memory_at] + problem_.units[u].load[memory_at];
    if (gone != Placement::no_unit) memory -= problem_.units[gone].load[memory_at];
    return memory <= capacity * (1 + rounding);
  }

  // Within the ceiling with all that is arriving, `gone` taken away.
  bool threshold_allows(UnitIndex u, HostIndex to, UnitIndex gone = Placement::no_unit) const {
    for (std::size_t k = 0; k < resource_count; ++k) {
      double load = now_.load(to)[k] + reserved_[to][k] + problem_.units[u].load[k];
      if (gone != Placement::no_unit) load -= problem_.units[gone].load[k];
      if (load > problem_.hosts[to].ceiling[k]) return false;
    }
    return true;
  }

  bool may_start(UnitIndex u, HostIndex to) const {
    if (!slots_free(now_.at(u), to)) return false;
    // An anti-affine VM may be among those that are just arriving: wait until they are here.
    if (in_[to] > 0 && problem_.units[u].anti_count > 0) return false;
    return threshold_allows(u, to) && memory_allows(u, to) && now_.may_arrive(u, to);
  }

  void start(UnitIndex u, HostIndex to) {
    const Unit& unit = problem_.units[u];
    emit(u, 0, to, 0);
    reserve(u, to, 1);
    if (unit.count == 1) {
      ending_.push_back({.unit = u, .to = to});
    } else {
      underway_.push_back({.unit = u, .to = to, .vms_gone = 1, .swap = 0});
    }
  }

  void start_moves() {
    sort_waiting();
    std::size_t kept = 0;
    for (const Waiting& w : waiting_) {
      if (may_start(w.unit, w.to)) {
        start(w.unit, w.to);
      } else {
        waiting_[kept++] = w;
      }
    }
    waiting_.resize(kept);
  }

  // Neither half could go alone even if all else had already happened.
  bool must_swap(UnitIndex u, HostIndex a, UnitIndex w, HostIndex b) const {
    const auto blocked = [&](HostIndex h, const Load& still_there) {
      for (std::size_t k = 0; k < resource_count; ++k)
        if (wanted_.load(h)[k] + still_there[k] > problem_.hosts[h].ceiling[k]) return true;
      return false;
    };
    return blocked(a, problem_.units[u].load) && blocked(b, problem_.units[w].load);
  }

  // True when `first` may go to where `second` is, and `second` to where `first` was, one after the
  // other, with both hosts within their ceilings in the end.
  bool may_exchange(UnitIndex first, UnitIndex second) const {
    const HostIndex a = now_.at(first);
    const HostIndex b = now_.at(second);
    if (!slots_free(a, b) || in_[a] > 0 || in_[b] > 0 || locked_until_[a] >= step_) return false;
    return memory_allows(first, b) && memory_allows(second, a, first) &&
           threshold_allows(first, b, second) && threshold_allows(second, a, first) &&
           now_.may_arrive(first, b) && now_.may_arrive(second, a, first);
  }

  double size_of(UnitIndex u) const {
    double size = 0;
    const PlanHost& host = problem_.hosts[now_.at(u)];
    for (std::size_t k = 0; k < resource_count; ++k)
      size = std::max(size, problem_.units[u].load[k] * host.share[k]);
    return size;
  }

  void start_swaps(bool standstill) {
    if (waiting_.size() < 2) return;
    std::vector<std::size_t> by_ends(waiting_.size());
    for (std::size_t i = 0; i < by_ends.size(); ++i) by_ends[i] = i;
    const auto ends = [&](std::size_t i) {
      return std::pair(now_.at(waiting_[i].unit), waiting_[i].to);
    };
    std::stable_sort(by_ends.begin(), by_ends.end(),
                     [&](std::size_t x, std::size_t y) { return ends(x) < ends(y); });
    std::vector<bool> gone(waiting_.size(), false);
    bool any = false;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      if (gone[i]) continue;
      const std::pair opposite(waiting_[i].to, now_.at(waiting_[i].unit));
      auto it = std::lower_bound(by_ends.begin(), by_ends.end(), opposite,
                                 [&](std::size_t x, const auto& key) { return ends(x) < key; });
      for (; it != by_ends.end() && ends(*it) == opposite; ++it) {
        if (gone[*it] || !start_swap(i, *it, standstill)) continue;
        gone[i] = gone[*it] = any = true;
        break;
      }
    }
    if (!any) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      if (!gone[i]) waiting_[kept++] = waiting_[i];
    waiting_.resize(kept);
  }

  bool start_swap(std::size_t i, std::size_t j, bool standstill) {
    UnitIndex light = waiting_[i].unit;
    UnitIndex heavy = waiting_[j].unit;
    if (problem_.units[light].count > 1 || problem_.units[heavy].count > 1) return false;
    if (!standstill && !must_swap(light, now_.at(light), heavy, now_.at(heavy))) return false;
    return exchange(light, heavy);
  }

  // The lighter first where memory allows, else the heavier.
  bool exchange(UnitIndex light, UnitIndex heavy) {
    if (size_of(light) > size_of(heavy)) std::swap(light, heavy);
    if (!may_exchange(light, heavy)) {
      if (!may_exchange(heavy, light)) return false;
      std::swap(light, heavy);
    }
    const HostIndex from = now_.at(light);
    const HostIndex to = now_.at(heavy);
    const auto sending_on =
        std::count_if(underway_.begin(), underway_.end(),
                      [&](const Underway& job) { return now_.at(job.unit) == to; });
    if (sending_on >= static_cast<std::ptrdiff_t>(options_.outgoing_max)) return false;
    const std::uint32_t number = ++swaps_;
    emit(light, 0, to, number);
    reserve(light, to, 1);
    ending_.push_back({.unit = light, .to = to});
    underway_.push_back({.unit = heavy, .to = from, .vms_gone = 0, .swap = number});
    locked_until_[from] = locked_until_[to] = step_ + 1;
    return true;
  }

  // A unit that could make way for one that waits: in exchange with it, or to a third host.
  struct Aside {
    UnitIndex unit = 0;
    UnitIndex waiting = 0;
    bool exchanged = false;
    double price = 0;
  };

  // Opens a cycle: a unit that stands in the way of a waiting one moves aside, and then waits for
  // the host where it should be.
  void make_way() {
    constexpr unsigned ways_max = 256;
    if (++ways_taken_ > ways_max) return;
    std::vector<Aside> ways = ways_open();
    if (seed_ == 0) {
      std::stable_sort(ways.begin(), ways.end(),
                       [](const Aside& a, const Aside& b) { return a.price < b.price; });
    } else {
      for (std::size_t i = ways.size(); i > 1; --i) std::swap(ways[i - 1], ways[random_.below(i)]);
    }
    for (const Aside& way : ways) {
      if (way.exchanged) {
        if (!exchange(way.waiting, way.unit)) continue;
        stop_waiting(way.waiting);
      } else {
        HostIndex host = 0;
        if (!roomiest(way.unit, host)) continue;
        start(way.unit, host);
      }
      stop_waiting(way.unit);
      displaced_[way.unit] = true;
      return;
    }
  }

  std::vector<Aside> ways_open() const {
    std::vector<Aside> ways;
    for (const Waiting& w : waiting_) {
      for (const UnitIndex u : now_.on(w.to)) {
        const Unit& unit = problem_.units[u];
        if (!unit.movable || displaced_[u]) continue;
        // One that waits itself costs a migration more, one that is where it should be two.
        const double price = unit.price * (wanted_.at(u) == w.to ? 2 : 1);
        const bool one_each = unit.count == 1 && problem_.units[w.unit].count == 1;
        if (one_each && (may_exchange(u, w.unit) || may_exchange(w.unit, u)))
          ways.push_back({.unit = u, .waiting = w.unit, .exchanged = true, .price = price});
        if (threshold_allows(w.unit, w.to, u) && memory_allows(w.unit, w.to, u) &&
            now_.may_arrive(w.unit, w.to, u))
          ways.push_back({.unit = u, .waiting = w.unit, .exchanged = false, .price = price});
      }
    }
    return ways;
  }

  void stop_waiting(UnitIndex u) {
    std::erase_if(waiting_, [&](const Waiting& w) { return w.unit == u; });
  }

  bool roomiest(UnitIndex u, HostIndex& found) const {
    double most = -1;
    for (HostIndex h = 0; h < problem_.hosts.size(); ++h) {
      if (h == now_.at(u) || !problem_.hosts[h].target || !may_start(u, h)) continue;
      double room = 1;
      for (std::size_t k = 0; k < resource_count; ++k) {
        const PlanHost& host = problem_.hosts[h];
        if (host.share[k] > 0)
          room = std::min(room, (host.ceiling[k] - now_.load(h)[k]) * host.share[k]);
      }
      if (room > most) {
        most = room;
        found = h;
      }
    }
    return most >= 0;
  }

  void end_step() {
    for (const Waiting& done : ending_) {
      reserve(done.unit, done.to, -1);
      now_.move(done.unit, done.to);
    }
    // Whoever moved aside waits for its place from now on.
    for (const Waiting& done : ending_)
      if (wanted_.at(done.unit) != done.to)
        waiting_.push_back({.unit = done.unit, .to = wanted_.at(done.unit)});
  }

  const Problem& problem_;
  const Options& options_;
  const std::uint64_t seed_;
  Random random_;
  Placement now_;
  const Placement& wanted_;
  std::vector<bool> displaced_ = std::vector<bool>(problem_.units.size(), false);
  std::vector<Waiting> waiting_;
  std::vector<Underway> underway_;
  std::vector<Waiting> ending_;  // arrive when this step ends
  std::vector<Load> reserved_;   // of what is on its way
  std::vector<std::uint32_t> out_, in_, locked_until_;
  std::vector<HostIndex> touched_;
  std::vector<double> overload_;
  std::vector<std::uint32_t> out_left_, in_left_;
  std::vector<Migration> migrations_;
  std::uint32_t step_ = 0;
  std::uint32_t started_ = 0;
  std::uint32_t swaps_ = 0;
  unsigned ways_taken_ = 0;
};

}  // namespace

Ordered order_moves(const Problem& problem, const Placement& start, const Placement& wanted,
                    const Options& options, std::uint64_t seed) {
  return Scheduler(problem, start, wanted, options, seed).run();
}

void append_actions(const Problem& problem, const std::vector<Action>& actions, Ordered& ordered) {
  std::uint32_t step = ordered.migrations.empty() ? 0 : ordered.migrations.back().step;
  std::uint32_t swap = 0;
  for (const Migration& m : ordered.migrations) swap = std::max(swap, m.swap.value_or(0));
  const auto emit = [&](UnitIndex u, HostIndex to, std::optional<std::uint32_t> number) {
    for (const VmIndex v : problem.vms_of(problem.units[u]))
      ordered.migrations.push_back(
          {.vm = v, .from = ordered.end.at(u), .to = to, .step = ++step, .swap = number});
    ordered.end.move(u, to);
  };
  for (const Action& action : actions) {
    if (action.exchanged == Placement::no_unit) {
      emit(action.unit, action.to, std::nullopt);
      continue;
    }
    const HostIndex from = ordered.end.at(action.unit);
    ++swap;
    emit(action.unit, action.to, swap);
    emit(action.exchanged, from, swap);
  }
}

}  // namespace ballast::plan
