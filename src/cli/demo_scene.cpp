#include "demo_scene.h"

#include <algorithm>
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

}  // namespace ballast::cli
