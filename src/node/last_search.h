// What the planner was asked last and what it answered, so that a master does not search again for
// what it has just not found.
//
// The planner is deterministic, so an equal snapshot is answered from memory, however old. Between
// two plan intervals, when a host that stays over its threshold makes the master look at each
// sample, even a snapshot that differs is searched only when the difference could give a better
// plan: a VM or host that came or went, a drain, a rule, room that came free. Loads that waver
// wait for the plan interval.
#pragma once

#include <optional>
#include <vector>

#include "ballast/model/snapshot.h"
#include "ballast/plan/planner.h"
#include "drain.h"

namespace ballast::node {

class LastSearch {
 public:
  explicit LastSearch(const plan::Options& options) : options_(options) {}

  // The plan for this snapshot with that room of other groups, from memory when both are as they
  // were. The answer lives until the next call.
  const DrainPlan& plan(const Snapshot& snapshot, const std::vector<OtherRoom>& others);
  // The last call was answered from memory.
  bool remembered() const { return remembered_; }

  // What is different from the last search in a way that could give a better plan, in words;
  // nullptr: nothing is. Before the first search everything is.
  const char* change(const Snapshot& snapshot, const std::vector<OtherRoom>& others) const;

 private:
  struct Search {
    Snapshot snapshot;
    std::vector<OtherRoom> others;
    std::vector<Resources> loads;  // of the hosts
    DrainPlan answer;
  };

  const plan::Options options_;
  std::optional<Search> last_;
  bool remembered_ = false;
};

}  // namespace ballast::node
