// A small fleet for tests: three hosts of 16 GiB, VMs of 1 GiB on the first of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ballast/hypermodel/fleet.h"

namespace ballast::hypermodel {

inline Trace small_trace(std::size_t hosts = 3, std::size_t vms = 4) {
  Trace trace;
  for (std::size_t h = 0; h < hosts; ++h)
    trace.hosts.push_back({HostId("h" + std::to_string(h)), {40000, 16384, 10000}, "g0"});
  for (std::size_t v = 0; v < vms; ++v)
    trace.vms.push_back({VmId("v" + std::to_string(v)), 0, {4000, 1024, 10}, {50, 100}, {}});
  return trace;
}

// A fleet with a clock, that keeps all events and audits at each step.
class Rig {
 public:
  explicit Rig(Trace trace = small_trace(), const Timing& timing = {})
      : fleet(std::make_shared<const Trace>(std::move(trace)), timing, now) {}

  void tell(const FleetInput& input) {
    for (FleetEvent& event : fleet.step(now, input)) events.push_back(std::move(event));
    for (const Finding& finding : fleet.audit())
      findings.push_back(std::string(name_of(finding.kind)) + ": " + finding.detail);
  }
  void migrate(const std::string& vm, HostIndex from, HostIndex to, double bandwidth = 0) {
    const LeaseId lease{HostId("h" + std::to_string(to)), 1, ++leases};
    tell(HostCommand{from, StartMigration{lease, VmId(vm), fleet.migration_uri(to), bandwidth}});
  }
  // Lets time pass deadline by deadline, so that nothing between two of them stays unseen.
  void wait(Duration span) {
    const TimePoint end = now + span;
    while (fleet.next_deadline() <= end) {
      now = std::max(now, fleet.next_deadline());
      tell(TimePasses{});
    }
    now = end;
    tell(TimePasses{});
  }
  Presence at(HostIndex host, const std::string& vm) const {
    return fleet.host(host).presence(VmId(vm));
  }
  // Ends of migrations heard so far: "ok" or the detail.
  std::vector<std::string> ends() const {
    std::vector<std::string> told;
    for (const FleetEvent& event : events)
      if (const auto* ended = std::get_if<MigrationEnded>(&event.event))
        told.push_back(ended->ok ? "ok" : ended->detail);
    return told;
  }

  TimePoint now = TimePoint(std::chrono::seconds(100));
  Fleet fleet;
  std::vector<FleetEvent> events;
  std::vector<std::string> findings;
  std::uint64_t leases = 0;
};

}  // namespace ballast::hypermodel
