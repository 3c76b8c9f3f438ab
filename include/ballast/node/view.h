// What a node shows of itself: plain values for status, the demo and the log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/config.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"

namespace ballast::node {

enum class EventKind : unsigned char {
  attached,   // a slave came, or we found our master
  lost,       // a slave or the master is gone
  planned,    // a plan was made
  ordered,    // a migration was ordered
  moved,      // a VM arrived
  not_moved,  // a migration was refused or failed
  alarm,      // somebody should look
  recovered,  // what an alarm told of is over
  drain,      // a host is to be emptied, is empty, or takes VMs again
};
const char* name_of(EventKind kind);  // for programs: "not_moved"
std::string in_text(EventKind kind);  // for people: "not moved"

struct Event {
  TimePoint at;
  std::uint64_t number = 0;  // rises by one with each event of this life
  EventKind kind = EventKind::planned;
  VmId vm;      // empty: not about one
  HostId host;  // empty: not about one
  std::string text;
};

struct HostView {
  HostId id;
  Role role = Role::slave;
  Resources capacity;
  Resources load;  // base and VMs
  Thresholds thresholds;
  std::size_t vms = 0;
  // "ok", "over", "stale: ...", "draining: 3 VMs left", "drain stopped: 1 VM left", "drained",
  // "lost: ..."
  std::string state;
  Duration age{0};               // since it was heard; its own host knows itself
  std::vector<VmId> lost_vms{};  // of a host that is lost: there when it was heard last, and no
                                 // other host of the group has them
};

struct MoveView {
  VmId vm;
  HostId from;
  HostId to;
  std::uint32_t step = 1;
  std::optional<std::uint32_t> swap;
  std::string state;  // "waiting", "telling", "ordering", "running", "done", "failed: ..."
  std::string why;
};

struct LeaseView {
  LeaseId lease;  // not in the status document
  VmId vm;
  HostId from;
  HostId to;
  std::string phase;  // "promised", "begun", "revoking"; of a slave "told", "begun"
};

struct SurplusView {
  VmId vm;
  HostId host;
  std::string reason;
  std::string pause{};  // why it is not asked for in other groups at the moment; empty: it may be
  bool left = false;    // it could go, and is left where it is: the reason says why that is better
};

// What is not tried again for a while, since it failed.
struct FailureView {
  VmId vm;      // empty: any VM between the two hosts
  HostId from;  // where it ran then; empty: wherever
  HostId to;    // empty: whatever the target
  std::uint32_t times = 0;
  Duration left{0};
  std::string reason;  // the hypervisor's own, where it gave one
};

struct PlanView {
  std::string id;
  std::string state;  // "recommended", "waits for approval", "running", "done", "abandoned: ..."
  Duration age{0};
  std::vector<MoveView> moves;
  std::vector<SurplusView> surplus;
  std::string pause;  // why no better plan is searched at the moment; empty: there is no pause
  double overload_before = 0;
  double overload_after = 0;
  std::size_t overloaded_before = 0;
  std::size_t overloaded_after = 0;
  std::size_t lower_bound = 0;
};

// Another master, as it says of itself.
struct MasterView {
  NodeId id;
  std::string endpoint;
  std::uint32_t hosts = 0;
  std::uint32_t surplus_vms = 0;
  Resources spare;
  bool peer = false;       // linked with us
  bool withdrawn = false;  // two masters cannot reach it: its spare does not count
  bool lost = false;       // not heard of by this one
};

struct View {
  NodeId id;
  Role role = Role::slave;
  std::string endpoint;         // where other nodes reach it
  NodeId master;                // empty: none answers
  std::string master_endpoint;  // where that one listens; not in the status document
  Epoch epoch;
  Mode mode = Mode::recommend;
  std::vector<HostView> hosts;  // of the group; a slave shows its own
  std::vector<VmId> own_vms;    // running here
  std::optional<PlanView> plan;
  std::vector<MoveView> in_flight;
  std::vector<MasterView> masters;    // other masters that a master knows, at most 256
  bool paused = false;                // somebody has paused the balancing of the fleet
  std::vector<FailureView> failures;  // of a master: what it does not try now
  std::vector<LeaseView> leases;  // open: of a master those it gave, of a slave those it honours
  std::map<std::string, std::uint64_t> counters;
  std::vector<Event> events;
};

}  // namespace ballast::node
