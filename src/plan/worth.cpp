// A search that ends with overload left has most often stopped in the midst of something: a host
// that was to come under and did not keeps migrations that serve nobody then, and the room they
// would have taken serves nobody either. So both are asked of the result: is it better with a unit
// that moved at home (or two, or the units of one host), and is there a unit
// that could go straight to a host with room, by itself or with as many as bring its host under.
#include "worth.h"

#include <algorithm>
#include <optional>

#include "evict.h"
#include "search.h"
#include "search_state.h"
#include "target_index.h"

namespace ballast::plan {
namespace {

struct Shift {
  UnitIndex unit = 0;
  HostIndex to = 0;
};

// A placement that is changed only for the better.
class Touch {
 public:
  Touch(const Problem& problem, Placement& placement)
      : problem_(problem), placement_(placement), score_(score_of(problem, placement)) {}

  bool leave_out(const std::function<bool(const Placement&)>& accept) {
    accept_ = &accept;
    bool some = false;
    while (send_home()) some = true;
    return some;
  }

  std::vector<Action> add() {
    std::vector<HostIndex> targets;
    for (HostIndex h = 0; h < problem_.hosts.size(); ++h)
      if (problem_.hosts[h].target) targets.push_back(h);
    if (targets.empty()) return {};
    position_.assign(problem_.hosts.size(), TargetIndex::none);
    for (std::size_t i = 0; i < targets.size(); ++i) position_[targets[i]] = i;
    room_.emplace(problem_, placement_, targets);
    for (HostIndex h = 0; h < problem_.hosts.size(); ++h) relieve(h);
    return std::move(added_);
  }

 private:
  bool send_home() {
    std::vector<UnitIndex> away;
    std::vector<std::vector<UnitIndex>> of_host(problem_.hosts.size());
    for (UnitIndex u = 0; u < problem_.units.size(); ++u) {
      if (!placement_.moved(u)) continue;
      away.push_back(u);
      of_host[problem_.units[u].home].push_back(u);
    }
    constexpr std::size_t pairs_max = 64;  // beyond that many only those that changed places
    bool some = false;
    for (const UnitIndex u : away) {
      some = home_if_better({u}) || some;
      const std::vector<UnitIndex> others =
          away.size() <= pairs_max ? away : placement_.on(problem_.units[u].home);
      for (const UnitIndex other : others)
        if (other != u) some = home_if_better({u, other}) || some;
      some = another_if_better(u) || some;
    }
    for (const std::vector<UnitIndex>& units : of_host)
      if (units.size() > 1) some = home_if_better(units) || some;
    return some;
  }

  // Another unit of its home goes in its place.
  bool another_if_better(UnitIndex u) {
    if (!placement_.moved(u)) return false;
    const HostIndex home = problem_.units[u].home;
    const HostIndex to = placement_.at(u);
    const std::vector<UnitIndex> others = placement_.on(home);
    return std::any_of(others.begin(), others.end(), [&](UnitIndex other) {
      const Unit& unit = problem_.units[other];
      return unit.movable && !placement_.moved(other) && problem_.may_run_on(unit, to) &&
             take_if_better({{.unit = u, .to = home}, {.unit = other, .to = to}});
    });
  }

  bool home_if_better(const std::vector<UnitIndex>& units) {
    std::vector<Shift> shifts;
    for (const UnitIndex u : units) {
      if (!placement_.moved(u)) return false;
      shifts.push_back({.unit = u, .to = problem_.units[u].home});
    }
    return take_if_better(shifts);
  }

  void relieve(HostIndex h) {
    const PlanHost& host = problem_.hosts[h];
    if (!host.source) return;
    Load excess{};
    bool over = host.maintenance;
    for (std::size_t k = 0; k < resource_count; ++k) {
      excess[k] = placement_.load(h)[k] - host.goal[k];
      over = over || excess[k] > 0;
    }
    if (!over) return;
    std::vector<UnitIndex> could;
    for (const UnitIndex u : placement_.on(h))
      if (problem_.units[u].movable && !placement_.moved(u) && place_for(u)) could.push_back(u);
    constexpr unsigned node_max = 2000;
    if (!host.maintenance && !host.stuck)
      go_if_better(smallest_cover(problem_, could, excess, host.share, node_max).units);
    std::sort(could.begin(), could.end(), [&](UnitIndex a, UnitIndex b) {
      const double x = gain_of(host, problem_.units[a], excess);
      const double y = gain_of(host, problem_.units[b], excess);
      return x != y ? x > y : a < b;
    });
    for (const UnitIndex u : could)
      if (!placement_.moved(u)) go_if_better({u});
  }

