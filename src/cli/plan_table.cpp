#include "plan_table.h"

#include "ballast/files/plan_writer.h"

namespace ballast::cli {

std::string plan_table(const Snapshot& snapshot, const Plan& plan, double elapsed_ms) {
  return files::plan_json(snapshot, plan, elapsed_ms);
}

}  // namespace ballast::cli
