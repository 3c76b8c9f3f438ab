// Which of the VMs that a plan leaves on hosts over their thresholds are worth a request to others.
#pragma once

#include <vector>

#include "ballast/market/seller.h"
#include "ballast/model/snapshot.h"

namespace ballast::node {

// Of the VMs `wanted`, which the plan could not place and `after` still has where they are: those
// that leave a host in maintenance, or take at least `min_gain` off its overload each; the others
// of a host only if what is heard of the sellers' room holds all of them at once, since a few of
// them would bring no host under (plan::Options::min_gain). In their order.
std::vector<VmIndex> worth_asking(const Snapshot& after, const std::vector<VmIndex>& wanted,
                                  const std::vector<market::Seller>& sellers, double min_gain);

}  // namespace ballast::node
