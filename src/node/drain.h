// Emptying a host as one plan over its own group and what other groups have room for.
//
// The group alone comes first. Where that leaves a VM without a place, all is planned anew with the
// room of other groups as further hosts, which only VMs of hosts in maintenance may go to: so a
// large VM gets the hole at home that it needs, and a small one goes out. What is planned to go out
// goes through the market. Source: design, sections 3 and 5; issue "drain".
#pragma once

#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"
#include "ballast/plan/planner.h"

namespace ballast::node {

// Room on a host of another group, as its master tells; the host is empty where that is not known.
struct OtherRoom {
  NodeId master;
  HostId host;
  Resources room;
  bool operator==(const OtherRoom&) const = default;
};

// A plan for one's own hosts, and what goes out. Indices are those of the snapshot that was given.
struct DrainPlan {
  Plan plan;
  struct Out {
    VmIndex vm = 0;
    HostIndex from = 0;
    OtherRoom to;
  };
  std::vector<Out> out;
  std::vector<Spare> other_spare;  // left in other groups: `host` counts `others`
};

// True when the plan leaves a VM on a host in maintenance for want of room.
bool lacks_room(const Snapshot& snapshot, const Plan& plan);

// `made` is the plan of the group alone; given back as it is unless it lacks room.
DrainPlan with_others(const Snapshot& snapshot, Plan made, const std::vector<OtherRoom>& others,
                      const plan::Options& options);

// "1200 MHz, 2048 MiB and 10 Mbit/s"; what is 0 is left out, unless all is.
std::string amounts(const Resources& load);

// The figures behind a VM that finds no room: what it needs, and the most that is left anywhere.
std::string figures_of(const Snapshot& snapshot, const DrainPlan& plan,
                       const std::vector<OtherRoom>& others, const Resources& needed);

}  // namespace ballast::node
