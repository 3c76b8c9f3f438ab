// The planner's curve: fleets of the same kind from 64 to 5,000 hosts, about 31 VMs a host and one
// host in twenty over its CPU threshold. Prints the CPU time of one plan, and as ratios: time a
// host against the smallest fleet of the same run (1 is linear), and migrations against the lower
// bound.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <string>

#include "ballast/base/random.h"
#include "ballast/plan/planner.h"

namespace {

using namespace ballast;

Snapshot fleet(std::size_t hosts) {
  Random random(hosts);
  Snapshot snapshot;
  for (std::size_t h = 0; h < hosts; ++h) {
    Host host;
    host.id = HostId("h" + std::to_string(h));
    host.capacity = {83200, 262144, 10000};
    host.base = {800, 4096, 0};
    snapshot.hosts.push_back(host);
    const double heat = random.chance(0.05) ? 0.9 : random.between(0.4, 0.72);
    constexpr std::size_t vms_per_host = 31;
    for (std::size_t v = 0; v < vms_per_host; ++v) {
      Vm vm;
      vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
      vm.host = static_cast<HostIndex>(h);
      vm.load = {heat * 83200 / vms_per_host * random.between(0.6, 1.4),
                 0.65 * 262144 / vms_per_host * random.between(0.6, 1.4), random.between(0, 100)};
      snapshot.vms.push_back(vm);
    }
  }
  return snapshot;
}

void plan_fleet(benchmark::State& state) {
  static std::map<std::int64_t, double> seconds_per_host;
  const auto hosts = static_cast<std::size_t>(state.range(0));
  const Snapshot snapshot = fleet(hosts);
  Plan plan;
  std::size_t rounds = 0;
  const std::clock_t begin = std::clock();  // CPU time: others may use the machine
  for (auto _ : state) {
    plan = plan::make_plan(snapshot);
    benchmark::DoNotOptimize(plan);
    ++rounds;
  }
  const double spent = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  seconds_per_host[state.range(0)] =
      spent / static_cast<double>(rounds) / static_cast<double>(hosts);
  state.counters["migrations"] = static_cast<double>(plan.migrations.size());
  state.counters["per_bound"] =
      static_cast<double>(plan.migrations.size()) / static_cast<double>(plan.lower_bound);
  state.counters["overload_after"] = plan.overload_after;
  state.counters["per_host_vs_64"] =
      seconds_per_host[state.range(0)] / seconds_per_host.begin()->second;
  state.SetComplexityN(state.range(0));
}

}  // namespace

BENCHMARK(plan_fleet)
    ->Arg(64)
    ->Arg(128)
    ->Arg(256)
    ->Arg(512)
    ->Arg(1024)
    ->Arg(2048)
    ->Arg(5000)
    ->Unit(benchmark::kMillisecond)
    ->Complexity(benchmark::oNLogN);

BENCHMARK_MAIN();
