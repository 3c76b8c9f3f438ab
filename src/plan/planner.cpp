// The planner in one page. The least number of migrations is known before any search: what every
// overloaded host must give away at least (evict). A greedy placement reaches it on most days;
// where it does not, a search over final placements goes on from the better of two greedy starts.
// The winner is put in order, step by step (order); what cannot be ordered safely is searched again
// from another seed. What remains is told as surplus and spare (remainder).
//
// A plan is only worth having if planning its outcome again finds nothing: where overload remains,
// the outcome is therefore planned again here, until nothing more is found, and the whole is put in
// order anew from the start.
#include "ballast/plan/planner.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "ballast/base/assert.h"
#include "evict.h"
#include "greedy.h"
#include "level.h"
#include "order.h"
#include "placement.h"
#include "problem.h"
#include "remainder.h"
#include "search.h"
#include "worth.h"

namespace ballast::plan {
namespace {

// Where the numbers of the searches begin. Any start will do; from this one no snapshot that
// tests/plan holds is missed by as much as one migration has to be worth, but where there is no
// way.
constexpr std::uint64_t first_seed = 816;

// One way to get somewhere, and how good it is.
struct Candidate {
  Ordered ordered;
  Score score;
};

Candidate judged(const Problem& problem, Ordered ordered) {
  Score score = score_of(problem, ordered.end);
  // A VM that had to make way on the way counts for each of its migrations.
  std::size_t arrived = 0;
  for (UnitIndex u = 0; u < problem.units.size(); ++u)
    if (ordered.end.moved(u)) arrived += problem.units[u].count;
  score.price += static_cast<double>(ordered.migrations.size() - arrived);
  return {.ordered = std::move(ordered), .score = score};
}

// A caller who wants less effort than this wants less of everything: then a plan costs little, and
// is a little worse.
std::size_t of_effort(std::size_t whole, const Options& options) {
  constexpr std::size_t full = 300;
  if (options.effort == 0 || options.effort >= full) return whole;
  return std::max<std::size_t>(1, whole * options.effort / full);
}

// Small snapshots are searched more than once: it costs nothing there.
bool is_small(const Problem& problem) { return problem.units.size() <= 256; }

// Where moves block each other, several ways out are tried.
Candidate put_in_order(const Problem& problem, const Placement& start, const Placement& wanted,
                       const Options& options) {
  Candidate best = judged(problem, order_moves(problem, start, wanted, options));
  const double direct = score_of(problem, wanted).price + 0.5;
  const std::uint64_t tries = of_effort(is_small(problem) ? 40 : 4, options);
  for (std::uint64_t seed = 1; seed <= tries; ++seed) {
    if (best.ordered.complete && best.score.price < direct) break;
    Candidate other =
        judged(problem, order_moves(problem, start, wanted, options, first_seed + seed));
    if (better(other.score, best.score)) best = std::move(other);
  }
  constexpr std::size_t placements_max = 6000;
  if (!is_small(problem) || (best.ordered.complete && best.score.price < direct)) return best;
  if (const auto actions =
          find_detour(problem, start, wanted, of_effort(placements_max, options))) {
    Ordered whole{.migrations = {}, .end = start, .complete = true};
    append_actions(problem, *actions, whole);
    Candidate other = judged(problem, std::move(whole));
    if (better(other.score, best.score)) best = std::move(other);
  }
  return best;
}

class Planning {
 public:
  Planning(const Snapshot& snapshot, const Options& options)
      : problem(snapshot, options.min_gain),
        start(problem),
        evictions(all_evictions(problem, start)),
        options_(options) {
    if (is_small(problem)) {
      least_ = direct_migrations_at_least(problem, start, evictions);
    } else {
      for (const HostEviction& e : evictions) least_ += e.eviction.at_least;
    }
  }

  // The greedy plan, where none can be better: it removes all overload with the fewest migrations.
  std::optional<Candidate> easy() const {
    Candidate best = put_in_order(problem, start, start, options_);
    if (!evictions.empty()) consider(place_greedily(problem, start, evictions, Fit::spread), best);
    return is_least(best.score) ? std::optional(std::move(best)) : std::nullopt;
  }

