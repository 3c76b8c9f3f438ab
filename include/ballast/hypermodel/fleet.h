// A fleet of hosts with their hypervisors under virtual time: what `world` runs nodes on. It
// answers the commands of a node (model/hypervisor.h) for every host, lets migrations take the time
// they take, and fails where it is told to. Cheap: nothing happens between two deadlines, and a VM
// that is not moved costs nothing.
//
// Who drives it promises: `now` never goes back; step() is called no later than next_deadline().
//
// What a failure leaves behind, as on libvirt (measured on real hosts):
//   before the hand-over   the VM runs on at its source, the target forgets it
//   in finish              the source's copy stands still (`unknown`) until the target can be
//   asked;
//                          it has not started it: the VM runs on at its source
//   in confirm             the same, but the target runs it: the source's copy is removed
//   source host dies       its VMs die with it, but for one that the target already runs
//   target host dies       before the hand-over the VM runs on at its source; later the source
//   stays
//                          in doubt until the target is back and can be asked
//   a hypervisor's daemon dies   its VMs run on, it answers nothing; else as above
//
// A VM of the trace that begins later is started where the trace has it, and one that ends is shut
// down wherever it is by then, as soon as it does not stand still in mid-migration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/hypermodel/host.h"
#include "ballast/hypermodel/timing.h"
#include "ballast/model/hypervisor.h"
#include "ballast/model/snapshot.h"
#include "ballast/model/trace.h"

namespace ballast::hypermodel {

enum class Phase : unsigned char { begin, prepare, perform, finish, confirm };
const char* name_of(Phase phase);

enum class Failure : unsigned char {
  source_error,  // the step fails at the source: in confirm, its copy cannot be removed at once
  target_error,  // the step fails at the target: no room, QEMU died, the VM does not start
  link_cut,      // until LinkReturns
  source_daemon,
  target_daemon,
  source_host,
  target_host,
};
const char* name_of(Failure failure);

// What can be told to a fleet. Hosts are indices into the trace's hosts.
struct HostCommand {
  HostIndex host = 0;
  HypervisorCommand command;
};
struct HostFails {  // loses its power, and with it its VMs
  HostIndex host = 0;
};
struct HostReturns {  // empty
  HostIndex host = 0;
};
struct DaemonFails {
  HostIndex host = 0;
};
struct DaemonReturns {
  HostIndex host = 0;
};
struct LinkFails {  // between two hosts, in both directions
  HostIndex a = 0;
  HostIndex b = 0;
};
struct LinkReturns {
  HostIndex a = 0;
  HostIndex b = 0;
};
// The next migration of this VM fails as it enters that phase.
struct MigrationFails {
  VmId vm;
  Phase phase = Phase::perform;
  Failure failure = Failure::target_error;
};
// Failures that MigrationFails asked for and that have not happened yet are called off.
struct NothingFails {};
// What a guest or its operator does, in mid-migration too; ignored while the VM stands still. One
// that was shut down never comes back, and an open copy of it ends.
struct GuestShutsDown {
  VmId vm;
};
struct GuestSuspends {
  VmId vm;
  bool suspended = true;  // false: runs on
};
struct GuestHangs {  // ignored while it is on its way
  VmId vm;
  bool hangs = true;  // false: it answers again
};
// This host cannot take in that VM, or none, whatever is done: a network that it lacks, a disk.
struct HostRefuses {
  HostIndex host = 0;
  VmId vm;              // empty: none of all
  bool refuses = true;  // false: it can again
};
struct TimePasses {};
using FleetInput = std::variant<HostCommand, HostFails, HostReturns, DaemonFails, DaemonReturns,
                                LinkFails, LinkReturns, MigrationFails, NothingFails,
                                GuestShutsDown, GuestSuspends, GuestHangs, HostRefuses, TimePasses>;

struct FleetEvent {
  HostIndex host = 0;  // whose node hears it
  HypervisorEvent event;
};

// What an auditor found wrong.
struct Finding {
  enum class Kind : unsigned char { runs_twice, lost, memory_over_capacity };
  Kind kind = Kind::runs_twice;
  std::string detail;
};
const char* name_of(Finding::Kind kind);

class Fleet {
 public:
  // Hosts and VMs as the trace places them at `started`. The trace's ids must be unique, its
  // indices in range.
  Fleet(std::shared_ptr<const Trace> trace, const Timing& timing, TimePoint started);
  Fleet(Fleet&&) noexcept;
  Fleet& operator=(Fleet&&) noexcept;
  ~Fleet();

  // First everything that is due until `now`, then the input. Events in the order they happened.
  std::vector<FleetEvent> step(TimePoint now, const FleetInput& input);

  // When step() must be called next, at the latest; time_never when nothing is under way.
  TimePoint next_deadline() const;

  // Where migrations to this host are sent: "model://ID".
  std::string migration_uri(HostIndex host) const;

  // For auditors and tests: the truth, whether or not a hypervisor would answer now.
  const HostModel& host(HostIndex host) const;
  bool is_up(HostIndex host) const;
  std::size_t migrations_open() const;  // source copies in doubt included
  std::size_t vms_died() const;         // with their hosts
  // It cannot be anywhere: it died with its host, or its trace has it start later or end earlier.
  bool is_gone(const VmId& vm) const;
  // More memory is needed here than there is, by what the trace wants and not by what was moved.
  bool is_overfull_by_trace(HostIndex host) const;
  // This host cannot take that VM in, as HostRefuses said.
  bool refuses(HostIndex host, const VmId& vm) const;
  // Index into the trace's VMs; the trace must know it.
  VmIndex index_of(const VmId& vm) const;
  // Migrations of a host under way, from their begin until the VM runs at its target.
  struct Streams {
    std::uint32_t outgoing = 0;
    std::uint32_t incoming = 0;
  };
  Streams streams(HostIndex host) const;
  // Hosts whose copies of VMs may have changed in the last step(): what an auditor must look at
  // again. In the order of the changes; one may be named more than once.
  const std::vector<HostIndex>& touched() const;

  std::size_t vms_shut_down() const;  // by their guests

  // All hosts together: every VM runs exactly once (or stands still at its source in mid-hand-over,
  // or died with its host, or was shut down), and no host holds more memory than it has.
  std::vector<Finding> audit() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ballast::hypermodel
