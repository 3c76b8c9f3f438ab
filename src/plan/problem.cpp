#include "problem.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace ballast::plan {
namespace {

// Rules with more members than this are counted per host instead of looked up member by member.
constexpr std::size_t small_rule_max = 16;

Load to_load(const Resources& r) { return {r.cpu_mhz, r.memory_mib, r.network_mbit}; }

// Union-find over VMs.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), VmIndex{0});
  }
  VmIndex root(VmIndex vm) {
    while (parent_[vm] != vm) vm = parent_[vm] = parent_[parent_[vm]];
    return vm;
  }
  // The lower index stays the root, so that units keep the order of the VMs.
  void join(VmIndex a, VmIndex b) {
    a = root(a);
    b = root(b);
    if (a != b) parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<VmIndex> parent_;
};

}  // namespace

double copied_mib(const Vm& vm) {
  constexpr double bandwidth_mib_s = 62.5;  // the design's figure for a migration
  constexpr double dirtied_share_max = 0.95;
  const double dirtied = std::min(vm.dirty_rate_mib_s / bandwidth_mib_s, dirtied_share_max);
  return vm.load.memory_mib / (1 - dirtied);
}

Problem::Problem(const Snapshot& snapshot, double least_gain)
    : min_gain(std::max(0.0, least_gain - 2 * overload_step)) {
  add_hosts(snapshot);
  add_units(snapshot);
  add_anti_affinity(snapshot);
  add_host_rules(snapshot);
  add_goals();
  add_prices();
}

void Problem::add_hosts(const Snapshot& snapshot) {
  hosts.resize(snapshot.hosts.size());
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    const Host& from = snapshot.hosts[h];
    PlanHost& host = hosts[h];
    host.source = from.usable;
    host.target = from.usable && !from.maintenance;
    host.maintenance = from.usable && from.maintenance;
    host.capacity = to_load(from.capacity);
    host.base = to_load(from.base);
    for (std::size_t k = 0; k < resource_count; ++k) {
      const bool finite = host.capacity[k] != unlimited && host.capacity[k] > 0;
      host.share[k] = finite ? 1 / host.capacity[k] : 0;
      host.limit[k] = host.capacity[k] * from.thresholds[all_resources[k]];
      host.limit_share[k] = host.share[k] / from.thresholds[all_resources[k]];
    }
  }
}

void Problem::add_units(const Snapshot& snapshot) {
  Groups groups(snapshot.vms.size());
  std::vector<VmIndex> by_host;
  for (const Rule& rule : snapshot.rules) {
    if (rule.type != RuleType::affinity) continue;
    by_host = rule.vms;
    std::stable_sort(by_host.begin(), by_host.end(), [&](VmIndex a, VmIndex b) {
      return snapshot.vms[a].host < snapshot.vms[b].host;
    });
    for (std::size_t i = 1; i < by_host.size(); ++i) {
      if (snapshot.vms[by_host[i - 1]].host == snapshot.vms[by_host[i]].host)
        groups.join(by_host[i - 1], by_host[i]);
    }
  }
  unit_of.resize(snapshot.vms.size());
  units.reserve(snapshot.vms.size());
  for (VmIndex v = 0; v < snapshot.vms.size(); ++v) {
    const Vm& vm = snapshot.vms[v];
    const VmIndex root = groups.root(v);
    if (root == v) {
      unit_of[v] = static_cast<UnitIndex>(units.size());
      units.push_back({.load = {}, .home = vm.host, .movable = hosts[vm.host].source});
    } else {
      unit_of[v] = unit_of[root];
    }
    Unit& unit = units[unit_of[v]];
    const Load load = to_load(vm.load);
    const Load swing = to_load(vm.swing);
    for (std::size_t k = 0; k < resource_count; ++k) {
      unit.load[k] += load[k];
      unit.variance[k] += swing[k] * swing[k];
    }
    unit.movable = unit.movable && vm.movable;
    unit.copy += copied_mib(vm);
    unit.failed_lately = unit.failed_lately || vm.failed_lately;
    ++unit.count;
  }
  std::uint32_t next = 0;
  for (Unit& unit : units) {
    unit.first_vm = next;
    next += unit.count;
  }
  unit_vms.resize(snapshot.vms.size());
  std::vector<std::uint32_t> filled(units.size(), 0);
  for (VmIndex v = 0; v < snapshot.vms.size(); ++v) {
    const UnitIndex u = unit_of[v];
    unit_vms[units[u].first_vm + filled[u]++] = v;
  }
  for (const Rule& rule : snapshot.rules) {
    if (rule.type != RuleType::affinity) continue;
    std::vector<UnitIndex> parts;
    for (const VmIndex v : rule.vms) parts.push_back(unit_of[v]);
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    if (parts.size() < 2) continue;
    if (friends.empty()) friends.resize(units.size());
    for (const UnitIndex u : parts) {
      units[u].misplaced = true;
      for (const UnitIndex other : parts)
        if (other != u) friends[u].push_back(other);
    }
  }
}