  // The best plan found; empty when nothing can be gained.
  Candidate run() const {
    Candidate best = put_in_order(problem, start, start, options_);
    if (evictions.empty() || nothing_can_leave(problem, start, evictions)) return best;
    Placement wanted = place_greedily(problem, start, evictions, Fit::spread);
    consider(wanted, best);
    if (is_least(best.score)) return best;
    const Placement tight = place_greedily(problem, start, evictions, Fit::tight);
    if (better(score_of(problem, tight), score_of(problem, wanted))) wanted = tight;
    const Placement first = wanted;
    for (unsigned attempt = 1; attempt <= attempts(best.score) && !is_least(best.score);
         ++attempt) {
      Placement found = search_again(attempt, first, wanted);
      const bool is_better = better(score_of(problem, found), score_of(problem, wanted));
      Placement leveled = found;
      level(problem, leveled);
      if (!consider(leveled, best) && !consider(found, best)) consider_from_there(best);
      if (is_better) wanted = std::move(found);
    }
    touch_up(best);
    return best;
  }

  // What is not worth its migrations stays at home, also where an order that stopped half way has
  // brought no host under; and what is, goes.
  void touch_up(Candidate& best) const {
    constexpr int rounds_max = 4;
    for (int round = 0; round < rounds_max && best.score.overload > 0; ++round) {
      const Score before = best.score;
      Placement other = best.ordered.end;
      // All at once where that can be put in order; else, if it is small, one after the other.
      const auto always = [](const Placement&) { return true; };
      if (leave_out_what_does_not_pay(problem, other, always) && !consider(other, best) &&
          is_small(problem)) {
        other = best.ordered.end;
        leave_out_what_does_not_pay(problem, other, [&](const Placement& fewer) {
          const Score last = best.score;
          consider(fewer, best);
          return better(best.score, last);
        });
      }
      cut_short(best);
      other = best.ordered.end;
      if (const std::vector<Action> more = what_would_pay(problem, other); !more.empty()) {
        Ordered whole = best.ordered;
        append_actions(problem, more, whole);
        Candidate candidate = judged(problem, std::move(whole));
        if (better(candidate.score, best.score)) best = std::move(candidate);
        consider(other, best);
      }
      if (!better(best.score, before)) break;
    }
  }

  const Problem problem;
  const Placement start;
  const std::vector<HostEviction> evictions;

 private:
  bool is_least(const Score& score) const {
    return score.overload == 0 && score.price < least_ + 0.5;
  }

  // Now from the beginning, now from the best so far; once in a while for overload alone.
  Placement search_again(unsigned attempt, const Placement& first, const Placement& best) const {
    SearchLimits limits{.seed = first_seed + attempt, .trials = trials(), .migrations_min = least_};
    if (is_small(problem)) {
      // In small snapshots every VM is a large part of a host: other moods find other placements.
      constexpr std::array hottest = {0.4, 0.4, 0.8, 0.4, 0.4, 0.4, 1.2, 0.25};
      constexpr std::array price_weight = {1.0, 0.05, 1.0, 1.0, 0.3, 0.05, 1.0, 1.0};
      limits.hottest = hottest[(attempt - 1) % hottest.size()];
      limits.price_weight = price_weight[(attempt - 1) % price_weight.size()];
      limits.coldest = 0.05;
    }
    return search(problem, attempt % 2 == 1 ? first : best, limits);
  }

  // Its last steps, where they are not worth it: what comes before is safe without them.
  void cut_short(Candidate& best) const {
    const std::vector<Migration>& all = best.ordered.migrations;
    std::map<std::uint32_t, std::size_t> swap_ends;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].swap) swap_ends[*all[i].swap] = i;
    Ordered first{.migrations = {}, .end = start, .complete = false};
    std::optional<Candidate> found;
    std::size_t whole_from = 0;  // before it some unit or swap is under way
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool step_ends = i > 0 && all[i].step != all[i - 1].step;
      if (step_ends && i >= whole_from) {
        Candidate shorter = judged(problem, first);
        if (better(shorter.score, found ? found->score : best.score)) found = std::move(shorter);
      }
      const UnitIndex u = problem.unit_of[all[i].vm];
      for (std::size_t j = i; problem.units[u].count > 1 && j < all.size(); ++j)
        if (problem.unit_of[all[j].vm] == u && all[j].to == all[i].to)
          whole_from = std::max(whole_from, j + 1);
      if (all[i].swap) whole_from = std::max(whole_from, swap_ends[*all[i].swap] + 1);
      first.migrations.push_back(all[i]);
      first.end.move(u, all[i].to);
    }
    if (found) best = std::move(*found);
  }

  bool consider(const Placement& wanted, Candidate& best) const {
    Candidate candidate = put_in_order(problem, start, wanted, options_);
    const bool complete = candidate.ordered.complete;
    if (better(candidate.score, best.score)) best = std::move(candidate);
    return complete;
  }

  // The best plan so far may have stopped half way: what it moved in vain goes home again.
  void consider_from_there(Candidate& best) const {
    if (best.ordered.migrations.empty()) return;
    Placement found =
        search(problem, best.ordered.end,
               {.seed = first_seed, .trials = trials() / 4, .migrations_min = least_});
    consider(found, best);
  }

  std::uint64_t trials() const {
    if (options_.effort > 0) return options_.effort;
    constexpr std::uint64_t base = 12000, each_pair = 30, most = 600000;
    return std::min<std::uint64_t>(base + each_pair * evictions.size() * evictions.size(), most);
  }

  // While overload remains, the smaller the snapshot the longer it is searched.
  std::size_t attempts(const Score& best) const {
    if (!is_small(problem)) return 1;
    constexpr std::size_t few = 8, many = 24, units_searched = 640;
    if (best.overload == 0) return of_effort(few, options_);
    return of_effort(std::clamp(units_searched / problem.units.size(), few, many), options_);
  }

  const Options options_;
  std::uint32_t least_ = 0;
};

