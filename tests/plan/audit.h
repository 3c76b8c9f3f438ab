// An auditor of plans that shares no code with the planner: it replays a plan on the snapshot, step
// by step, and names every rule that the plan breaks on the way (design, section 5, point 1).
#pragma once

#include <string>
#include <vector>

#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::test {

struct Audit {
  std::vector<std::string> violations;
  std::size_t swaps = 0;
};

Audit audit(const Snapshot& snapshot, const Plan& plan, unsigned outgoing_max = 2,
            unsigned incoming_max = 1);

}  // namespace ballast::test
