#include "level.h"

#include <algorithm>

namespace ballast::plan {

void level(const Problem& problem, Placement& placement) {
  struct Arrival {
    double heat;
    UnitIndex unit;
  };
  std::vector<Arrival> arrivals;
  std::vector<HostIndex> targets;
  for (UnitIndex u = 0; u < problem.units.size(); ++u) {
    if (!placement.moved(u)) continue;
    const HostIndex h = placement.at(u);
    // What mends broken affinity stays where it is.
    if (!problem.friends.empty() && !problem.friends[u].empty()) continue;
    arrivals.push_back({.heat = placement.heat(h), .unit = u});
  }
  for (HostIndex h = 0; h < problem.hosts.size(); ++h)
    if (problem.hosts[h].target) targets.push_back(h);
  std::sort(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) {
    return a.heat != b.heat ? a.heat > b.heat : a.unit < b.unit;
  });
  for (const Arrival& arrival : arrivals) {
    const UnitIndex u = arrival.unit;
    const HostIndex from = placement.at(u);
    double least = placement.heat(from);
    HostIndex best = from;
    for (const HostIndex t : targets) {
      if (t == problem.units[u].home || !placement.fits(u, t)) continue;
      const double heat = placement.heat_with(u, t);
      if (heat >= least || !placement.rules_allow(u, t)) continue;
      least = heat;
      best = t;
    }
    placement.move(u, best);
  }
}

}  // namespace ballast::plan
