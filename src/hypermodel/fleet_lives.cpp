// VMs that come and go, as the trace has them.
#include <algorithm>
#include <chrono>
#include <string>

#include "fleet_state.h"

namespace ballast::hypermodel {
namespace {
// One that stands still in mid-migration cannot be shut down, and is asked again.
constexpr Duration ask_again = std::chrono::seconds(1);
}  // namespace

TimePoint Fleet::State::begin_of(std::size_t interval) const {
  return started + loads.trace().interval * static_cast<Duration::rep>(interval);
}

// Places who is there from the start, and notes when the others come, and who goes.
void Fleet::State::await_lives() {
  const std::vector<TraceVm>& vms = loads.trace().vms;
  for (VmIndex vm = 0; vm < vms.size(); ++vm) {
    if (!vms[vm].memory_mib.empty()) loads_vary = true;
    if (vms[vm].begins == 0) {
      start_vm(vm);
    } else {
      absent.insert(vms[vm].id);
      lives.emplace(begin_of(vms[vm].begins), vm);
    }
  }
}

void Fleet::State::live(VmIndex vm) {
  const VmId& id = loads.trace().vms[vm].id;
  if (absent.contains(id)) {
    start_vm(vm);
  } else {
    end_vm(vm);
  }
}

void Fleet::State::start_vm(VmIndex vm) {
  const TraceVm& starts = loads.trace().vms[vm];
  if (starts.ends != SIZE_MAX) lives.emplace(begin_of(starts.ends), vm);
  absent.erase(starts.id);
  HostState& host = hosts.at(starts.host);
  if (!host.up) {
    died.insert(starts.id);
    return;
  }
  const Resources load = load_in(starts, starts.begins);
  host.model.place(starts.id, {CopyState::running, load.memory_mib, false, {}, {}});
  if (host.model.memory_used_mib() > host.model.capacity().memory_mib)
    host.overfull_by_trace = true;
  touched.push_back(starts.host);
}

void Fleet::State::end_vm(VmIndex vm) {
  const VmId& id = loads.trace().vms[vm].id;
  const std::size_t before = shut_down.size();
  guest_shuts_down(id);
  if (shut_down.size() != before || died.contains(id) || !running_at(id)) {
    absent.insert(id);
  } else {
    lives.emplace(now + ask_again, vm);
  }
}

// The host's own use, and whether it is full by what the trace wants: its VMs have grown, or others
// were started beside them.
void Fleet::State::follow_trace(HostIndex host) {
  HostState& here = hosts[host];
  const std::size_t interval = loads.interval_at(now - started);
  const double capacity = here.model.capacity().memory_mib;
  const bool was_full = here.model.memory_used_mib() > capacity;
  here.model.set_base(base_in(loads.trace().hosts[host], interval));
  here.model.follow(loads, interval);
  const bool is_full = here.model.memory_used_mib() > capacity;
  if (is_full && !was_full) here.overfull_by_trace = true;
  if (!is_full) here.overfull_by_trace = false;
}

}  // namespace ballast::hypermodel
