// The processes of the demo: a folder with keys, trust, configuration and trace, and one node of
// this binary for each host. All of it is gone when the object is, and no node outlives this
// process, however it ends.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/model/trace.h"
#include "ballast/node/view.h"

namespace ballast::cli {

struct FleetOptions {
  Trace trace;
  double speed = 300;  // seconds of the trace per second
  double started_unix_s = 0;
  std::size_t masters = 1;  // the first hosts of the trace; the others are dealt to them in turn
  // Asked again and again while the nodes start: true ends that at once.
  std::function<bool()> interrupted = [] { return false; };
};

class DemoFleet {
 public:
  // Starts the masters and waits until they answer, then the slaves. Null when interrupted: then
  // what had been started is gone.
  static Result<std::unique_ptr<DemoFleet>> start(const FleetOptions& options);
  ~DemoFleet();
  DemoFleet(const DemoFleet&) = delete;
  DemoFleet& operator=(const DemoFleet&) = delete;

  std::size_t masters() const { return masters_; }
  // A master's view, with events above a number; or of any host, by its index in the trace.
  Result<node::View> watch_master(std::size_t master, std::uint64_t events_above) const;
  Result<node::View> view(std::size_t host) const;

  // Tells all masters to begin nothing new; one of them hears it from here.
  Status pause();

  // An error when a node has ended that should not have; with the last line of its log.
  Status check_alive();

  // With SIGKILL; it may be launched again.
  void kill(std::size_t host);
  Status launch(std::size_t host);
  bool runs(std::size_t host) const { return processes_[host].pid > 0; }

 private:
  struct Process {
    pid_t pid = -1;
    std::string folder;
    std::string control;
  };

  DemoFleet() = default;
  Status bring_up(const FleetOptions& options);
  Status prepare(const FleetOptions& options);
  Status choose_beacons();
  Status write_node(const FleetOptions& options, std::size_t host, const std::string& master);
  Result<std::string> wait_for_master(const FleetOptions& options, std::size_t master);
  std::string last_log_line(std::size_t host) const;
  void stop();

  std::string folder_;
  std::vector<Process> processes_;
  std::size_t masters_ = 1;
  std::vector<std::string> beacons_;  // of the masters: where they hear calls
};

}  // namespace ballast::cli
