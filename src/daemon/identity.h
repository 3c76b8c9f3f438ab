// What a node can find out about itself when the configuration does not say it.
#pragma once

#include <string>

#include "ballast/base/result.h"
#include "ballast/model/config.h"

namespace ballast::daemon {

// The host's UUID from SMBIOS, else the machine id.
Result<NodeId> host_uuid();

// Where others reach this node: `advertise`, else what it is bound to, else (bound to every
// address) the one IPv4 address of this host. `bound` is "tcp://address:port" as the socket got it.
Result<std::string> endpoint_of(const NodeSettings& settings, const std::string& bound);

}  // namespace ballast::daemon
