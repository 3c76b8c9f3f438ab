#include "plan/audit.h"

#include <algorithm>
#include <map>
#include <set>

namespace ballast::test {
namespace {

constexpr double tolerance = 1e-6;

class Replay {
 public:
  Replay(const Snapshot& snapshot, unsigned outgoing_max, unsigned incoming_max)
      : snapshot_(snapshot),
        outgoing_max_(outgoing_max),
        incoming_max_(incoming_max),
        start_(loads_of(snapshot)),
        load_(start_) {
    for (const Vm& vm : snapshot.vms) at_.push_back(vm.host);
  }

  Audit run(const Plan& plan) {
    std::map<std::uint32_t, std::vector<Migration>> steps;
    for (const Migration& m : plan.migrations) steps[m.step].push_back(m);
    std::uint32_t expected = 1;
    for (const auto& [number, migrations] : steps) {
      if (number != expected++) complain("a gap before step " + std::to_string(number));
      step(number, migrations);
    }
    check_swaps(plan);
    check_affinity(plan);
    check_end();
    return result_;
  }

 private:
  void complain(const std::string& what) { result_.violations.push_back(what); }

  double excess(HostIndex h, Resource r, double load) const {
    const Host& host = snapshot_.hosts[h];
    return excess_of(load, host.capacity[r], host.thresholds[r]);
  }

  void step(std::uint32_t number, const std::vector<Migration>& migrations) {
    const std::string where = " in step " + std::to_string(number);
    std::map<HostIndex, unsigned> out, in;
    std::set<VmIndex> seen;
    std::vector<Resources> arriving(load_.size());
    std::set<HostIndex> swapping;
    for (const Migration& m : migrations)
      if (m.swap) swapping.insert({m.from, m.to});
    for (const Migration& m : migrations) {
      const Vm& vm = snapshot_.vms[m.vm];
      const std::string name = vm.id.str();
      if (!seen.insert(m.vm).second) complain(name + " twice" + where);
      if (at_[m.vm] != m.from) complain(name + " is not where the plan takes it from" + where);
      if (m.from == m.to) complain(name + " to where it is" + where);
      if (!vm.movable) complain(name + " may not move" + where);
      if (snapshot_.hosts[m.to].maintenance) complain(name + " into maintenance" + where);
      if (!snapshot_.hosts[m.to].usable || !snapshot_.hosts[m.from].usable)
        complain(name + " touches a host without trusted data" + where);
      ++out[m.from];
      ++in[m.to];
      arriving[m.to] += vm.load;
      check_rules(m, migrations, where);
    }
    for (const auto& [h, count] : out)
      if (count > outgoing_max_) complain("too many leave" + where);
    for (const auto& [h, count] : in) {
      if (count > incoming_max_) complain("too many arrive" + where);
      // The worst instant: all arrivals there, no departure yet.
      const Resources worst = load_[h] + arriving[h];
      if (worst.memory_mib > snapshot_.hosts[h].capacity.memory_mib * (1 + tolerance))
        complain("no memory" + where);
      if (swapping.contains(h)) continue;
      for (const Resource r : all_resources)
        if (excess(h, r, worst[r]) > excess(h, r, start_[h][r]) + tolerance)
          complain(snapshot_.hosts[h].id.str() + " pushed over" + where);
    }
    for (const Migration& m : migrations) {
      load_[m.from] -= snapshot_.vms[m.vm].load;
      load_[m.to] += snapshot_.vms[m.vm].load;
      at_[m.vm] = m.to;
    }
  }

  void check_rules(const Migration& m, const std::vector<Migration>& migrations,
                   const std::string& where) {
    for (const Rule& rule : snapshot_.rules) {
      if (std::find(rule.vms.begin(), rule.vms.end(), m.vm) == rule.vms.end()) continue;
      if (rule.type == RuleType::hosts &&
          std::find(rule.hosts.begin(), rule.hosts.end(), m.to) == rule.hosts.end())
        complain("a host that is not allowed" + where);
      if (rule.type != RuleType::anti_affinity) continue;
      for (const VmIndex other : rule.vms) {
        if (other == m.vm) continue;
        const bool there = at_[other] == m.to;
        const bool coming = std::any_of(migrations.begin(), migrations.end(), [&](const auto& o) {
          return o.vm == other && o.to == m.to;
        });
        if (there || coming) complain("anti-affine VMs meet" + where);
      }
    }
  }

  void check_swaps(const Plan& plan) {
    std::map<std::uint32_t, std::vector<Migration>> swaps;
    for (const Migration& m : plan.migrations)
      if (m.swap) swaps[*m.swap].push_back(m);
    result_.swaps = swaps.size();
    for (const auto& [number, halves] : swaps) {
      const std::string which = "swap " + std::to_string(number);
      if (halves.size() != 2) {
        complain(which + " has not two halves");
        continue;
      }
      if (halves[0].from != halves[1].to || halves[0].to != halves[1].from)
        complain(which + " does not exchange");
      if (halves[1].step != halves[0].step + 1) complain(which + " is torn apart");
    }
  }

  // VMs held together move in consecutive steps, and are together at the end; those that were apart
  // are on no more hosts than before.
  void check_affinity(const Plan& plan) {
    for (const Rule& rule : snapshot_.rules) {
      if (rule.type != RuleType::affinity) continue;
      std::set<HostIndex> before, after;
      for (const VmIndex v : rule.vms) {
        before.insert(snapshot_.vms[v].host);
        after.insert(at_[v]);
      }
      if (after.size() > before.size()) complain("affinity got worse");
      if (before.size() != 1) continue;
      std::set<std::uint32_t> steps;
      for (const Migration& m : plan.migrations)
        if (std::find(rule.vms.begin(), rule.vms.end(), m.vm) != rule.vms.end())
          steps.insert(m.step);
      if (!steps.empty() && steps.size() % std::set(rule.vms.begin(), rule.vms.end()).size() != 0)
        complain("affine VMs move in " + std::to_string(steps.size()) + " steps");
    }
  }

  void check_end() {
    for (HostIndex h = 0; h < load_.size(); ++h) {
      if (snapshot_.hosts[h].maintenance || !snapshot_.hosts[h].usable) continue;
      for (const Resource r : all_resources)
        if (excess(h, r, load_[h][r]) > excess(h, r, start_[h][r]) + tolerance)
          complain(snapshot_.hosts[h].id.str() + " ends worse than it began");
    }
  }

  const Snapshot& snapshot_;
  unsigned outgoing_max_, incoming_max_;
  std::vector<Resources> start_, load_;
  std::vector<HostIndex> at_;
  Audit result_;
};

}  // namespace

Audit audit(const Snapshot& snapshot, const Plan& plan, unsigned outgoing_max,
            unsigned incoming_max) {
  return Replay(snapshot, outgoing_max, incoming_max).run(plan);
}

}  // namespace ballast::test
