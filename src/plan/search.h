// Improves a placement: least overload first, then fewest migrations, then least copying.
#pragma once

#include <cstdint>

#include "placement.h"
#include "problem.h"

namespace ballast::plan {

// How good a placement is; smaller is better, overload before price.
struct Score {
  // Above the goals, and what migrations cost that bring no host under (Problem::min_gain): 0 is
  // the least that is possible.
  double overload = 0;
  double price = 0;  // of the units that moved
};

bool better(const Score& a, const Score& b);
Score score_of(const Problem& problem, const Placement& placement);

struct SearchLimits {
  std::uint64_t seed = 1;
  std::uint64_t trials = 0;          // changes looked at
  std::uint32_t migrations_min = 0;  // with no overload and this few, nothing better exists
  // What a migration weighs while searching. Below 1, overload that can only be lowered a little,
  // at the cost of many migrations, is found as well; what is returned is judged by Score in any
  // case.
  double price_weight = 1;
  // Temperature at the beginning and at the end, in migrations: how much worse a change may be that
  // is still taken now and then.
  double hottest = 0.25;
  double coldest = 0.12;
};

// The best placement found from `from` on, which is at least as good as `from` and keeps every rule
// and every ceiling that `from` keeps.
Placement search(const Problem& problem, const Placement& from, const SearchLimits& limits);

}  // namespace ballast::plan
