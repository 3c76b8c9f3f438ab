#include "plan/random_snapshot.h"

#include <algorithm>
#include <string>

namespace ballast::test {
namespace {

std::vector<VmIndex> some_vms(Random& random, std::size_t count, std::size_t of) {
  std::vector<VmIndex> vms;
  while (vms.size() < count) {
    const auto v = static_cast<VmIndex>(random.below(of));
    if (std::find(vms.begin(), vms.end(), v) == vms.end()) vms.push_back(v);
  }
  return vms;
}

void add_rules(Random& random, Snapshot& snapshot) {
  const std::size_t rules = random.below(8);
  for (std::size_t i = 0; i < rules; ++i) {
    Rule rule;
    rule.type = static_cast<RuleType>(random.below(3));
    rule.vms = some_vms(random, 1 + random.below(4), snapshot.vms.size());
    if (rule.type == RuleType::affinity && random.chance(0.8))
      for (const VmIndex v : rule.vms) snapshot.vms[v].host = snapshot.vms[rule.vms[0]].host;
    if (rule.type == RuleType::hosts)
      for (HostIndex h = 0; h < snapshot.hosts.size(); ++h)
        if (random.chance(0.5)) rule.hosts.push_back(h);
    snapshot.rules.push_back(rule);
  }
}

}  // namespace

Snapshot random_snapshot(std::uint64_t seed) {
  Random random(seed);
  Snapshot snapshot;
  const std::size_t hosts = 2 + random.below(14);
  const double fill = random.between(0.4, 1.05);
  const bool network = random.chance(0.4);
  for (std::size_t h = 0; h < hosts; ++h) {
    Host host;
    host.id = HostId("h" + std::to_string(h));
    const double size = random.chance(0.3) ? random.between(0.5, 2) : 1;
    host.capacity = {40000 * size, 131072 * size, network ? 10000 : unlimited};
    host.base = {random.between(0, 2000), random.between(0, 6000), 0};
    host.maintenance = random.chance(0.07);
    host.usable = !random.chance(0.05);
    snapshot.hosts.push_back(host);
  }
  const std::size_t vms = hosts * (3 + random.below(8));
  for (std::size_t v = 0; v < vms; ++v) {
    Vm vm;
    vm.id = VmId("v" + std::to_string(v));
    vm.host = static_cast<HostIndex>(random.below(hosts));
    const double share = fill * static_cast<double>(hosts) / static_cast<double>(vms);
    vm.load = {40000 * 0.8 * share * random.between(0.2, 1.8),
               131072 * 0.9 * share * random.between(0.4, 1.6) * 0.8,
               network ? 8000 * share * random.unit() : 0};
    vm.movable = !random.chance(0.1);
    vm.dirty_rate_mib_s = random.chance(0.3) ? random.between(0, 80) : 0;
    snapshot.vms.push_back(vm);
  }
  add_rules(random, snapshot);
  return snapshot;
}

Snapshot trifling_snapshot(std::uint64_t seed) {
  Random random(seed);
  Snapshot snapshot;
  const std::size_t hosts = 2 + random.below(6);
  const double fill = random.between(0.6, 1);
  for (std::size_t h = 0; h < hosts; ++h) {
    Host host;
    host.id = HostId("h" + std::to_string(h));
    host.capacity = {40000, 131072, unlimited};
    host.base = {random.between(0, 2000), random.between(0, 6000), 0};
    const std::size_t kind = random.below(5);
    if (kind == 0) host.base.cpu_mhz = 40000 * random.between(0.8, 0.95);
    double cpu = 40000 * 0.8 * fill;
    if (kind == 1) cpu = 40000 * (0.8 + random.between(0, 0.03)) - host.base.cpu_mhz;
    const double memory = 131072 * random.between(0.4, 0.91) - host.base.memory_mib;
    const std::size_t vms = 4 + random.below(20);
    for (std::size_t v = 0; v < vms; ++v) {
      Vm vm;
      vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
      vm.host = static_cast<HostIndex>(h);
      const double part = random.between(0, 2) / static_cast<double>(vms);
      vm.load = {cpu * part * part, memory / static_cast<double>(vms), 0};
      vm.movable = !random.chance(0.1);
      if (kind == 2 && v == 0) {
        vm.load.cpu_mhz = 40000 * random.between(0.5, 0.9);
        vm.movable = false;
      }
      snapshot.vms.push_back(vm);
    }
    snapshot.hosts.push_back(host);
  }
  if (random.chance(0.3)) add_rules(random, snapshot);
  return snapshot;
}

}  // namespace ballast::test
