// What a replay measures, on loads that can be reckoned by hand.

#include "ballast/world/replay.h"

#include <doctest/doctest.h>

namespace ballast {
namespace {

using namespace std::chrono_literals;

// Two hosts of 10,000 MHz; each VM's CPU in percent of that, a value an interval of five minutes.
Trace trace_of(const std::vector<std::pair<std::uint32_t, std::vector<float>>>& vms) {
  Trace trace;
  trace.interval = 5min;
  for (const char* id : {"h0", "h1"})
    trace.hosts.push_back({HostId(id), {10000, 65536, 10000}, "g0"});
  for (const auto& [host, percent] : vms) {
    TraceVm vm;
    vm.id = VmId("v" + std::to_string(trace.vms.size()));
    vm.host = host;
    vm.size = {10000, 2048, 10};
    vm.cpu_percent = percent;
    trace.vms.push_back(std::move(vm));
  }
  return trace;
}

world::ReplayOptions options_of(Trace trace) {
  world::ReplayOptions options;
  options.trace = std::move(trace);
  return options;
}

TEST_CASE("a replay in which nothing moves measures the trace itself") {
  // h0 is at 60, 90, 120 and 50 %; h1 at 20 % throughout.
  auto options = options_of(trace_of({{0, {30, 60, 80, 20}}, {0, {30, 30, 40, 30}}, {1, {20}}}));
  options.moves = false;
  const world::ReplayResult result = world::replay(std::move(options));
  CHECK(result.hosts == 2);
  CHECK(result.groups == 1);
  CHECK(result.intervals == 4);
  CHECK(result.time_over_threshold == doctest::Approx(2.0 / 8));
  CHECK(result.time_saturated == doctest::Approx(1.0 / 8));
  CHECK(result.demand_not_served == doctest::Approx(20.0 / (60 + 90 + 120 + 50 + 4 * 20)));
  CHECK(result.utilisation_mean == doctest::Approx((60 + 90 + 120 + 50 + 4 * 20) / 800.0));
  CHECK(result.utilisation_max == doctest::Approx(1.2));
  CHECK(result.migrations == 0);
  CHECK(result.findings.empty());
}

TEST_CASE("what can be relieved is relieved, and time over the threshold ends there") {
  // h0 is at 90 % for an hour: one VM has to leave it.
  const std::vector<float> hour(12, 45);
  auto options = options_of(trace_of({{0, hour}, {0, hour}, {1, {10}}}));
  options.config.plan.plan_interval = 30s;
  const world::ReplayResult result = world::replay(std::move(options));
  CHECK(result.migrations == 1);
  CHECK(result.returns_2h == 0);
  // Over until the quiet time is past and 2,048 MiB are copied: some three minutes of two hours.
  CHECK(result.time_over_threshold < 4.0 / 120);
  CHECK(result.time_over_threshold > 1.0 / 120);
  CHECK(result.findings.empty());
}

}  // namespace
}  // namespace ballast
