#include "cooler_elsewhere.h"

#include <algorithm>

#include "ballast/base/assert.h"
#include "ballast/base/limits.h"
#include "ballast/model/heat.h"

namespace ballast::node {
namespace {

// Up to this heat a host is as good a target as any: what arrives there will hardly have to leave.
constexpr double at_ease = 0.7;
// So much cooler a host elsewhere has to be: its figures may be a report interval old.
constexpr double worth = 0.07;

Resources* roomiest(std::vector<market::Seller>& sellers, const Resources& load) {
  Resources* best = nullptr;
  for (market::Seller& seller : sellers)
    for (Resources& hole : seller.holes)
      if (market::fits(hole, load) && (best == nullptr || hole.cpu_mhz > best->cpu_mhz))
        best = &hole;
  return best;
}

}  // namespace

std::vector<Elsewhere> cooler_elsewhere(const Snapshot& snapshot, const Plan& plan,
                                        const std::vector<Resources>& limits,
                                        const std::vector<market::Seller>& sellers,
                                        const std::set<VmId>& at_home) {
  BALLAST_ASSERT(limits.size() == snapshot.hosts.size(), "a limit for each host");
  const bool one_step =
      std::all_of(plan.migrations.begin(), plan.migrations.end(),
                  [](const Migration& one) { return one.step <= 1 && !one.swap; });
  if (!one_step || sellers.empty()) return {};
  const Snapshot after = applied(snapshot, plan);
  std::vector<Resources> loads = loads_of(after);
  std::vector<Resources> variances(loads.size());
  for (const Vm& vm : after.vms) variances[vm.host] += squared(vm.swing);
  const auto heat = [&](HostIndex h) { return heat_of(loads[h], variances[h], limits[h]); };
  std::vector<market::Seller> rooms = sellers;
  std::vector<Elsewhere> found;
  for (const Migration& one : plan.migrations) {
    const Vm& vm = snapshot.vms[one.vm];
    const double hot = heat(one.to);
    if (snapshot.hosts[one.from].maintenance || hot <= at_ease || at_home.contains(vm.id)) continue;
    Resources* room = roomiest(rooms, vm.load);
    const double left = limits[one.to].cpu_mhz - loads[one.to].cpu_mhz;
    const double gained = worth * limits[one.to].cpu_mhz;
    if (room == nullptr || room->cpu_mhz - vm.load.cpu_mhz < left + gained) continue;
    *room -= vm.load;
    loads[one.to] -= vm.load;
    variances[one.to] -= squared(vm.swing);
    found.push_back({one.vm, std::min(hot - worth, limits::heat_max)});  // a swing may be a lie
  }
  return found;
}

}  // namespace ballast::node
