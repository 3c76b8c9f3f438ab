// Who a node is where nobody has said it.
#pragma once

#include "ballast/base/result.h"
#include "ballast/model/config.h"

namespace ballast::daemon {

// Who this node is where the configuration does not say: with libvirt the host's UUID as libvirtd
// tells it, else as the host itself does. An error where libvirtd does not answer: another id at
// another start would be another node.
Result<NodeId> own_id(const Config& config);

}  // namespace ballast::daemon
