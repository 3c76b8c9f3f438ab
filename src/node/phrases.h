// What people read of hosts, plans and other masters: in words, never the names that the code has.
#pragma once

#include <cstddef>
#include <string>

#include "ballast/model/plan.h"
#include "ballast/model/resources.h"
#include "ballast/node/view.h"
#include "ballast/wire/messages.h"

namespace ballast::node {

// "drained", "draining: 3 VMs left"
std::string drain_state(std::size_t vms);
// Why a VM with a place in its own group is not moved there.
inline constexpr const char* asks_for_cooler = "a cooler host is asked for in other groups";
// Of a host that is over: such overloads passed within that, half of the times.
std::string waited_for_in_words(Duration passes_in);
// "over", and whether that is the host's own doing.
std::string over_in_words(const Resources& base, const wire::HostFacts& facts);
// "3 VMs left"
std::string counted_left(std::size_t vms);
// "lost: not heard of for 12 min, 2 VMs were there: ..."; by its age and lost_vms.
std::string lost_in_words(const HostView& host);

std::string reason_of(SurplusReason reason);
std::string refusal_in_words(wire::RefusalReason reason);
std::string conflict_in_words(wire::Conflict conflict);
// "unknown" is what it is not to people: "in a state that its hypervisor does not tell".
std::string presence_in_words(Presence presence);

}  // namespace ballast::node
