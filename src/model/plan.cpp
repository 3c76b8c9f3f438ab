#include "ballast/model/plan.h"

#include "ballast/base/assert.h"

namespace ballast {

const char* name_of(SurplusReason reason) {
  switch (reason) {
    case SurplusReason::no_cpu: return "no_cpu";
    case SurplusReason::no_memory: return "no_memory";
    case SurplusReason::no_network: return "no_network";
    case SurplusReason::rule: return "rule";
    case SurplusReason::immovable: return "immovable";
    case SurplusReason::stale: return "stale";
    case SurplusReason::own_load: return "own_load";
    case SurplusReason::not_worth: return "not_worth";
    case SurplusReason::no_target: return "no_target";
  }
  return "?";
}

Snapshot applied(Snapshot snapshot, const Plan& plan) {
  for (const Migration& migration : plan.migrations) {
    BALLAST_ASSERT(migration.vm < snapshot.vms.size(), "a plan of another snapshot");
    snapshot.vms[migration.vm].host = migration.to;
  }
  return snapshot;
}

}  // namespace ballast
