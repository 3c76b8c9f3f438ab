// The messages between nodes, as plain values. Each is idempotent: it may be lost, doubled, late or
// out of order, and whoever needs an answer asks again. codec.h turns them into bytes and back.
// Source: design, sections 3, 4 and 6.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/hypervisor.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"
#include "ballast/wire/fleet_messages.h"
#include "ballast/wire/inquiry_messages.h"
#include "ballast/wire/market_messages.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::wire {

// What a host is: sent when a slave attaches and when it changes.
struct HostFacts {
  Resources capacity;
  Thresholds thresholds;
  std::string endpoint;    // where this node's ROUTER is reached: "tcp://address:port"
  bool automatic = false;  // its role is `auto`: it may be promoted
  // Who its hypervisor says that this host is (libvirt: the host's UUID): a source asks for it
  // before it migrates. Empty: the hypervisor tells none.
  std::string hypervisor{};
  // What here decides which VMs can come and go (versions, networks, certificates), as the
  // hypervisor sums it up: when it changes, what failed is tried again. Empty: it does not tell.
  std::string environment{};
  bool operator==(const HostFacts&) const = default;
};

// One VM in a report: the sample's facts, with the load folded by the estimator.
struct VmReport {
  VmSample vm;
  Resources swing;   // the deviation of its load over about the last hour
  Duration rest{0};  // how long it still rests after its last move (cooldown); 0: not resting
  bool operator==(const VmReport&) const = default;
};

// A migration that leaves this host, or one that its hypervisor was found doing after a restart
// (then without lease and target).
struct Job {
  std::optional<LeaseId> lease;
  VmId vm;
  NodeId target;
  bool operator==(const Job&) const = default;
};

// Room on this host that a holder was told "yes" for and that has not ended.
struct Reservation {
  LeaseId lease;
  VmId vm;
  NodeId from;
  Resources load;
  bool operator==(const Reservation&) const = default;
};

// What a host carries at this moment.
struct HostReport {
  Resources base;
  double cpu_used_mhz = 0;
  double memory_free_mib = 0;
  bool maintenance = false;
  std::uint32_t over_samples = 0;  // samples in a row with the host over a threshold
  // Half of its past overloads that lasted as long as this one passed by themselves within that; 0:
  // not known, or it is not over.
  Duration passes_in{0};
  std::string distrust;  // why these figures should not be acted upon; empty: trusted
  std::vector<VmReport> vms;
  std::vector<Job> jobs;
  std::vector<Reservation> reservations;
  bool operator==(const HostReport&) const = default;
};

// --- slave and master ---------------------------------------------------------------------------

// slave -> master: take me. Says everything; the header's epoch names this attachment.
struct Attach {
  HostFacts facts;
  HostReport report;
  std::uint64_t sequence = 0;  // the report's, as in Report
  NodeId previous;             // its master before, if that was another; else empty
  bool operator==(const Attach&) const = default;
};

// slave -> master: I belong to another master now. Repeated until acknowledged.
struct Leave {
  Epoch left;  // the attachment that it leaves, and all before
  std::string why;
  bool operator==(const Leave&) const = default;
};
struct LeaveAck {
  Epoch left;
  bool operator==(const LeaveAck&) const = default;
};

// master -> slave: taken, or refused and why. Also the answer to a report of a slave that this
// master does not know: attach again.
struct AttachAnswer {
  Epoch slave_epoch;
  bool accepted = false;
  std::string reason;  // empty when accepted
  bool operator==(const AttachAnswer&) const = default;
};

// slave -> master: how it is now. Facts only when they changed.
struct Report {
  std::uint64_t sequence = 0;  // rises by one with each report of an incarnation
  std::optional<HostFacts> facts;
  HostReport report;
  bool operator==(const Report&) const = default;
};

// master -> slave: report at once what you see now, I am about to plan.
struct ReportAsk {
  Epoch slave_epoch;
  bool operator==(const ReportAsk&) const = default;
};

// master -> slave: heard; the slave thus knows that its master lives.
struct ReportAck {
  Epoch slave_epoch;
  std::uint64_t sequence = 0;
  bool operator==(const ReportAck&) const = default;
};

// master -> holder: migrate this VM there, under this lease.
struct Order {
  LeaseId lease;
  Epoch holder_epoch;
  VmId vm;
  NodeId target;
  std::string target_endpoint;
  std::string why;                  // for the holder's log
  std::string target_hypervisor{};  // as the target's facts tell it
  bool operator==(const Order&) const = default;
};

enum class OutcomeKind : unsigned char {
  accepted,  // the order is being carried out
  refused,   // nothing was started
  failed,    // started, ended, the VM runs at the source
  arrived,   // the VM runs at the target and no longer at the source
  unknown,   // the two ends cannot say; asked again for as long as it takes
};
const char* name_of(OutcomeKind kind);

// holder -> master: what became of an order. All but `accepted` and `unknown` end it.
struct Outcome {
  LeaseId lease;
  VmId vm;
  OutcomeKind kind = OutcomeKind::unknown;
  std::uint64_t sequence = 0;   // reports of the holder up to this one are older than this news
  std::string detail;           // why not; of `arrived`: why it does not run there, or empty
  FaultOf fault = FaultOf::vm;  // of `failed`
  bool operator==(const Outcome&) const = default;
};

