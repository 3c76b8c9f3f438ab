// The host's UUID, asked of libvirt once, when the node starts.
#pragma once

#include <memory>
#include <string>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "connection.h"

namespace ballast::libvirt {

// In libvirt's capabilities, as XML.
Result<std::string> host_uuid_in(const std::string& capabilities);

Result<std::string> host_uuid_from(const std::shared_ptr<Connector>& connector, Duration patience);

}  // namespace ballast::libvirt
