#include "plan/worth.h"

#include <algorithm>

namespace ballast::test {
namespace {

constexpr double rounding = 1e-5;

bool by_itself(const Host& host) {
  return host.usable && !host.maintenance &&
         excess_of(host.base.cpu_mhz, host.capacity.cpu_mhz, host.thresholds.cpu) > load_tolerance;
}

std::vector<Resources> loads_at(const Snapshot& snapshot, const std::vector<HostIndex>& places) {
  std::vector<Resources> loads;
  for (const Host& host : snapshot.hosts) loads.push_back(host.base);
  for (VmIndex v = 0; v < places.size(); ++v) loads[places[v]] += snapshot.vms[v].load;
  return loads;
}

class Judge {
 public:
  Judge(const Snapshot& snapshot, const Plan& plan, double min_gain)
      : snapshot_(snapshot),
        min_gain_(std::max(0.0, min_gain - 1e-6)),  // exactly that much is enough
        start_(loads_of(snapshot)),
        places_(places_after(snapshot, plan)),
        cost_(cost_of(snapshot, places_, min_gain_)),
        bound_(snapshot.vms.size(), false) {
    for (const Rule& rule : snapshot.rules)
      if (rule.type == RuleType::affinity)
        for (const VmIndex v : rule.vms) bound_[v] = true;
  }

  std::vector<std::string> run(Judged judged) {
    std::vector<VmIndex> moved;
    for (VmIndex v = 0; v < places_.size(); ++v)
      if (places_[v] != snapshot_.vms[v].host && !bound_[v]) moved.push_back(v);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      try_home({moved[i]});
      for (std::size_t j = 0; j < i && judged == Judged::in_pairs; ++j)
        if (belong_together(moved[i], moved[j])) try_home({moved[i], moved[j]});
    }
    const std::vector<Resources> loads = loads_at(snapshot_, places_);
    for (VmIndex v = 0; v < places_.size(); ++v) {
      const Vm& vm = snapshot_.vms[v];
      const HostIndex at = places_[v];
      if (bound_[v] || !vm.movable || at != vm.host) continue;
      if (overload_of(loads[at], snapshot_.hosts[at].capacity, snapshot_.hosts[at].thresholds) > 0)
        try_away(v);
    }
    return std::move(faults_);
  }

 private:
  void try_home(const std::vector<VmIndex>& vms) {
    std::vector<HostIndex> places = places_;
    for (const VmIndex v : vms) places[v] = snapshot_.vms[v].host;
    if (!is_valid(places)) return;
    const double cost = cost_of(snapshot_, places, min_gain_);
    const bool drains = std::any_of(vms.begin(), vms.end(), [&](VmIndex v) {
      return snapshot_.hosts[snapshot_.vms[v].host].maintenance;
    });
    if (drains || cost > cost_ + 1e-9) return;
    std::string names;
    for (const VmIndex v : vms) names += " " + snapshot_.vms[v].id.str();
    faults_.push_back("left out, it costs no more:" + names + " (" + std::to_string(cost) +
                      " instead of " + std::to_string(cost_) + ")");
  }

  // They left the same host, or changed places.
  bool belong_together(VmIndex a, VmIndex b) const {
    const HostIndex from_a = snapshot_.vms[a].host;
    const HostIndex from_b = snapshot_.vms[b].host;
    return from_a == from_b || (places_[a] == from_b && places_[b] == from_a);
  }

  void try_away(VmIndex v) {
    for (HostIndex h = 0; h < snapshot_.hosts.size(); ++h) {
      const Host& host = snapshot_.hosts[h];
      if (h == places_[v] || !host.usable || host.maintenance) continue;
      if (!snapshot_.hosts[places_[v]].usable) continue;
      std::vector<HostIndex> places = places_;
      places[v] = h;
      if (!is_valid(places) || !may_run(v, h) || !has_room(v, h)) continue;
      const double cost = cost_of(snapshot_, places, min_gain_);
      if (cost < cost_ - rounding)
        faults_.push_back("would have paid: " + snapshot_.vms[v].id.str() + " to " + host.id.str() +
                          " (" + std::to_string(cost) + " instead of " + std::to_string(cost_) +
                          ")");
    }
  }

