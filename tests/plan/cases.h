// Snapshots whose best final placement is known, made by scripts/make-optima; the form of the file
// is told there.
#pragma once

#include <string>
#include <vector>

#include "ballast/model/snapshot.h"

namespace ballast::test {

struct Case {
  unsigned seed = 0;
  std::string family;
  Snapshot snapshot;
  double cost = 0;             // of the best final placement, see cost_of
  double overload = 0;         // of that placement
  std::size_t migrations = 0;  // the fewest that reach it
};

std::vector<Case> read_cases(const std::string& path);

}  // namespace ballast::test
