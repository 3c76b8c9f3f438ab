// The auditor counts copies anew, host by host, and trusts nothing that the model noted of itself
// but which VMs died with their hosts.
#include <map>

#include "ballast/model/resources.h"
#include "fleet_state.h"

namespace ballast::hypermodel {
namespace {

struct Count {
  std::size_t running = 0;
  std::size_t standing = 0;
  std::string where;
};

}  // namespace

const char* name_of(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::runs_twice: return "runs twice";
    case Finding::Kind::lost: return "lost";
    case Finding::Kind::memory_over_capacity: return "memory over capacity";
  }
  return "?";
}

std::vector<Finding> Fleet::audit() const {
  const State& s = *state_;
  const std::vector<TraceHost>& names = s.loads.trace().hosts;
  std::vector<Finding> findings;
  std::map<VmId, Count> counts;
  for (const TraceVm& vm : s.loads.trace().vms) counts.emplace(vm.id, Count{});
  for (HostIndex h = 0; h < s.hosts.size(); ++h) {
    const HostModel& host = s.hosts[h].model;
    double memory_mib = 0;
    for (const auto& [vm, copy] : host.copies()) {
      memory_mib += copy.memory_mib;
      if (copy.state == CopyState::incoming) continue;
      Count& count = counts[vm];
      ++(runs(copy.state) ? count.running : count.standing);
      count.where += " " + quoted(names[h].id.str()) + " (" + name_of(copy.state) + ")";
    }
    const double capacity_mib = host.capacity().memory_mib;
    if (!s.hosts[h].overfull_by_trace && memory_mib > capacity_mib * (1 + load_tolerance))
      findings.push_back(
          {Finding::Kind::memory_over_capacity, "host " + quoted(names[h].id.str()) + " holds " +
                                                    std::to_string(memory_mib) + " MiB of " +
                                                    std::to_string(capacity_mib)});
  }
  for (const auto& [vm, count] : counts) {
    if (count.running > 1 || count.standing > 1)
      findings.push_back(
          {Finding::Kind::runs_twice, "VM " + quoted(vm.str()) + " on" + count.where});
    if (count.running + count.standing == 0 && !is_gone(vm) && !s.shut_down.contains(vm))
      findings.push_back({Finding::Kind::lost, "VM " + quoted(vm.str()) + " is nowhere"});
  }
  return findings;
}

}  // namespace ballast::hypermodel
