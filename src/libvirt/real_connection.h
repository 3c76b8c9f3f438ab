// The seam on libvirt's C API.
#pragma once

#include <memory>
#include <string>

#include "connection.h"

namespace ballast::libvirt {

std::shared_ptr<Connector> real_connector(const std::string& uri);
// One that asks and changes nothing. It also asks one by one for what a libvirt or a driver does
// not tell of all domains at once.
std::shared_ptr<Connector> reading_connector(const std::string& uri);

}  // namespace ballast::libvirt
