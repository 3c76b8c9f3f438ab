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
};

struct TraceVm {
  VmId id;
  std::uint32_t host = 0;  // index into Trace::hosts, where it is at the start
  Resources size;          // cpu: what 100 % means; memory and network: its load
  // Per interval; a load is constant within one. Missing memory: size.memory_mib throughout.
  std::vector<float> cpu_percent;
  std::vector<float> memory_mib;
};

struct Trace {
  Duration interval = std::chrono::seconds(300);
  Thresholds thresholds;
  std::vector<TraceHost> hosts;
  std::vector<TraceVm> vms;
};

// Number of intervals: of the longest series.
std::size_t intervals_of(const Trace& trace);

// The load of a VM `since_start` after the trace began; after its end the last interval holds.
Resources load_at(const Trace& trace, const TraceVm& vm, Duration since_start);
// In two steps, for who asks for many VMs at one time: which interval that is, counted from 0 and
// never negative, and the load in it; that of the last interval after the end.
std::size_t interval_of(const Trace& trace, Duration since_start);
Resources load_in(const TraceVm& vm, std::size_t interval);

}  // namespace ballast