// The outcome of `first`, then that of `second` on it, as one plan from the start.
Ordered joined(const Planning& planning, const Ordered& first, const Planning& next,
               const Ordered& second, const Options& options) {
  Placement wanted = planning.start;
  for (VmIndex v = 0; v < planning.problem.unit_of.size(); ++v)
    wanted.move(planning.problem.unit_of[v], second.end.at(next.problem.unit_of[v]));
  Ordered direct = order_moves(planning.problem, planning.start, wanted, options);
  const std::size_t in_sequence = first.migrations.size() + second.migrations.size();
  if (direct.complete && direct.migrations.size() <= in_sequence) return direct;
  Ordered both{.migrations = first.migrations, .end = std::move(wanted), .complete = true};
  const std::uint32_t steps = first.migrations.empty() ? 0 : first.migrations.back().step;
  std::uint32_t swaps = 0;
  for (const Migration& m : first.migrations) swaps = std::max(swaps, m.swap.value_or(0));
  for (Migration m : second.migrations) {
    m.step += steps;
    if (m.swap) m.swap = *m.swap + swaps;
    both.migrations.push_back(m);
  }
  return both;
}

}  // namespace

namespace {

Snapshot calm(Snapshot snapshot) {
  for (Vm& vm : snapshot.vms) vm.swing = {};
  return snapshot;
}

}  // namespace

// How loads swing decides only where a plan is proven to be the best that can be: what has to be
// searched for is searched as if nothing swung, so that headroom never costs a migration.
Plan make_plan(const Snapshot& snapshot, const Options& options) {
  BALLAST_ASSERT(options.outgoing_max > 0 && options.incoming_max > 0, "nothing could move");
  const bool swings = std::any_of(snapshot.vms.begin(), snapshot.vms.end(),
                                  [](const Vm& vm) { return vm.swing != Resources{}; });
  const Planning planning(snapshot, options);
  const std::optional<Candidate> easy = swings ? planning.easy() : std::nullopt;
  if (swings && !easy) return make_plan(calm(snapshot), options);
  Ordered ordered = easy ? easy->ordered : planning.run().ordered;
  Plan plan;
  plan.migrations = ordered.migrations;
  constexpr int rounds_max = 32;
  for (int round = 0; round < rounds_max && !plan.migrations.empty(); ++round) {
    const Snapshot reached = applied(snapshot, plan);
    const Planning next(reached, options);
    if (next.evictions.empty()) break;
    const Ordered more = next.run().ordered;
    if (more.migrations.empty()) break;
    Candidate whole = judged(planning.problem, joined(planning, ordered, next, more, options));
    planning.touch_up(whole);
    ordered = std::move(whole.ordered);
    plan.migrations = ordered.migrations;
  }
  const Snapshot after = applied(snapshot, plan);
  plan.lower_bound =
      migrations_at_least(planning.problem, planning.start, planning.evictions, snapshot);
  plan.overload_before = overload_of(snapshot);
  plan.overloaded_before = overloaded_hosts(snapshot);
  plan.overload_after = overload_of(after);
  plan.overloaded_after = overloaded_hosts(after);
  plan.surplus = surplus_of(planning.problem, ordered.end, snapshot);
  plan.spare = spare_of(planning.problem, ordered.end);
  return plan;
}

}  // namespace ballast::plan
