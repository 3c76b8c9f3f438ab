// How one master asks another for room, and how the two agree on a plan before anything moves.
// Source: design, sections 3 and 6.
//
// The room is promised by a lease in the ledger of the master that grants it, the grantor; whoever
// holds the VM migrates it under that lease as under one of its own group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::wire {

// A VM that its own group has no room for, or none as cool as `heat_max`.
struct Want {
  VmId vm;
  Resources load;
  HostId from;
  std::string from_endpoint;  // where the target asks the holder, should it fall silent
  bool drain = false;         // its host is in maintenance
  // Set: a smaller VM may come back in exchange. What `from` can take once this VM has left it.
  std::optional<Resources> takes_back;
  // Memory that `from` has free already: a VM up to this size may come back first.
  double takes_back_first_mib = 0;
  std::vector<HostId> not_to{};  // hosts that it failed at lately
  // Above 0: it would have room at home. It comes only to a host that is at most so hot with it.
  double heat_max = 0;
  bool operator==(const Want&) const = default;
};

// asker -> grantor: room for these, please. Served in the order of arrival. Asked again with the
// same number until answered; answered the same then.
struct Request {
  std::uint64_t number = 0;
  std::vector<Want> wants;
  bool operator==(const Request&) const = default;
};

// What comes back in a swap.
struct Counterpart {
  VmId vm;
  Resources load;
  std::string from_endpoint;  // of its holder, which is the target of the grant
  bool first = false;         // it moves before the other
  bool operator==(const Counterpart&) const = default;
};

struct Grant {
  VmId vm;
  LeaseId lease;
  HostId target;
  std::string target_endpoint;
  std::optional<Counterpart> back;
  std::string target_hypervisor{};  // as in an Order
  bool operator==(const Grant&) const = default;
};

enum class RefusalReason : unsigned char {
  no_room,  // the spare that was told of is gone
  quota,    // as many open leases of this asker as one may have
  rule,     // room, but not for this VM
  quiet,    // nothing moves here: just started, paused, or not in mode `auto`
};
const char* name_of(RefusalReason reason);

struct Refusal {
  VmId vm;
  RefusalReason reason = RefusalReason::no_room;
  Duration wait{0};  // of `quiet`: for how much longer; 0: nobody knows
  bool operator==(const Refusal&) const = default;
};

// grantor -> asker.
struct RequestAnswer {
  std::uint64_t number = 0;
  std::vector<Grant> grants;
  std::vector<Refusal> refusals;
  std::vector<Resources> holes;  // the room that is there now, as in a summary
  bool operator==(const RequestAnswer&) const = default;
};

// asker -> grantor: I will not use this lease. Repeated until acknowledged.
struct Release {
  LeaseId lease;
  bool operator==(const Release&) const = default;
};
struct ReleaseAck {
  LeaseId lease;
  bool operator==(const ReleaseAck&) const = default;
};

// asker -> grantor, of a swap: room for what comes back is promised by this lease of mine, on the
// host that the other VM leaves. Repeated until the VM has come or SwapOver was heard.
struct SwapBack {
  LeaseId lease;  // the grant's
  LeaseId back;
  HostId target;
  std::string target_endpoint;
  std::string target_hypervisor{};  // as in an Order
  bool operator==(const SwapBack&) const = default;
};
// Either side: the VM under this lease will not move any more. Repeated until acknowledged.
struct SwapOver {
  LeaseId lease;
  std::string reason;
  bool operator==(const SwapOver&) const = default;
};
struct SwapOverAck {
  LeaseId lease;
  bool operator==(const SwapOverAck&) const = default;
};

// --- plan exchange ------------------------------------------------------------------------------

enum class PlanKind : unsigned char { local, remote, drain };  // the later one goes first
const char* name_of(PlanKind kind);

struct ProposedMove {
  LeaseId lease;
  VmId vm;
  HostId from;
  Epoch from_epoch;  // of the holder as the proposer knows it; {0,0}: not its slave
  HostId to;
  double heat = 0;  // overload that it relieves: the hottest goes first
  bool operator==(const ProposedMove&) const = default;
};

// proposer -> each master concerned.
struct Proposal {
  std::uint64_t number = 0;
  PlanKind kind = PlanKind::remote;
  std::uint32_t rounds_lost = 0;  // cycles that it has given way before
  std::uint64_t stamp = 0;        // a logical counter, not a clock
  std::vector<ProposedMove> moves;
  bool operator==(const Proposal&) const = default;
};

enum class Conflict : unsigned char {
  none,
  vm_in_two_plans,
  host_claimed_twice,
  joint_rule,
  too_many_streams,
  ping_pong,
};
const char* name_of(Conflict conflict);

struct MoveVerdict {
  LeaseId lease;
  Conflict conflict = Conflict::none;  // other than none: the proposer gives way
  Duration wait{0};                    // until the streams at the judge's hosts are free
  std::string detail;
  bool operator==(const MoveVerdict&) const = default;
};

struct Verdict {
  std::uint64_t number = 0;
  std::uint64_t stamp = 0;  // the judge's counter: the proposer's next one is above it
  std::vector<MoveVerdict> moves;
  bool operator==(const Verdict&) const = default;
};

// master -> slave: become a second master, and stand by (design, section 3: `min_masters`).
// To one that is a master already, only where this one is, so that the two link.
struct Promote {
  Peer master;  // who says so
  std::string why;
  bool operator==(const Promote&) const = default;
};

// To a node that says what only masters may say: it is not trusted as a master here. So that both
// ends tell their operators; nothing is decided by it.
struct Disbelief {
  bool operator==(const Disbelief&) const = default;
};

// master -> slave: find another master, I am no longer yours (`ballast demote`).
struct Dismiss {
  Epoch slave_epoch;
  std::string why;
  bool operator==(const Dismiss&) const = default;
};

}  // namespace ballast::wire
