// From the group as it is to the snapshot that is planned: where what the planner need not know
// (dwell, target, cooldown, leases in flight) is put into thresholds and immovable VMs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "ballast/model/config.h"
#include "ballast/model/snapshot.h"
#include "failures.h"
#include "group.h"

namespace ballast::node {

struct Picture {
  Snapshot snapshot;
  // Why a VM stays where it is although the hypervisor would let it go: "rests for 12 min", ...
  std::map<VmId, std::string> held;
  // That two hosts report as running: the one that said so first, and one that did later. Until
  // both have reported again it is held; then the word of the first counts.
  std::map<VmId, std::pair<HostId, HostId>> doubled;
};

// `failures` (nullptr: none counts) says what is not tried now since it failed. `not_to` names
// hosts that a VM does not come back to now. `leaving` go to other groups: they count as gone, but
// for their memory.
Picture picture_of(TimePoint now, const Config& config, const Group& group,
                   const ledger::Ledger& ledger, const Failures* failures,
                   const std::set<VmId>& leaving,
                   const std::map<VmId, std::vector<HostId>>& not_to);

}  // namespace ballast::node