  std::optional<HostIndex> place_for(UnitIndex u) const {
    for (std::size_t i = room_->next(0, problem_.units[u].load); i != TargetIndex::none;
         i = room_->next(i + 1, problem_.units[u].load)) {
      const HostIndex t = room_->host(i);
      if (t != placement_.at(u) && placement_.may_arrive(u, t)) return t;
    }
    return std::nullopt;
  }

  // All of them, each where there is room when those before it are there.
  void go_if_better(const std::vector<UnitIndex>& units) {
    std::vector<Shift> shifts;
    for (const UnitIndex u : units) {
      const std::optional<HostIndex> to = place_for(u);
      if (!to) break;
      shifts.push_back({.unit = u, .to = *to});
      placement_.move(u, *to);
      room_->update(placement_, position_[*to], true);
    }
    for (const Shift& shift : shifts) placement_.move(shift.unit, problem_.units[shift.unit].home);
    const bool all = !shifts.empty() && shifts.size() == units.size();
    if (all && take_if_better(shifts))
      for (const Shift& shift : shifts) added_.push_back({.unit = shift.unit, .to = shift.to});
    for (const Shift& shift : shifts) room_->update(placement_, position_[shift.to], true);
  }

  bool take_if_better(const std::vector<Shift>& shifts) {
    std::vector<HostIndex> was, hosts;
    for (const Shift& shift : shifts) {
      was.push_back(placement_.at(shift.unit));
      hosts.push_back(was.back());
      hosts.push_back(shift.to);
    }
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    Score changed = score_;
    changed.overload -= overload_of(hosts);
    for (const Shift& shift : shifts) {
      changed.price -= price_of(shift.unit);
      changed.overload -= undrained(shift.unit);
      placement_.move(shift.unit, shift.to);
      changed.price += price_of(shift.unit);
      changed.overload += undrained(shift.unit);
    }
    changed.overload += overload_of(hosts);
    const bool allowed = std::all_of(shifts.begin(), shifts.end(), [&](const Shift& shift) {
      return placement_.rules_allow(shift.unit, shift.to);
    });
    if (allowed && better(changed, score_) && within_ceilings(hosts) &&
        (accept_ == nullptr || (*accept_)(placement_))) {
      score_ = changed;
      return true;
    }
    for (std::size_t i = shifts.size(); i-- > 0;) placement_.move(shifts[i].unit, was[i]);
    return false;
  }

  double price_of(UnitIndex u) const { return placement_.moved(u) ? problem_.units[u].price : 0; }
  double undrained(UnitIndex u) const {
    const Unit& unit = problem_.units[u];
    const bool waits = !placement_.moved(u) && problem_.hosts[unit.home].maintenance;
    return waits ? unit.count : 0;
  }

  double overload_of(const std::vector<HostIndex>& hosts) const {
    double sum = 0;
    for (const HostIndex h : hosts) sum += cost_of(problem_, placement_, h);
    return sum;
  }

  bool within_ceilings(const std::vector<HostIndex>& hosts) const {
    return std::none_of(hosts.begin(), hosts.end(), [&](HostIndex h) {
      return above_ceiling(problem_.hosts[h], placement_.load(h));
    });
  }

  const Problem& problem_;
  Placement& placement_;
  Score score_;
  std::optional<TargetIndex> room_;
  std::vector<std::size_t> position_;  // of a host in room_
  std::vector<Action> added_;
  const std::function<bool(const Placement&)>* accept_ = nullptr;
};

}  // namespace

bool leave_out_what_does_not_pay(const Problem& problem, Placement& placement,
                                 const std::function<bool(const Placement&)>& accept) {
  return Touch(problem, placement).leave_out(accept);
}

std::vector<Action> what_would_pay(const Problem& problem, Placement& placement) {
  return Touch(problem, placement).add();
}

}  // namespace ballast::plan
