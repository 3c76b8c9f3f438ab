// The promises about VMs, looked after host by host as they change: each VM runs exactly once (or
// stands still at its source in mid-hand-over, or died with its host), and no host holds more
// memory than it has. Counts for itself and trusts nothing that the model noted but which VMs died.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ballast/hypermodel/fleet.h"
#include "ballast/model/trace.h"

namespace ballast::world {

class VmAuditor {
 public:
  using Complain = std::function<void(const std::string& auditor, const std::string& detail)>;
  using Moved = std::function<void(VmIndex vm, HostIndex from, HostIndex to)>;

  VmAuditor(const hypermodel::Fleet& fleet, const Trace& trace, Complain complain, Moved moved);

  // These hosts may have changed, all in one step.
  void look(const std::vector<HostIndex>& touched);

  // What it has promised of its memory is its own affair from now on: its node lies.
  void spare(HostIndex host) { spared_[host] = true; }

  static constexpr HostIndex nowhere = UINT32_MAX;
  // Where a VM runs, or ran last while it stands still.
  HostIndex host_of(VmIndex vm) const { return runs_on_[vm]; }

 private:
  struct Held {
    VmIndex vm;
    bool runs;
  };
  void scan(HostIndex host);
  void judge(VmIndex vm);

  const hypermodel::Fleet& fleet_;
  const Trace& trace_;
  Complain complain_;
  Moved moved_;
  std::vector<std::vector<Held>> held_;  // of each host, as last seen
  std::vector<std::uint8_t> running_;    // of each VM: copies
  std::vector<std::uint8_t> standing_;
  std::vector<HostIndex> runs_on_;
  std::vector<bool> accused_;  // said once of each VM
  std::vector<bool> spared_;
  std::vector<VmIndex> affected_;
};

}  // namespace ballast::world
