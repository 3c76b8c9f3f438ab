#include "demo_scene.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace ballast::cli {
namespace {

std::vector<float> cut(const std::vector<float>& series, std::size_t first, std::size_t count) {
  if (series.empty()) return {};
  std::vector<float> part;
  for (std::size_t i = first; i < first + count; ++i)
    part.push_back(series[std::min(i, series.size() - 1)]);
  return part;
}

// The VM stands at this share of its host's CPU all day.
void pin(const Trace& trace, TraceVm& vm, double share) {
  vm.size.cpu_mhz = share * trace.hosts[vm.host].capacity.cpu_mhz;
  vm.cpu_percent = {100};
}

// What the VMs of a group need at their common peak, as a share of its CPU; `but` is left out.
double peak_of(const Trace& trace, std::size_t groups, std::size_t group, std::size_t but) {
  const auto counts = [&](std::size_t host) { return host % groups == group && host != but; };
  double capacity = 0;
  for (std::size_t host = 0; host < trace.hosts.size(); ++host)
    if (counts(host)) capacity += trace.hosts[host].capacity.cpu_mhz;
  double peak = 0;
  for (std::size_t i = 0; i < intervals_of(trace); ++i) {
    double load = 0;
    for (const TraceVm& vm : trace.vms) {
      if (counts(vm.host))
        load += load_at(trace, vm, trace.interval * static_cast<Duration::rep>(i)).cpu_mhz;
    }
    peak = std::max(peak, load);
  }
  return capacity > 0 ? peak / capacity : 0;
}

}  // namespace

std::vector<std::vector<VmId>> first_placement(const Trace& trace) {
  std::vector<std::vector<VmId>> placement(trace.hosts.size());
  for (const TraceVm& vm : trace.vms) placement[vm.host].push_back(vm.id);
  return placement;
}

Snapshot snapshot_at(const Trace& trace, const std::vector<std::vector<VmId>>& placement,
                     Duration since_start) {
  Snapshot snapshot;
  for (const TraceHost& from : trace.hosts) {
    Host host;
    host.id = from.id;
    host.capacity = from.capacity;
    host.thresholds = trace.thresholds;
    snapshot.hosts.push_back(std::move(host));
  }
  std::map<VmId, const TraceVm*> known;
  for (const TraceVm& vm : trace.vms) known.emplace(vm.id, &vm);
  for (std::size_t h = 0; h < placement.size(); ++h) {
    for (const VmId& id : placement[h]) {
      const auto found = known.find(id);
      if (found == known.end()) continue;
      Vm vm;
      vm.id = id;
      vm.host = static_cast<HostIndex>(h);
      vm.load = load_at(trace, *found->second, since_start);
      snapshot.vms.push_back(std::move(vm));
    }
  }
  return snapshot;
}

Trace worst_stretch(const Trace& day, Duration length) {
  const std::vector<std::vector<VmId>> placement = first_placement(day);
  const std::size_t intervals = std::max<std::size_t>(1, intervals_of(day));
  std::size_t worst = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < intervals; ++i) {
    const Duration at = day.interval * static_cast<Duration::rep>(i);
    const std::size_t over = overloaded_hosts(snapshot_at(day, placement, at));
    if (over > most) {
      most = over;
      worst = i;
    }
  }
  const auto count = static_cast<std::size_t>(std::max<Duration::rep>(1, length / day.interval));
  Trace stretch = day;
  for (TraceVm& vm : stretch.vms) {
    vm.cpu_percent = cut(vm.cpu_percent, worst, count);
    vm.memory_mib = cut(vm.memory_mib, worst, count);
  }
  return stretch;
}

void make_groups_need_each_other(Trace& trace, std::size_t groups) {
  constexpr double first_group_at = 0.9;  // share of a group's CPU, of what is not pinned
  constexpr double other_groups_at = 0.22;
  constexpr double large[] = {0.49, 0.47};  // shares of a host's CPU
  constexpr double beside_large = 0.005;
  constexpr double exchangeable = 0.24;
  if (groups == 0) return;
  const std::size_t crowded = groups;  // the first host that leads no group
  for (std::size_t group = 0; group < groups; ++group) {
    const double peak = peak_of(trace, groups, group, crowded);
    const double goal = group == 0 ? first_group_at : other_groups_at;
    for (TraceVm& vm : trace.vms)
      if (vm.host % groups == group && peak > 0) vm.size.cpu_mhz *= goal / peak;
  }
  std::vector<std::size_t> seen(trace.hosts.size());
  for (TraceVm& vm : trace.vms) {
    const std::size_t number = seen[vm.host]++;
    if (vm.host == crowded)
      pin(trace, vm, number < std::size(large) ? large[number] : beside_large);
    else if (vm.host % groups != 0 && number == 0)
      pin(trace, vm, exchangeable);
  }
}

}  // namespace ballast::cli
