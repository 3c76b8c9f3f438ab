// Hosts are tried in the order of their room in CPU, of which most have too little: a few of the
// emptiest decide whether there is a place at all.
#include "fitting.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "ballast/plan/planner.h"

namespace ballast::world {
namespace {

constexpr std::size_t tried_max = 64;

class Fitter {
 public:
  Fitter(const Snapshot& truth, double target, const MayGo& may_go)
      : truth_(truth),
        target_(target),
        may_go_(may_go),
        loads_(loads_of(truth)),
        by_room_(truth.hosts.size()) {
    std::iota(by_room_.begin(), by_room_.end(), HostIndex{0});
    std::stable_sort(by_room_.begin(), by_room_.end(), [&](HostIndex a, HostIndex b) {
      return room(a, Resource::cpu) > room(b, Resource::cpu);
    });
  }

  Fitting fit() {
    std::vector<std::vector<VmIndex>> vms(truth_.hosts.size());
    for (VmIndex v = 0; v < truth_.vms.size(); ++v) {
      const HostIndex host = truth_.vms[v].host;
      if (over(host)) vms[host].push_back(v);
    }
    Fitting fitting;
    for (HostIndex host = 0; host < vms.size(); ++host) relieve(host, vms[host], fitting);
    return fitting;
  }

 private:
  struct Move {
    VmIndex vm = 0;
    HostIndex to = 0;
    double gain = 0;
  };

  // What fits counts if it brings the host under, or is worth it by itself.
  void relieve(HostIndex host, const std::vector<VmIndex>& vms, Fitting& fitting) {
    std::vector<Move> moves;
    for (const VmIndex v : vms) {
      if (!over(host)) break;
      const std::optional<HostIndex> to = place_for(truth_.vms[v]);
      if (!to) continue;
      const double before = overload(host);
      loads_[host] -= truth_.vms[v].load;
      loads_[*to] += truth_.vms[v].load;
      moves.push_back({.vm = v, .to = *to, .gain = before - overload(host)});
    }
    if (over(host)) {
      for (const Move& move : moves) {
        if (move.gain >= plan::min_gain_default) continue;
        loads_[host] += truth_.vms[move.vm].load;
        loads_[move.to] -= truth_.vms[move.vm].load;
      }
      std::erase_if(moves, [](const Move& m) { return m.gain < plan::min_gain_default; });
    }
    if (fitting.vms == 0 && !moves.empty())
      fitting.example = quoted(truth_.vms[moves[0].vm].id.str()) + " of " +
                        quoted(truth_.hosts[host].id.str()) + " fits on " +
                        quoted(truth_.hosts[moves[0].to].id.str()) + ", which takes " +
                        std::to_string(moves[0].gain) + " of a host off its overload";
    fitting.vms += moves.size();
  }

  // Above the thresholds, but not what the host is by its own load.
  double overload(HostIndex host) const {
    const Host& at = truth_.hosts[host];
    const bool by_itself = excess_of(at.base.cpu_mhz, at.capacity.cpu_mhz, at.thresholds.cpu) > 0;
    double sum = 0;
    for (const Resource r : all_resources)
      if (r != Resource::cpu || !by_itself)
        sum += excess_of(loads_[host][r], at.capacity[r], at.thresholds[r]);
    return sum;
  }
  bool over(HostIndex host) const { return overload(host) > load_tolerance; }
  double room(HostIndex host, Resource r) const {
    const Host& at = truth_.hosts[host];
    return at.capacity[r] * at.thresholds[r] * target_ - loads_[host][r];
  }
  std::optional<HostIndex> place_for(const Vm& vm) const {
    const std::size_t tried = std::min(tried_max, by_room_.size());
    for (std::size_t i = 0; i < tried; ++i) {
      const HostIndex to = by_room_[i];
      if (to == vm.host || (may_go_ && !may_go_(vm.id, to))) continue;
      const bool fits = std::all_of(all_resources.begin(), all_resources.end(), [&](Resource r) {
        return truth_.hosts[to].capacity[r] == unlimited || vm.load[r] <= room(to, r);
      });
      if (fits) return to;
    }
    return std::nullopt;
  }

  const Snapshot& truth_;
  double target_;
  const MayGo& may_go_;
  std::vector<Resources> loads_;
  std::vector<HostIndex> by_room_;
};

}  // namespace

Fitting fitting_surplus(const Snapshot& truth, double target, const MayGo& may_go) {
  return Fitter(truth, target, may_go).fit();
}

}  // namespace ballast::world
