// The proof, by sums alone, for any host h over a threshold, in one resource:
//  - what could leave h besides one affinity group is less than its excess, so the group must go;
//  - between steps every host is at or under its ceiling (its limit, or its load at the start where
//    that is above it). So the room outside h is never more than all ceilings together less all
//    loads, for h itself is at most at its ceiling. The group needs all its load as room on one
//    other host while it still is on h. If that is more than there ever is, it never leaves.
#include "plan/unreachable.h"

#include <algorithm>
#include <vector>

namespace ballast::test {
namespace {

// What the group weighs, and what else could leave its host.
struct Weights {
  double group = 0;
  double others = 0;
};

Weights weigh(const Snapshot& snapshot, const std::vector<VmIndex>& group, Resource r) {
  Weights weights;
  const HostIndex home = snapshot.vms[group.front()].host;
  for (VmIndex v = 0; v < snapshot.vms.size(); ++v) {
    const Vm& vm = snapshot.vms[v];
    if (vm.host != home) continue;
    if (std::find(group.begin(), group.end(), v) != group.end()) {
      weights.group += vm.load[r];
    } else if (vm.movable) {
      weights.others += vm.load[r];
    }
  }
  return weights;
}

bool share_a_host(const Snapshot& snapshot, const Rule& rule) {
  return std::all_of(rule.vms.begin(), rule.vms.end(), [&](VmIndex v) {
    return snapshot.vms[v].host == snapshot.vms[rule.vms.front()].host;
  });
}

}  // namespace

std::optional<std::string> proof_that_overload_remains(const Snapshot& snapshot) {
  const std::vector<Resources> loads = loads_of(snapshot);
  for (const Resource r : all_resources) {
    double room = 0;
    for (HostIndex h = 0; h < snapshot.hosts.size(); ++h) {
      const Host& host = snapshot.hosts[h];
      room += std::max(host.capacity[r] * host.thresholds[r] - loads[h][r], 0.0);
    }
    for (const Rule& rule : snapshot.rules) {
      if (rule.type != RuleType::affinity || rule.vms.size() < 2) continue;
      if (!share_a_host(snapshot, rule)) continue;
      const HostIndex home = snapshot.vms[rule.vms.front()].host;
      const Host& host = snapshot.hosts[home];
      const double excess = loads[home][r] - host.capacity[r] * host.thresholds[r];
      const Weights weights = weigh(snapshot, rule.vms, r);
      if (weights.others < excess && weights.group > room)
        return host.id.str() + " is over by " + std::to_string(excess) +
               ", and all but one affinity group there could take away only " +
               std::to_string(weights.others) + "; the group needs " +
               std::to_string(weights.group) + " on another host, and all hosts together have " +
               std::to_string(room);
    }
  }
  return std::nullopt;
}

}  // namespace ballast::test
