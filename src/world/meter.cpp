#include "meter.h"

#include <algorithm>

namespace ballast::world {
namespace {
constexpr Duration return_within = std::chrono::hours(2);
}

Meter::Meter(std::shared_ptr<const Trace> trace)
    : trace_(std::move(trace)),
      loads_(trace_->hosts.size()),
      vm_loads_(trace_->vms.size()),
      counted_until_(trace_->hosts.size(), Duration(0)),
      left_(trace_->vms.size()),
      over_(trace_->hosts.size(), Duration(0)) {
  for (const TraceVm& vm : trace_->vms) host_of_.push_back(vm.host);
  interval(Duration(0));
}

void Meter::count(Duration at, HostIndex host) {
  const Duration span = at - counted_until_[host];
  const double span_s = seconds_of(span);
  counted_until_[host] = at;
  if (span_s <= 0) return;
  const Resources& capacity = trace_->hosts[host].capacity;
  const Resources& load = loads_[host];
  host_s_ += span_s;
  if (is_overloaded(load, capacity, trace_->thresholds)) {
    over_s_ += span_s;
    over_[host] += span;
  }
  const double missing = load.cpu_mhz - capacity.cpu_mhz;
  if (missing > load_tolerance * capacity.cpu_mhz) saturated_s_ += span_s;
  not_served_ += std::max(0.0, missing) * span_s;
  demand_ += load.cpu_mhz * span_s;
  capacity_ += capacity.cpu_mhz * span_s;
  utilisation_max_ = std::max(utilisation_max_, load.cpu_mhz / capacity.cpu_mhz);
}

void Meter::moved(Duration at, VmIndex vm, HostIndex from, HostIndex to) {
  count(at, from);
  count(at, to);
  loads_[from] -= vm_loads_[vm];
  loads_[to] += vm_loads_[vm];
  host_of_[vm] = to;
  moved_mib_ += vm_loads_[vm].memory_mib;
  auto& left = left_[vm];
  std::erase_if(left, [&](const auto& known) { return at - known.second > return_within; });
  const bool back =
      std::any_of(left.begin(), left.end(), [&](const auto& known) { return known.first == to; });
  if (back) ++returns_;
  left.emplace_back(from, at);
}

void Meter::interval(Duration at) {
  close(at);
  const std::size_t now = interval_of(*trace_, at);
  for (HostIndex host = 0; host < loads_.size(); ++host)
    loads_[host] = base_in(trace_->hosts[host], now);
  for (VmIndex vm = 0; vm < vm_loads_.size(); ++vm) {
    vm_loads_[vm] = load_in(trace_->vms[vm], now);
    loads_[host_of_[vm]] += vm_loads_[vm];
  }
}

void Meter::close(Duration at) {
  for (HostIndex host = 0; host < loads_.size(); ++host) count(at, host);
}

}  // namespace ballast::world
