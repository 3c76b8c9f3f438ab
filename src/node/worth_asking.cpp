#include "worth_asking.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace ballast::node {
namespace {

double gain_of(const Host& host, const Resources& load, const Resources& leaving) {
  return overload_of(load, host.capacity, host.thresholds) -
         overload_of(load - leaving, host.capacity, host.thresholds);
}

// Each where it leaves the least, the largest first.
bool hold_all(std::vector<Resources> holes, std::vector<Resources> loads) {
  std::sort(loads.begin(), loads.end(), [](const Resources& a, const Resources& b) {
    return a.memory_mib != b.memory_mib ? a.memory_mib > b.memory_mib : a.cpu_mhz > b.cpu_mhz;
  });
  return std::all_of(loads.begin(), loads.end(), [&](const Resources& load) {
    Resources* best = nullptr;
    for (Resources& hole : holes)
      if (market::fits(hole, load) && (best == nullptr || hole.cpu_mhz < best->cpu_mhz))
        best = &hole;
    if (best != nullptr) *best -= load;
    return best != nullptr;
  });
}

}  // namespace

std::vector<VmIndex> worth_asking(const Snapshot& after, const std::vector<VmIndex>& wanted,
                                  const std::vector<market::Seller>& sellers, double min_gain) {
  const std::vector<Resources> loads = loads_of(after);
  std::map<HostIndex, std::vector<Resources>> trifles;
  const auto is_trifle = [&](VmIndex v) {
    const Vm& vm = after.vms[v];
    const Host& host = after.hosts[vm.host];
    return !host.maintenance && gain_of(host, loads[vm.host], vm.load) < min_gain;
  };
  for (const VmIndex v : wanted)
    if (is_trifle(v)) trifles[after.vms[v].host].push_back(after.vms[v].load);
  std::vector<Resources> holes;
  for (const market::Seller& seller : sellers)
    holes.insert(holes.end(), seller.holes.begin(), seller.holes.end());
  std::map<HostIndex, bool> all_fit;
  for (const auto& [host, vms] : trifles) all_fit[host] = hold_all(holes, vms);
  std::vector<VmIndex> worth;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(worth),
               [&](VmIndex v) { return !is_trifle(v) || all_fit.at(after.vms[v].host); });
  return worth;
}

}  // namespace ballast::node
