// Whose fault it is that libvirt could not migrate.
#pragma once

#include <string_view>

#include "ballast/model/hypervisor.h"

namespace ballast::libvirt {

// `code` is libvirt's virErrorNumber, `text` its message. What is not known to meet every VM
// between the two hosts is this VM's at that target: wrongly blaming the pair would hold up all
// others.
FaultOf fault_of(int code, std::string_view text);

}  // namespace ballast::libvirt
