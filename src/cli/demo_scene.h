// What the demo plays: a stretch of a day that begins where most hosts are overloaded, and the
// truth about it at any moment, worked out from where the VMs are.
#pragma once

#include <cstddef>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/model/snapshot.h"
#include "ballast/model/trace.h"

namespace ballast::cli {

// `length` of the trace from the interval in which, with nothing moved, the most hosts are over a
// threshold. After it the loads stay as they are, so that a fleet can come to rest.
Trace worst_stretch(const Trace& day, Duration length);

// Hosts and VMs at that time; `placement[h]` lists the VMs that run on host h of the trace. VMs
// that the trace does not know are left out.
Snapshot snapshot_at(const Trace& trace, const std::vector<std::vector<VmId>>& placement,
                     Duration since_start);

// Where the trace places its VMs at the start.
std::vector<std::vector<VmId>> first_placement(const Trace& trace);

// Host h belongs to group h % groups. The first group gets more than it can carry at its peak, the
// others less: room must be asked for. And one of its hosts gets two VMs so large that no host of
// any group has room for either: only an exchange for a smaller one helps, and every host of the
// other groups has one that would do.
void make_groups_need_each_other(Trace& trace, std::size_t groups);

}  // namespace ballast::cli