void Problem::add_anti_affinity(const Snapshot& snapshot) {
  std::vector<std::pair<UnitIndex, std::uint32_t>> memberships;
  for (const Rule& rule : snapshot.rules) {
    if (rule.type != RuleType::anti_affinity) continue;
    AntiRule made;
    std::vector<VmIndex> vms = rule.vms;
    std::sort(vms.begin(), vms.end());
    vms.erase(std::unique(vms.begin(), vms.end()), vms.end());
    for (const VmIndex v : vms) made.units.push_back(unit_of[v]);
    std::sort(made.units.begin(), made.units.end());
    // Two VMs of one unit that must be apart: wherever it goes, the unit would break the rule anew.
    for (std::size_t i = 1; i < made.units.size(); ++i)
      if (made.units[i - 1] == made.units[i]) units[made.units[i]].movable = false;
    made.units.erase(std::unique(made.units.begin(), made.units.end()), made.units.end());
    if (made.units.size() < 2) continue;
    if (made.units.size() > small_rule_max) made.row = static_cast<std::int32_t>(anti_rows++);
    const auto index = static_cast<std::uint32_t>(anti.size());
    std::vector<HostIndex> homes;
    for (const UnitIndex u : made.units) {
      memberships.emplace_back(u, index);
      homes.push_back(units[u].home);
    }
    std::sort(homes.begin(), homes.end());
    for (const UnitIndex u : made.units) {
      const auto [low, high] = std::equal_range(homes.begin(), homes.end(), units[u].home);
      if (high - low > 1) units[u].misplaced = true;
    }
    anti.push_back(std::move(made));
  }
  std::sort(memberships.begin(), memberships.end());
  anti_of.reserve(memberships.size());
  for (const auto& [u, rule] : memberships) {
    if (units[u].anti_count++ == 0)
      units[u].first_anti = static_cast<std::uint32_t>(anti_of.size());
    anti_of.push_back(rule);
  }
}

void Problem::add_host_rules(const Snapshot& snapshot) {
  std::vector<std::pair<UnitIndex, std::uint32_t>> memberships;
  for (std::uint32_t r = 0; r < snapshot.rules.size(); ++r) {
    if (snapshot.rules[r].type != RuleType::hosts) continue;
    for (const VmIndex v : snapshot.rules[r].vms) memberships.emplace_back(unit_of[v], r);
  }
  if (memberships.empty()) return;
  std::sort(memberships.begin(), memberships.end());
  memberships.erase(std::unique(memberships.begin(), memberships.end()), memberships.end());
  allowed_words_ = (hosts.size() + 63) / 64;
  std::map<std::vector<std::uint32_t>, std::int32_t> sets;  // rules that meet -> their common hosts
  for (std::size_t i = 0; i < memberships.size();) {
    const UnitIndex u = memberships[i].first;
    std::vector<std::uint32_t> rules;
    for (; i < memberships.size() && memberships[i].first == u; ++i)
      rules.push_back(memberships[i].second);
    const auto [entry, is_new] = sets.try_emplace(rules, static_cast<std::int32_t>(sets.size()));
    if (is_new) {
      std::vector<std::uint64_t> bits(allowed_words_, ~std::uint64_t{0});
      for (const std::uint32_t r : rules) {
        std::vector<std::uint64_t> some(allowed_words_, 0);
        for (const HostIndex h : snapshot.rules[r].hosts)
          some[h / 64] |= std::uint64_t{1} << (h % 64);
        for (std::size_t w = 0; w < bits.size(); ++w) bits[w] &= some[w];
      }
      allowed_bits_.insert(allowed_bits_.end(), bits.begin(), bits.end());
    }
    units[u].allowed = entry->second;
    const HostIndex home = units[u].home;
    if (hosts[home].target && !may_run_on(units[u], home)) units[u].misplaced = true;
  }
}

void Problem::add_goals() {
  std::vector<Load> total(hosts.size());
  std::vector<Load> fixed(hosts.size());
  for (std::size_t h = 0; h < hosts.size(); ++h) total[h] = fixed[h] = hosts[h].base;
  for (const Unit& unit : units) {
    for (std::size_t k = 0; k < resource_count; ++k) {
      total[unit.home][k] += unit.load[k];
      if (!unit.movable) fixed[unit.home][k] += unit.load[k];
    }
  }
  constexpr double rounding = 1e-9;  // of sums of loads, as a share of capacity
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    PlanHost& host = hosts[h];
    constexpr auto cpu = static_cast<std::size_t>(Resource::cpu);
    host.own_load =
        !host.maintenance && host.base[cpu] > host.limit[cpu] + load_tolerance * host.capacity[cpu];
    for (std::size_t k = 0; k < resource_count; ++k) {
      const double scale = host.share[k] > 0 ? host.capacity[k] : 0;
      const bool by_itself = all_resources[k] == Resource::cpu && host.own_load;
      const double stays = (by_itself ? total : fixed)[h][k] * (1 + rounding);
      host.goal[k] = std::max(host.limit[k], stays) + load_tolerance * scale;
      host.stuck = host.stuck || (!by_itself && stays > host.limit[k] + load_tolerance * scale);
      host.ceiling[k] = std::max(host.limit[k], total[h][k]) + rounding * scale;
      host.intake[k] = std::min(host.ceiling[k], host.goal[k]);
    }
  }
}

void Problem::add_prices() {
  double copied = 0;
  std::size_t misplaced = 0;
  for (const Unit& unit : units) {
    copied += unit.copy;
    misplaced += unit.misplaced ? 1 : 0;
  }
  // Both fractions together stay below one migration, however many units move.
  const double per_mib = 0.4 / std::max(copied, 1.0);
  const double mended = 0.4 / static_cast<double>(std::max<std::size_t>(misplaced, 1));
  for (Unit& unit : units)
    unit.price = unit.count + unit.copy * per_mib - (unit.misplaced ? mended : 0);
}

}  // namespace ballast::plan
