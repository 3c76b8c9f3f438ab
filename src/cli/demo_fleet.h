// The processes of the demo: a folder with keys, trust, configuration and trace, and one node of
// this binary for each host. All of it is gone when the object is, and no node outlives this
// process, however it ends.
#pragma once

#include <sys/types.h>

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
};

class DemoFleet {
 public:
  // Starts the master and waits until it answers, then the slaves.
  static Result<std::unique_ptr<DemoFleet>> start(const FleetOptions& options);
  ~DemoFleet();
  DemoFleet(const DemoFleet&) = delete;
  DemoFleet& operator=(const DemoFleet&) = delete;

  // The master's view, with events above a number; or of any other host, by its index in the trace.
  Result<node::View> watch_master(std::uint64_t events_above) const;
  Result<node::View> view(std::size_t host) const;

  // An error when a node has ended that should not have; with the last line of its log.
  Status check_alive();

 private:
  struct Process {
    pid_t pid = -1;
    std::string folder;
    std::string control;
  };

  DemoFleet() = default;
  Status prepare(const FleetOptions& options);
  Status write_node(const FleetOptions& options, std::size_t host, const std::string& master);
  Status launch(std::size_t host);
  Result<std::string> wait_for_master();
  std::string last_log_line(std::size_t host) const;
  void stop();

  std::string folder_;
  std::vector<Process> processes_;
};

}  // namespace ballast::cli
