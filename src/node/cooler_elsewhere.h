// Which VMs of a plan had better ask other groups first: those that the plan would put on a host of
// their own group that gets hot by it, while another group tells of much more room on a host. A
// group that is fuller than the others would move VMs between hot hosts again and again otherwise.
#pragma once

#include <set>
#include <vector>

#include "ballast/market/seller.h"
#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::node {

struct Elsewhere {
  VmIndex vm = 0;
  double heat_max = 0;  // at most so hot a host is worth it
};

// `limits`: of each host of the snapshot (MHz, MiB, Mbit/s), which counts for heat, whatever the
// snapshot's thresholds aim at. `at_home`: these stay in their group. Only for plans of one step:
// what is moved to make room must come about as planned.
std::vector<Elsewhere> cooler_elsewhere(const Snapshot& snapshot, const Plan& plan,
                                        const std::vector<Resources>& limits,
                                        const std::vector<market::Seller>& sellers,
                                        const std::set<VmId>& at_home);

}  // namespace ballast::node
