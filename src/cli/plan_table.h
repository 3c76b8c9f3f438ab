// A plan as a table that a person likes to read.
#pragma once

#include <string>

#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::cli {

// What is over, what moves and why, what stays and why, what room is left. `plan` must be a plan of
// this snapshot.
std::string plan_table(const Snapshot& snapshot, const Plan& plan, double elapsed_ms);

}  // namespace ballast::cli
