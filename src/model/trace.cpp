#include "ballast/model/trace.h"

#include <algorithm>

#include "ballast/base/assert.h"

namespace ballast {
namespace {

double value_at(const std::vector<float>& series, std::size_t interval, double otherwise) {
  if (series.empty()) return otherwise;
  return static_cast<double>(series[std::min(interval, series.size() - 1)]);
}

}  // namespace

std::size_t intervals_of(const Trace& trace) {
  std::size_t longest = 0;
  for (const TraceVm& vm : trace.vms)
    longest = std::max({longest, vm.begins + vm.cpu_percent.size(),
                        vm.begins + vm.memory_mib.size(), vm.begins + vm.network_mbit.size()});
  for (const TraceHost& host : trace.hosts) longest = std::max(longest, host.base.size());
  return longest;
}

std::size_t interval_of(const Trace& trace, Duration since_start) {
  BALLAST_ASSERT(trace.interval > Duration(0), "a trace whose intervals have no length");
  return static_cast<std::size_t>(std::max<Duration::rep>(0, since_start / trace.interval));
}

Resources load_at(const Trace& trace, const TraceVm& vm, Duration since_start) {
  return load_in(vm, interval_of(trace, since_start));
}

Resources load_in(const TraceVm& vm, std::size_t interval) {
  if (!is_there(vm, interval)) return {};
  const std::size_t n = interval - vm.begins;
  Resources load = vm.size;
  load.cpu_mhz = vm.size.cpu_mhz * value_at(vm.cpu_percent, n, 0.0) / 100.0;
  load.memory_mib = value_at(vm.memory_mib, n, vm.size.memory_mib);
  load.network_mbit = value_at(vm.network_mbit, n, vm.size.network_mbit);
  return load;
}

Resources base_in(const TraceHost& host, std::size_t interval) {
  if (host.base.empty()) return {};
  return host.base[std::min(interval, host.base.size() - 1)];
}

}  // namespace ballast
