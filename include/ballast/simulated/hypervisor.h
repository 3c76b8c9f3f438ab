// One simulated host as part of a process: a hypervisor for nodes that have none, for the demo and
// for tests. It is `hypermodel` made real: VMs move between processes that meet over loopback TCP,
// migrations take real time (scaled), processes die and connections break, and what is left behind
// is what the model says (hypermodel/host.h): a VM never runs twice.
//
// The conversation of a migration, one line a record, is told in src/simulated/record.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/hypermodel/timing.h"
#include "ballast/model/resources.h"
#include "ballast/model/trace.h"
#include "ballast/port/hypervisor.h"

namespace ballast::simulated {

struct Options {
  HostId host;                         // which of the trace's hosts this is
  std::shared_ptr<const Trace> trace;  // the whole fleet's: loads follow VMs to whoever holds them
  std::optional<Resources> capacity;   // instead of the trace's
  Resources base;                      // load of the host that is not VMs

  double speed = 1;  // seconds of the trace per second
  // Unix time at which the trace began; 0: now.
  double started_unix_s = 0;

  // A copy is this many times faster than the model says.
  double migration_speed = 1;
  hypermodel::Timing
      timing;  // of it: link_mib_s, downtime_limit, perform_max, dirty rate, overcommit

  std::string listen = "127.0.0.1:0";  // loopback only; port 0: any free one
  // Shared by all hosts of the fleet, 1 to 128 bytes: a stranger on the machine does not know it.
  std::string secret;

  // File that holds which VMs are here, written atomically before anything is told that depends on
  // it: a host that is started again with it goes on where it was killed, on the same port where
  // that is free. Empty: VMs die with the process.
  std::string state_file;

  Duration io_timeout = std::chrono::seconds(5);        // silence after which a peer counts as gone
  Duration ask_again = std::chrono::milliseconds(200);  // between questions of a host in doubt
};

// Moments of a migration at which a test may interfere.
enum class Moment : unsigned char {
  source_connected,    // nothing said yet
  source_prepared,     // the target has taken the memory
  source_copied,       // all is copied, the VM still runs here
  source_handed_over,  // the VM stands still, finish is not sent
  source_finish_sent,
  source_heard,    // that the target runs it; the copy is still here
  source_removed,  // and the target does not know
  target_prepared,
  target_asked_to_finish,
  target_started,  // and the source does not know
  target_confirmed,
};
const char* name_of(Moment moment);

enum class Interference : unsigned char {
  error,  // the step fails, in order
  cut,    // the connection breaks
  die,    // as kill -9: all of this host's doings end at that instant
  hold,   // waits until release()
};

class Machine;

class SimulatedHypervisor final : public port::Hypervisor {
 public:
  // Listens, reads the state file where there is one, and starts. Errors: a host that the trace
  // does not name, an address that is not loopback or not free, a state file that cannot be
  // trusted.
  static Result<std::unique_ptr<SimulatedHypervisor>> open(const Options& options);
  // Ends all conversations; migrations before their hand-over are given up.
  ~SimulatedHypervisor() override;

  void submit(const HypervisorCommand& command) override;
  std::vector<HypervisorEvent> take_events() override;
  int event_descriptor() const override;
  std::string migration_uri() const override;  // "sim://127.0.0.1:PORT"

  // For tests and status. Connections dropped because of what was said on them, or by whom.
  std::uint64_t rejected_connections() const;
  std::uint64_t dropped_events() const;
  double memory_used_mib() const;

  // For tests: interfere when that moment is next reached; let go what is held; be cut off from all
  // peers or not; end like a killed process (the object can then only be destroyed).
  void interfere(Moment moment, Interference with);
  bool is_held(Moment moment) const;
  void release();
  void set_reachable(bool reachable);
  void kill();
  bool is_dead() const;

 private:
  explicit SimulatedHypervisor(std::unique_ptr<Machine> machine);
  std::unique_ptr<Machine> machine_;
};

}  // namespace ballast::simulated
