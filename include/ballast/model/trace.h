// Recorded loads of a fleet: what `ballast replay` and the simulated hypervisor run on. Source:
// design, section 8, the folder TRACE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/resources.h"

namespace ballast {

struct TraceHost {
  HostId id;
  Resources capacity;
  std::string group;
  // What runs there beside its VMs, per interval; empty: nothing. After its end the last one holds.
  std::vector<Resources> base{};
};

struct TraceVm {
  VmId id;
  std::uint32_t host = 0;  // index into Trace::hosts, where it is at the start
  Resources size;          // cpu: what 100 % means; memory and network: its load
  // Per interval, from `begins` on; a load is constant within one. Missing memory, network:
  // that of `size` throughout.
  std::vector<float> cpu_percent;
  std::vector<float> memory_mib;
  std::vector<float> network_mbit{};
  // It starts with the first of these intervals, and is gone from the second on.
  std::size_t begins = 0;
  std::size_t ends = SIZE_MAX;
  std::string stays{};  // why it cannot move; empty: it can
};

struct Trace {
  Duration interval = std::chrono::seconds(300);
  Thresholds thresholds;
  std::vector<TraceHost> hosts;
  std::vector<TraceVm> vms;
  // What a recording met and a trace cannot hold; each VM starts where it was first seen.
  std::uint64_t moves_by_others = 0;
  // Intervals of a host that did not answer (its last figures stand for them), and times during
  // which nothing was recorded (they are left out).
  std::uint64_t silent_intervals = 0;
  std::uint64_t breaks = 0;
};

// Number of intervals: until the end of the longest series.
std::size_t intervals_of(const Trace& trace);

// The load of a VM `since_start` after the trace began; after its end the last interval holds.
Resources load_at(const Trace& trace, const TraceVm& vm, Duration since_start);
// In two steps, for who asks for many VMs at one time: which interval that is, counted from 0 and
// never negative, and the load in it; that of the last interval after the end, and none while the
// VM is not there.
std::size_t interval_of(const Trace& trace, Duration since_start);
Resources load_in(const TraceVm& vm, std::size_t interval);
Resources base_in(const TraceHost& host, std::size_t interval);
inline bool is_there(const TraceVm& vm, std::size_t interval) {
  return interval >= vm.begins && interval < vm.ends;
}

}  // namespace ballast
