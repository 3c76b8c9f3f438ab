// How a host stands, in words for people.
#pragma once

#include <cstddef>
#include <string>

#include "ballast/model/resources.h"
#include "ballast/node/view.h"
#include "ballast/wire/messages.h"

namespace ballast::node {

// "drained", "draining: 3 VMs left"
std::string drain_state(std::size_t vms);
// "over", and whether that is the host's own doing.
std::string over_in_words(const Resources& base, const wire::HostFacts& facts);
// "3 VMs left"
std::string counted_left(std::size_t vms);
// "lost: not heard of for 12 min, 2 VMs were there: ..."; by its age and lost_vms.
std::string lost_in_words(const HostView& host);

}  // namespace ballast::node
