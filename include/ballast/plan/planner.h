// The local planner: from a snapshot to an ordered plan with as few live migrations as possible.
// Pure and deterministic: the same snapshot gives the same plan. Source: design, section 5.
#pragma once

#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::plan {

// A plan is judged by its overload plus `min_gain` for each migration that leaves or enters a host
// which stays over a threshold; what brings a host under its thresholds, or empties one in
// maintenance, is worth any number of migrations. So none is planned that could be left out for
// less. A host whose own load (base) is above its CPU threshold is no source for CPU: no VM causes
// that, and none cures it. Source: half a point of one host is what its users would not notice.
inline constexpr double min_gain_default = 0.005;

struct Options {
  // Migrations that may leave or enter one host within one step.
  unsigned outgoing_max = 2;
  unsigned incoming_max = 1;
  // How much search is spent on what the greedy could not place: a count of trials, not a time, so
  // that the plan does not depend on the machine.
  unsigned effort = 0;  // 0: chosen from the number of hosts that are over
  // What a migration must take off the overload of a host that the plan does not bring under its
  // thresholds, as a share of that host's capacity: it is not worth its trouble for less. [0, 1];
  // 0 takes off whatever can be taken off.
  double min_gain = min_gain_default;
};

// Plans over the whole snapshot as one group. The snapshot must satisfy check(): a broken promise
// is a bug of the caller. dwell, cooldown and target are not known here: who builds the snapshot
// of a running group expresses them as thresholds and immovable VMs.
Plan make_plan(const Snapshot& snapshot, const Options& options = {});

}  // namespace ballast::plan
