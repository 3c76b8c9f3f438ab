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

}  // namespace ballast::daemon
