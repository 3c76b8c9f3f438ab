// Which VMs a simulated host holds, in a file that survives its process. Text: a head line
// "ballast-simulated/1 HOST PORT", a line "VM STATE MIB UNCONFIRMED PEER TOKEN" for each copy, and
// "end COUNT", so that a file that was cut short is seen.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "ballast/base/result.h"
#include "ballast/hypermodel/host.h"

namespace ballast::simulated {

struct HostState {
  HostId host;
  int port = 0;
  // Running ones, and those that stand still in doubt. What was incoming is not kept: it never ran.
  std::map<VmId, hypermodel::Copy> copies;
};

// Nothing where there is no file; an error, with file and line, where it cannot be trusted.
Result<std::optional<HostState>> load_state(const std::string& path);

// Replaces the file in one step: a reader finds the old one or the new one, whole.
Status save_state(const std::string& path, const HostState& state);

}  // namespace ballast::simulated
