// What the core asks of a hypervisor, and what it hears back: plain values, so that libvirt, the
// simulated hypervisor and a test speak the same language. What blocks runs on worker threads; an
// answer comes later, as an event, or never.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"

namespace ballast {

// What a hypervisor says of one VM. An incoming VM is a reservation, not a VM: its source owns it
// until it runs here. `unknown` is a state of its own, never resolved by guessing.
enum class Presence : unsigned char { absent, running, paused, incoming, outgoing, unknown };

const char* name_of(Presence presence);

// What a failed migration is the fault of: of this VM at that target, or of the two hosts, whatever
// the VM (no way between them, no certificate, no common version).
enum class FaultOf : unsigned char { vm, pair };

struct VmSample {
  VmId id;
  Presence presence = Presence::running;
  Resources load;
  bool movable = true;
  std::string immovable_reason;  // empty when movable
  double dirty_rate_mib_s = 0;   // 0: not known
  bool persistent = true;        // it is there when it does not run, too
  bool autostart = false;        // it is started with the host

  bool operator==(const VmSample&) const = default;
};

// One look at a host and all its VMs.
struct HostSample {
  Resources capacity;
  Resources base;           // load that is not VMs
  double cpu_used_mhz = 0;  // of the whole host, VMs and base together, as the host itself counts
  double memory_free_mib = 0;  // that a new VM could take at this instant
  std::vector<VmSample> vms;
  std::string host{};  // who the hypervisor says that it is; empty: it does not tell
  // Sums up what of this host decides which VMs can come and go; empty: it does not tell.
  std::string environment{};

  bool operator==(const HostSample&) const = default;
};

// Commands to the hypervisor of this node.
struct SampleHost {};
struct QueryVm {
  VmId vm;
};
struct StartMigration {
  LeaseId lease;
  VmId vm;
  std::string target_uri;      // as the target's hypervisor gave it
  double bandwidth_mib_s = 0;  // 0: no limit
  // Who the hypervisor at that URI must say that it is, or nothing is started; empty: not asked.
  std::string target_host{};
};
struct AbortMigration {
  VmId vm;
};
// A later sample tells whether it has come about.
struct SetAutostart {
  VmId vm;
  bool autostart = false;
};
using HypervisorCommand =
    std::variant<SampleHost, QueryVm, StartMigration, AbortMigration, SetAutostart>;

// Events from it.
struct HostSampled {
  HostSample sample;
};
struct SampleFailed {
  std::string reason;
};
struct VmQueried {
  VmId vm;
  Presence presence = Presence::unknown;
  std::string detail{};  // of `paused`: why
};
// The call that migrated has returned. `ok` is what the source believes; both ends are asked after.
struct MigrationEnded {
  LeaseId lease;
  VmId vm;
  bool ok = false;
  std::string detail;  // empty when ok
  FaultOf fault = FaultOf::vm;
};
using HypervisorEvent = std::variant<HostSampled, SampleFailed, VmQueried, MigrationEnded>;

}  // namespace ballast
