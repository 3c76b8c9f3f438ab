#include "ballast/model/plausible.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ballast/base/limits.h"

namespace ballast {
namespace {

double largest_of(Resource r) {
  switch (r) {
    case Resource::cpu: return limits::cpu_mhz_max;
    case Resource::memory: return limits::memory_mib_max;
    case Resource::network: return limits::network_mbit_max;
  }
  return 0;
}

bool is_load(const Resources& load) {
  return std::all_of(all_resources.begin(), all_resources.end(), [&](Resource r) {
    return load[r] >= 0 && load[r] <= largest_of(r);  // false for NaN
  });
}

bool is_capacity(const Resources& capacity) {
  return std::all_of(all_resources.begin(), all_resources.end(), [&](Resource r) {
    if (r == Resource::network && capacity[r] == unlimited) return true;
    return capacity[r] > 0 && capacity[r] <= largest_of(r);
  });
}

}  // namespace

std::string_view distrust_of(const Resources& capacity, const Resources& base, double cpu_used_mhz,
                             const Thresholds& thresholds, std::span<const Resources> vm_loads) {
  if (!is_capacity(capacity)) return "its capacity is zero or not a sensible number";
  if (!is_load(base)) return "its base load is not a sensible number";
  if (!(cpu_used_mhz >= 0 && cpu_used_mhz <= limits::cpu_mhz_max))
    return "its CPU use is not a sensible number";
  if (!std::all_of(vm_loads.begin(), vm_loads.end(), is_load))
    return "the load of one of its VMs is not a sensible number";
  const bool idle = std::all_of(vm_loads.begin(), vm_loads.end(),
                                [](const Resources& load) { return load.cpu_mhz == 0; });
  if (!vm_loads.empty() && idle &&
      excess_of(cpu_used_mhz, capacity.cpu_mhz, thresholds.cpu) > load_tolerance)
    return "all its VMs report no CPU use while the host's CPU is busy";
  // Of most of them nothing is known, and what is known does not explain what the host is busy
  // with.
  double told_mhz = 0;
  for (const Resources& load : vm_loads) told_mhz += load.cpu_mhz;
  const auto mute = static_cast<std::size_t>(std::count_if(
      vm_loads.begin(), vm_loads.end(), [](const Resources& load) { return load.cpu_mhz == 0; }));
  const double unexplained_mhz = std::max(base.cpu_mhz, cpu_used_mhz - told_mhz);
  if (2 * mute > vm_loads.size() &&
      excess_of(unexplained_mhz, capacity.cpu_mhz, thresholds.cpu) > load_tolerance)
    return "most of its VMs report no CPU use while the host's CPU is busy without them";
  return {};
}

std::string_view distrust_of(const HostSample& sample, const Thresholds& thresholds) {
  std::vector<Resources> loads;
  loads.reserve(sample.vms.size());
  for (const VmSample& vm : sample.vms) {
    const bool here = vm.presence == Presence::running || vm.presence == Presence::outgoing;
    if (here) {
      loads.push_back(vm.load);
    } else if (!is_load(vm.load)) {
      return "the load of one of its VMs is not a sensible number";
    }
  }
  if (!(sample.memory_free_mib >= 0 && sample.memory_free_mib <= limits::memory_mib_max))
    return "its free memory is not a sensible number";
  return distrust_of(sample.capacity, sample.base, sample.cpu_used_mhz, thresholds, loads);
}

}  // namespace ballast
