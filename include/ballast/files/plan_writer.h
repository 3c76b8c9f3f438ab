// `ballast-plan/1`: the answer of the planner as JSON. docs/formats.md describes the format;
// source: design, section 8.
#pragma once

#include <string>

#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::files {

// The plan as one line of JSON. `plan` must be a plan of this snapshot; `elapsed_ms` is how long
// the planning took, as the caller measured it.
std::string plan_json(const Snapshot& snapshot, const Plan& plan, double elapsed_ms);

}  // namespace ballast::files
