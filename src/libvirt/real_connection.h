// The seam on libvirt's C API.
#pragma once

#include <memory>
#include <string>

#include "connection.h"

namespace ballast::libvirt {

std::shared_ptr<Connector> real_connector(const std::string& uri);

}  // namespace ballast::libvirt
