// A quarter of the hosts is drawn hot, the others cool; then each group is scaled so that all of
// its hosts together are where the group should be. VMs are small beside their host, so that most
// can move; memory leaves room for a few more on every host.
#include "ballast/world/fleet_shape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "ballast/base/assert.h"
#include "ballast/base/random.h"

namespace ballast::world {
namespace {

constexpr Resources host_capacity = {83200, 131072, 10000};
constexpr double hot_share = 0.25;

std::string host_id(std::size_t group, std::size_t host) {
  char text[96];
  std::snprintf(text, sizeof text, "%08zx-%04zx-4000-8000-000000000000", group, host);
  return text;
}
std::string vm_id(std::size_t group, std::size_t host, std::size_t vm) {
  char text[96];
  std::snprintf(text, sizeof text, "%08zx-%04zx-4000-9000-%012zx", group, host, vm);
  return text;
}

class Maker {
 public:
  explicit Maker(const FleetShape& shape) : shape_(shape), random_(shape.seed ^ 0x5EEDF1EE7U) {}

  Trace make() {
    trace_.interval = std::chrono::minutes(1);
    const std::size_t hosts = shape_.masters * (shape_.slaves + 1);
    trace_.hosts.reserve(hosts);
    trace_.vms.reserve(hosts * shape_.vms);
    for (std::size_t group = 0; group < shape_.masters; ++group) make_group(group);
    return std::move(trace_);
  }

 private:
  void make_group(std::size_t group) {
    const std::size_t hosts = shape_.slaves + 1;
    std::vector<double> use(hosts);
    double sum = 0;
    for (double& host : use) {
      host = random_.chance(hot_share) ? random_.between(0.9, 1.2) : random_.between(0.2, 0.6);
      sum += host;
    }
    // Of the CPU of the whole group. The threshold is at 0.8.
    const double aim = random_.chance(shape_.groups_over) ? random_.between(0.85, 0.95)
                                                          : random_.between(0.4, 0.6);
    const std::vector<double> levels = draw_levels(shape_.change_share, 1);
    for (std::size_t h = 0; h < hosts; ++h) {
      const double share = use[h] * aim * static_cast<double>(hosts) / sum;
      std::vector<double> own = draw_levels(shape_.host_change_share, 2);
      for (std::size_t i = 0; i < own.size(); ++i) own[i] *= levels[i];
      add_host(group, h, share, own);
    }
  }

  // A load over time, 1 on the whole: up and down by more than a tenth, `wide` times that.
  std::vector<double> draw_levels(double change_share, double wide) {
    std::vector<double> levels(std::max<std::size_t>(1, shape_.minutes));
    double level = 1;
    for (std::size_t minute = 0; minute < levels.size(); ++minute) {
      const bool changes = minute > 0 && minute < shape_.calm_from_minute;
      if (changes && random_.chance(change_share))
        level =
            1 + wide * (level > 1 ? random_.between(-0.25, -0.12) : random_.between(0.01, 0.12));
      levels[minute] = level;
    }
    return levels;
  }

  void add_host(std::size_t group, std::size_t host, double share,
                const std::vector<double>& levels) {
    const auto index = static_cast<std::uint32_t>(trace_.hosts.size());
    trace_.hosts.push_back(
        {HostId(host_id(group, host)), host_capacity, "g" + std::to_string(group)});
    std::vector<double> weights(shape_.vms);
    double sum = 0;
    for (double& weight : weights) sum += weight = random_.between(0.4, 1.6);
    const bool steady = std::all_of(levels.begin(), levels.end(), [](double l) { return l == 1; });
    for (std::size_t v = 0; v < shape_.vms; ++v) {
      TraceVm vm;
      vm.id = VmId(vm_id(group, host, v));
      vm.host = index;
      const double peak = *std::max_element(levels.begin(), levels.end());
      vm.size.cpu_mhz = host_capacity.cpu_mhz * share * weights[v] / sum * peak;
      const double memory_max = host_capacity.memory_mib / static_cast<double>(shape_.vms);
      vm.size.memory_mib = std::min(
          16384.0, std::floor(memory_max * random_.between(shape_.memory_min, shape_.memory_max)));
      vm.size.network_mbit = std::floor(random_.between(1, 20));
      const std::size_t intervals = steady ? 1 : levels.size();
      vm.cpu_percent.reserve(intervals);
      for (std::size_t i = 0; i < intervals; ++i)
        vm.cpu_percent.push_back(static_cast<float>(100 * levels[i] / peak));
      trace_.vms.push_back(std::move(vm));
    }
  }

  const FleetShape& shape_;
  Random random_;
  Trace trace_;
};

}  // namespace

Trace make_fleet(const FleetShape& shape) {
  BALLAST_ASSERT(shape.masters > 0 && shape.masters <= 0xFFFFFFFFU, "masters of a made-up fleet");
  BALLAST_ASSERT(shape.slaves < 0xFFFFU, "slaves of a made-up group");
  return Maker(shape).make();
}

}  // namespace ballast::world
