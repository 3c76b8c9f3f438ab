#include "lease_auditor.h"

#include <algorithm>

namespace ballast::world {

void LeaseAuditor::look(std::uint32_t node, const ledger::Ledger& ledger) {
  if (ledger.leases().empty()) return;
  std::uint64_t newest = seen_[node];
  std::vector<const ledger::Lease*> fresh;
  for (const auto& [id, lease] : ledger.leases()) {
    // Those of others were adopted: facts, not promises.
    if (id.grantor != ledger.grantor() || id.incarnation != ledger.incarnation()) continue;
    if (id.number <= seen_[node]) continue;
    newest = std::max(newest, id.number);
    fresh.push_back(&lease);
  }
  if (fresh.empty()) return;
  settle_suspicion(node, ledger, newest);
  for (const ledger::Lease* lease : fresh) {
    if (lease->phase == ledger::Phase::promised) judge(node, ledger, *lease, newest);
  }
  seen_[node] = newest;
}

// A swap of which one half was given up in the same step has lost its credit since: the other half
// goes on alone, and may bring its host over its limits, though never over its memory. The half
// that is gone has the number before or after. Whether there ever was one after shows when the next
// lease is given: numbers have no gaps but for those that are gone already.
bool LeaseAuditor::half_is_gone(std::uint32_t node, const ledger::Ledger& ledger,
                                const ledger::Lease& lease, std::uint64_t newest) const {
  LeaseId before = lease.id;
  --before.number;
  if (before.number > seen_[node] && ledger.find(before) == nullptr) return true;
  LeaseId after = lease.id;
  ++after.number;
  return after.number <= newest && ledger.find(after) == nullptr;
}

void LeaseAuditor::settle_suspicion(std::uint32_t node, const ledger::Ledger& ledger,
                                    std::uint64_t newest) {
  const auto suspect = suspects_.find(node);
  if (suspect == suspects_.end()) return;
  const LeaseId after{ledger.grantor(), ledger.incarnation(), seen_[node] + 1};
  if (ledger.find(after) != nullptr || newest == seen_[node] + 1)
    complain_("lease above room", suspect->second);
  suspects_.erase(suspect);
}

void LeaseAuditor::judge(std::uint32_t node, const ledger::Ledger& ledger,
                         const ledger::Lease& lease, std::uint64_t newest) {
  const auto known = ledger.hosts().find(lease.to);
  if (known == ledger.hosts().end() || spared_.contains(lease.to)) return;
  const ledger::HostRoom& room = known->second;
  // The master's own reports come without a network: one as a mean and one as seen may both be
  // taken in the step of the promise, before it and after it. There only what is promised is
  // judged.
  Resources after = lease.to == ledger.grantor() ? Resources{} : room.carried;
  double memory_mib = room.carried.memory_mib;
  for (const auto& [id, other] : ledger.leases()) {
    if (other.to != lease.to) continue;
    memory_mib += other.load.memory_mib;
    if (other.leaves_first) memory_mib -= other.swapped_out.memory_mib;
    for (const Resource r : all_resources)
      after[r] += std::max(0.0, other.load[r] - other.swapped_out[r]);
  }
  // In a swap the first VM has left before the second arrives.
  if (lease.partner) memory_mib -= lease.swapped_out.memory_mib;
  for (const Resource r : all_resources) {
    if (room.capacity[r] == unlimited || lease.load[r] <= lease.swapped_out[r]) continue;
    const double limit = room.capacity[r] * room.limits[r];
    if (after[r] <= limit + 2 * load_tolerance * room.capacity[r]) continue;
    if (half_is_gone(node, ledger, lease, newest)) break;
    const std::string what = "VM " + quoted(lease.vm.str()) + " was promised room on " +
                             quoted(lease.to.str()) + ", which then carries " +
                             std::to_string(after[r]) + " of " + name_of(r) + ", its limit is " +
                             std::to_string(limit);
    if (lease.id.number == newest) {
      suspects_[node] = what;
    } else {
      complain_("lease above room", what);
    }
    break;
  }
  if (memory_mib > room.capacity.memory_mib * (1 + 2 * load_tolerance))
    complain_("lease above room", "VM " + quoted(lease.vm.str()) + " was promised memory on " +
                                      quoted(lease.to.str()) + ", which then holds " +
                                      std::to_string(memory_mib) + " MiB of " +
                                      std::to_string(room.capacity.memory_mib));
}

}  // namespace ballast::world
