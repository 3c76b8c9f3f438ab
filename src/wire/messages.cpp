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

const char* name_of(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::no_room: return "no_room";
    case RefusalReason::quota: return "quota";
    case RefusalReason::rule: return "rule";
    case RefusalReason::quiet: return "quiet";
  }
  BALLAST_ASSERT(false, "a reason without a name");
}

const char* name_of(PlanKind kind) {
  switch (kind) {
    case PlanKind::local: return "local";
    case PlanKind::remote: return "remote";
    case PlanKind::drain: return "drain";
  }
  BALLAST_ASSERT(false, "a kind of plan without a name");
}

const char* name_of(Conflict conflict) {
  switch (conflict) {
    case Conflict::none: return "none";
    case Conflict::vm_in_two_plans: return "vm_in_two_plans";
    case Conflict::host_claimed_twice: return "host_claimed_twice";
    case Conflict::joint_rule: return "joint_rule";
    case Conflict::too_many_streams: return "too_many_streams";
    case Conflict::ping_pong: return "ping_pong";
  }
  BALLAST_ASSERT(false, "a conflict without a name");
}

const char* name_of(Subject subject) {
  switch (subject) {
    case Subject::drain: return "drain";
    case Subject::undrain: return "undrain";
    case Subject::why: return "why";
    case Subject::events: return "events";
    case Subject::best_host: return "best_host";
    case Subject::retry: return "retry";
    case Subject::room: return "room";
    case Subject::promote: return "promote";
    case Subject::forget: return "forget";
    case Subject::nodes: return "nodes";
  }
  BALLAST_ASSERT(false, "a subject without a name");
}

namespace {

template <class... Kinds>
bool is_one_of(const Body& body) {
  return (std::holds_alternative<Kinds>(body) || ...);
}

// The mesh, the market, the exchange of plans.
bool is_between_masters(const Body& body) {
  return is_one_of<Gossip, Neighbor, NeighborAnswer, Disconnect, Shuffle, ShuffleAnswer, Pull,
                   Pulled, Request, RequestAnswer, Release, ReleaseAck, SwapBack, SwapOver,
                   SwapOverAck, Proposal, Verdict>(body);
}

}  // namespace

bool is_for_masters_only(const Body& body) {
  return is_one_of<AttachAnswer, ReportAck, Order, OutcomeAck, LeaseTell, LeaseRevoke,
                   LeaseStateAck, Promote, Dismiss, LeaveAck, ReportAsk, Reply, Drain, Paused>(
             body) ||
         is_between_masters(body);
}

const char* name_of(const Body& body) {
  static constexpr std::array<const char*, std::variant_size_v<Body>> names = {
      "Attach",        "AttachAnswer", "Report",         "ReportAck",   "Order",
      "Outcome",       "OutcomeAck",   "LeaseTell",      "LeaseRevoke", "LeaseState",
      "LeaseStateAck", "Begin",        "BeginAnswer",    "Settle",      "SettleAnswer",
      "Gossip",        "Neighbor",     "NeighborAnswer", "Disconnect",  "Shuffle",
      "ShuffleAnswer", "Pull",         "Pulled",         "Request",     "RequestAnswer",
      "Release",       "ReleaseAck",   "SwapBack",       "SwapOver",    "SwapOverAck",
      "Proposal",      "Verdict",      "Promote",        "Dismiss",     "Leave",
      "LeaveAck",      "ReportAsk",    "Inquiry",        "Reply",       "Drain",
      "Disbelief",     "Alarms",       "Paused",         "Introduce",   "FleetDigest",
      "FleetRecords",  "JoinAsk",      "JoinAnswer"};
  return names[body.index()];
}

}  // namespace ballast::wire
