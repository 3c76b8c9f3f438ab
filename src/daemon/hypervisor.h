// The hypervisor that the configuration names.
#pragma once

#include <memory>

#include "ballast/base/result.h"
#include "ballast/model/config.h"
#include "ballast/port/hypervisor.h"

namespace ballast::daemon {

// For `simulated`: reads the trace, and the file `secret` in its folder where there is one; what
// the host holds is kept in state_dir over restarts.
Result<std::unique_ptr<port::Hypervisor>> open_hypervisor(const Config& config);

// Who this node is where the configuration does not say: with libvirt the host's UUID as libvirtd
// tells it, else as the host itself does. An error where libvirtd does not answer: another id at
// another start would be another node.
Result<NodeId> own_id(const Config& config);

}  // namespace ballast::daemon