  // Under its thresholds, not up to where it was over them at the start.
  bool has_room(VmIndex v, HostIndex h) const {
    const Host& host = snapshot_.hosts[h];
    const Resources load = loads_at(snapshot_, places_)[h] + snapshot_.vms[v].load;
    return std::all_of(all_resources.begin(), all_resources.end(), [&](Resource r) {
      return snapshot_.vms[v].load[r] <= 0 ||
             excess_of(load[r], host.capacity[r], host.thresholds[r]) <= 0;
    });
  }

  bool may_run(VmIndex v, HostIndex h) const {
    return std::none_of(snapshot_.rules.begin(), snapshot_.rules.end(), [&](const Rule& rule) {
      return rule.type == RuleType::hosts &&
             std::find(rule.vms.begin(), rule.vms.end(), v) != rule.vms.end() &&
             std::find(rule.hosts.begin(), rule.hosts.end(), h) == rule.hosts.end();
    });
  }

  // No host is pushed over, or further over, and no anti-affinity is broken anew.
  bool is_valid(const std::vector<HostIndex>& places) const {
    const std::vector<Resources> loads = loads_at(snapshot_, places);
    for (HostIndex h = 0; h < loads.size(); ++h) {
      const Host& host = snapshot_.hosts[h];
      for (const Resource r : all_resources)
        if (excess_of(loads[h][r], host.capacity[r], host.thresholds[r]) >
            excess_of(start_[h][r], host.capacity[r], host.thresholds[r]) + load_tolerance)
          return false;
    }
    for (const Rule& rule : snapshot_.rules) {
      if (rule.type != RuleType::anti_affinity) continue;
      for (const VmIndex a : rule.vms)
        for (const VmIndex b : rule.vms)
          if (a < b && places[a] == places[b] &&
              (places[a] != snapshot_.vms[a].host || places[b] != snapshot_.vms[b].host))
            return false;
    }
    return true;
  }

  const Snapshot& snapshot_;
  const double min_gain_;
  const std::vector<Resources> start_;
  const std::vector<HostIndex> places_;
  const double cost_;
  std::vector<bool> bound_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<HostIndex> places_after(const Snapshot& snapshot, const Plan& plan) {
  std::vector<HostIndex> places;
  for (const Vm& vm : snapshot.vms) places.push_back(vm.host);
  for (const Migration& m : plan.migrations) places[m.vm] = m.to;
  return places;
}

double cost_of(const Snapshot& snapshot, const std::vector<HostIndex>& places, double min_gain) {
  const std::vector<Resources> loads = loads_at(snapshot, places);
  double cost = 0;
  std::vector<bool> over(loads.size(), false);
  for (HostIndex h = 0; h < loads.size(); ++h) {
    const Host& host = snapshot.hosts[h];
    if (!host.usable) continue;
    for (const Resource r : all_resources) {
      if (r == Resource::cpu && by_itself(host)) continue;
      const double excess = excess_of(loads[h][r], host.capacity[r], host.thresholds[r]);
      cost += excess;
      over[h] = over[h] || excess > load_tolerance;
    }
    over[h] = over[h] && !host.maintenance;
  }
  for (VmIndex v = 0; v < places.size(); ++v) {
    const HostIndex home = snapshot.vms[v].host;
    if (snapshot.hosts[places[v]].maintenance && snapshot.hosts[places[v]].usable) cost += 1;
    if (places[v] == home) continue;
    cost += min_gain * ((over[home] ? 1 : 0) + (over[places[v]] ? 1 : 0));
  }
  return cost;
}

std::vector<std::string> faults_of_worth(const Snapshot& snapshot, const Plan& plan,
                                         double min_gain, Judged judged) {
  return Judge(snapshot, plan, min_gain).run(judged);
}

}  // namespace ballast::test