// master -> holder: heard that outcome; it need not be repeated.
struct OutcomeAck {
  LeaseId lease;
  OutcomeKind kind = OutcomeKind::unknown;
  bool operator==(const OutcomeAck&) const = default;
};

// --- grantor and target -------------------------------------------------------------------------

// grantor -> target: room on you is promised for this VM; say yes to its holder when it asks.
struct LeaseTell {
  LeaseId lease;
  Epoch target_epoch;
  VmId vm;
  NodeId from;
  std::string from_endpoint;  // where the holder is asked, should it fall silent
  Resources load;
  bool operator==(const LeaseTell&) const = default;
};

// grantor -> target: I want it back. One that has begun stays until the hypervisor says how it
// ended; if the holder itself has said that it is no longer at it, the target asks now.
struct LeaseRevoke {
  LeaseId lease;
  VmId vm;  // for a target that has forgotten the lease
  bool holder_is_done = false;
  bool departed = false;  // the holder has the VM no more: one that is paused here has arrived
  bool operator==(const LeaseRevoke&) const = default;
};

enum class LeasePhase : unsigned char {
  told,     // the target knows of it
  begun,    // the target has said yes to the holder
  arrived,  // ended: the VM runs at the target, or it is paused there and gone at its source
  absent,   // ended: the VM is not at the target, nor will it come under this lease
};
const char* name_of(LeasePhase phase);

// target -> grantor: how a lease stands; repeated until acknowledged when it has ended.
struct LeaseState {
  LeaseId lease;
  LeasePhase phase = LeasePhase::told;
  std::uint64_t sequence = 0;  // reports of the target up to this one are older than this news
  std::string detail;          // of `arrived`: why it does not run there, or empty
  bool operator==(const LeaseState&) const = default;
};

// grantor -> target: heard.
struct LeaseStateAck {
  LeaseId lease;
  LeasePhase phase = LeasePhase::told;
  bool operator==(const LeaseStateAck&) const = default;
};

// --- holder and target --------------------------------------------------------------------------

// holder -> target: may I begin? Repeated until answered.
struct Begin {
  LeaseId lease;
  VmId vm;
  Resources load;
  bool autostart = false;  // the source's hypervisor starts it with the host: so shall the target's
  Resources swing{};       // as in the source's reports
  bool operator==(const Begin&) const = default;
};

struct BeginAnswer {
  LeaseId lease;
  bool yes = false;
  std::string reason;         // of a no
  std::string migration_uri;  // of a yes
  bool operator==(const BeginAnswer&) const = default;
};

// holder -> target: the migration has ended here (or will not start); what does your hypervisor
// say?
struct Settle {
  LeaseId lease;
  VmId vm;
  bool departed = false;  // it is gone here: one that is paused there has arrived
  bool operator==(const Settle&) const = default;
};

struct SettleAnswer {
  LeaseId lease;
  VmId vm;
  Presence presence = Presence::unknown;
  std::string detail;  // of `paused`: the hypervisor's reason
  bool operator==(const SettleAnswer&) const = default;
};

// slave -> master, beside its reports: what its own node raised lately, for the events of the
// group. Said again with each report while it is young; the number says what is known already.
struct AlarmNote {
  std::uint64_t number = 0;  // rises within an incarnation
  bool over = false;         // what an alarm told of has ended
  Duration age{0};
  std::string text;
  bool operator==(const AlarmNote&) const = default;
};
struct Alarms {
  std::vector<AlarmNote> notes;
  bool operator==(const Alarms&) const = default;
};

// master -> slave: whether the balancing of the fleet is paused, when that changes and beside each
// ReportAck while it is. For people at the slave: it decides nothing there.
struct Paused {
  Epoch slave_epoch;
  bool paused = false;
  bool operator==(const Paused&) const = default;
};

// A kind's number on the wire is its place here, from 1.
using Body =
    std::variant<Attach, AttachAnswer, Report, ReportAck, Order, Outcome, OutcomeAck, LeaseTell,
                 LeaseRevoke, LeaseState, LeaseStateAck, Begin, BeginAnswer, Settle, SettleAnswer,
                 Gossip, Neighbor, NeighborAnswer, Disconnect, Shuffle, ShuffleAnswer, Pull, Pulled,
                 Request, RequestAnswer, Release, ReleaseAck, SwapBack, SwapOver, SwapOverAck,
                 Proposal, Verdict, Promote, Dismiss, Leave, LeaveAck, ReportAsk, Inquiry, Reply,
                 Drain, Disbelief, Alarms, Paused, Introduce, FleetDigest, FleetRecords, JoinAsk,
                 JoinAnswer>;

// What stands before every body. The codec adds version and kind.
struct Header {
  std::string cluster;
  NodeId sender;
  Epoch epoch;  // the sender's own; of a master that is nobody's slave, attachment is 0
  bool operator==(const Header&) const = default;
};

struct Message {
  Header header;
  Body body;
  bool operator==(const Message&) const = default;
};

// True for what only a master says: answers to a slave, orders, leases, and all that masters say to
// each other.
bool is_for_masters_only(const Body& body);

// "Attach", "Report", ...: for counters and logs.
const char* name_of(const Body& body);

}  // namespace ballast::wire
