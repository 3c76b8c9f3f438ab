// Wait or act: what passes before a copy is done is not chased, what saturates a host is.
#include <doctest/doctest.h>

#include <algorithm>

#include "ballast/world/replay.h"

namespace ballast {
namespace {

// Three hosts of 10,000 MHz. On the first, a steady VM and one that comes up for a minute: four
// times in the first six minutes, when nothing moves yet, then every twenty. Copies take 262 s.
Trace bursts(double level) {
  Trace trace;
  trace.interval = std::chrono::seconds(30);
  for (const char* id : {"h0", "h1", "h2"}) {
    TraceHost host;
    host.id = HostId(id);
    host.capacity = {10000, 65536, unlimited};
    trace.hosts.push_back(host);
  }
  for (int v = 0; v < 2; ++v) {
    TraceVm vm;
    vm.id = VmId("v" + std::to_string(v));
    vm.size = {5000, 16384, 0};
    for (std::size_t i = 0; i < 8 * 120; ++i) {
      const bool up = v == 0 && (i < 12 ? i % 3 < 2 : i % 40 >= 20 && i % 40 < 22);
      vm.cpu_percent.push_back(static_cast<float>(up ? 100 * level : 60));
    }
    trace.vms.push_back(vm);
  }
  return trace;
}

world::ReplayResult run(const Trace& trace, double patience) {
  world::ReplayOptions options;
  options.trace = trace;
  options.config.plan.patience = patience;
  world::ReplayResult result = world::replay(std::move(options));
  CHECK(result.findings.empty());
  return result;
}

}  // namespace

TEST_CASE("bursts that are gone before a copy would be done are not chased, unless nobody waits") {
  const Trace trace = bursts(1.2);  // 90 % of the host
  CHECK(run(trace, 0.5).migrations == 0);
  CHECK(run(trace, 0).migrations == 1);
  // A minute is more than a tenth of a copy.
  CHECK(run(trace, 0.1).migrations == 1);
}

TEST_CASE("a host that is asked for all of its CPU is relieved, whatever its past says") {
  CHECK(run(bursts(1.5), 100).migrations == 1);  // 105 %
}

}  // namespace ballast
