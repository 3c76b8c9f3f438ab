// Names of messages and of what they carry, for logs and counters.
#include "ballast/wire/messages.h"

#include <array>

namespace ballast::wire {

const char* name_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::accepted: return "accepted";
    case OutcomeKind::refused: return "refused";
    case OutcomeKind::failed: return "failed";
    case OutcomeKind::arrived: return "arrived";
    case OutcomeKind::unknown: return "unknown";
  }
  BALLAST_ASSERT(false, "an outcome without a name");
}

const char* name_of(LeasePhase phase) {
  switch (phase) {
    case LeasePhase::told: return "told";
    case LeasePhase::begun: return "begun";
    case LeasePhase::arrived: return "arrived";
    case LeasePhase::absent: return "absent";
  }
  BALLAST_ASSERT(false, "a lease phase without a name");
}

const char* name_of(const Body& body) {
  static constexpr std::array<const char*, std::variant_size_v<Body>> names = {
      "Attach",        "AttachAnswer", "Report",      "ReportAck",   "Order",
      "Outcome",       "OutcomeAck",   "LeaseTell",   "LeaseRevoke", "LeaseState",
      "LeaseStateAck", "Begin",        "BeginAnswer", "Settle",      "SettleAnswer"};
  return names[body.index()];
}

}  // namespace ballast::wire
