#include "lease_auditor.h"

#include <algorithm>

namespace ballast::world {

void LeaseAuditor::look(std::uint32_t node, const ledger::Ledger& ledger) {
  if (ledger.leases().empty()) return;
  std::uint64_t newest = seen_[node];
  for (const auto& [id, lease] : ledger.leases()) {
    // Those of others were adopted: facts, not promises.
    if (id.grantor != ledger.grantor() || id.incarnation != ledger.incarnation()) continue;
    if (id.number <= seen_[node]) continue;
    newest = std::max(newest, id.number);
    if (lease.phase == ledger::Phase::promised) judge(ledger, lease);
  }
  seen_[node] = newest;
}

void LeaseAuditor::judge(const ledger::Ledger& ledger, const ledger::Lease& lease) {
  const auto known = ledger.hosts().find(lease.to);
  if (known == ledger.hosts().end()) return;
  const ledger::HostRoom& room = known->second;
  Resources after = room.carried;
  double memory_mib = room.carried.memory_mib;
  for (const auto& [id, other] : ledger.leases()) {
    if (other.to != lease.to) continue;
    memory_mib += other.load.memory_mib;
    for (const Resource r : all_resources)
      after[r] += std::max(0.0, other.load[r] - other.swapped_out[r]);
  }
  // In a swap the first VM has left before the second arrives.
  if (lease.partner) memory_mib -= lease.swapped_out.memory_mib;
  for (const Resource r : all_resources) {
    if (room.capacity[r] == unlimited || lease.load[r] <= lease.swapped_out[r]) continue;
    const double limit = room.capacity[r] * room.limits[r];
    if (after[r] > limit + 2 * load_tolerance * room.capacity[r])
      complain_("lease above room", "VM " + quoted(lease.vm.str()) + " was promised room on " +
                                        quoted(lease.to.str()) + ", which then carries " +
                                        std::to_string(after[r]) + " of " + name_of(r) +
                                        ", its limit is " + std::to_string(limit));
  }
  if (memory_mib > room.capacity.memory_mib * (1 + 2 * load_tolerance))
    complain_("lease above room", "VM " + quoted(lease.vm.str()) + " was promised memory on " +
                                      quoted(lease.to.str()) + ", which then holds " +
                                      std::to_string(memory_mib) + " MiB of " +
                                      std::to_string(room.capacity.memory_mib));
}

}  // namespace ballast::world
