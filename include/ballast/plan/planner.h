// The local planner: from a snapshot to an ordered plan with as few live migrations as possible.
// Pure and deterministic: the same snapshot gives the same plan. Source: design, section 5.
#pragma once

#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::plan {

struct Options {
  // Migrations that may leave or enter one host within one step.
  unsigned outgoing_max = 2;
  unsigned incoming_max = 1;
  // How much search is spent on what the greedy could not place: a count of trials, not a time, so
  // that the plan does not depend on the machine.
  unsigned effort = 0;  // 0: chosen from the number of hosts that are over
};

// Plans over the whole snapshot as one group. The snapshot must satisfy check(): a broken promise
// is a bug of the caller. dwell, cooldown and target are not known here: who builds the snapshot
// of a running group expresses them as thresholds and immovable VMs.
Plan make_plan(const Snapshot& snapshot, const Options& options = {});

}  // namespace ballast::plan
