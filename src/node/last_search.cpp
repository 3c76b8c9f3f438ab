#include "last_search.h"

#include <algorithm>

#include "ballast/base/planted.h"

namespace ballast::node {
namespace {

// A change of load that is felt at once, as a share of the host's capacity. Less waits for the plan
// interval, unless a VM fits because of it.
constexpr double felt_share = 0.02;

// Hosts and VMs of one moment, with what they use.
struct Moment {
  const Snapshot& snapshot;
  const std::vector<Resources>& loads;

  // How far a host is below its limit; negative: over it.
  double slack(HostIndex h, Resource r) const {
    const Host& host = snapshot.hosts[h];
    return host.capacity[r] == unlimited ? unlimited
                                         : host.capacity[r] * host.thresholds[r] - loads[h][r];
  }
  // VMs are to leave it.
  bool gives(HostIndex h) const {
    const Host& host = snapshot.hosts[h];
    return host.usable &&
           (host.maintenance || is_overloaded(loads[h], host.capacity, host.thresholds));
  }
  bool takes(HostIndex h) const {
    return snapshot.hosts[h].usable && !snapshot.hosts[h].maintenance;
  }
  bool fits(const Resources& load, HostIndex h) const {
    return std::all_of(all_resources.begin(), all_resources.end(),
                       [&](Resource r) { return load[r] <= slack(h, r); });
  }
};

const char* change_of_hosts(const Snapshot& then, const Snapshot& now) {
  if (then.hosts.size() != now.hosts.size()) return "a host has joined or left";
  for (HostIndex h = 0; h < now.hosts.size(); ++h) {
    const Host& before = then.hosts[h];
    const Host& host = now.hosts[h];
    if (before.id != host.id) return "a host has joined or left";
    if (before.maintenance != host.maintenance) return "a drain has begun or ended";
    if (before.capacity != host.capacity) return "a host has another capacity";
    if (host.usable && !before.usable) return "a host can be planned with again";
  }
  return nullptr;
}

const char* change_of_vms(const Snapshot& then, const Snapshot& now) {
  if (then.vms.size() != now.vms.size()) return "a VM has come or gone";
  for (VmIndex v = 0; v < now.vms.size(); ++v) {
    if (then.vms[v].id != now.vms[v].id) return "a VM has come or gone";
    if (then.vms[v].host != now.vms[v].host) return "a VM has moved";
    if (then.vms[v].movable != now.vms[v].movable) return "a VM may move, or may no longer";
  }
  return then.rules == now.rules ? nullptr : "where VMs may go has changed";
}

const char* change_of_loads(const Moment& then, const Moment& now) {
  std::vector<HostIndex> roomier;  // by however little
  for (HostIndex h = 0; h < now.snapshot.hosts.size(); ++h) {
    if (!now.snapshot.hosts[h].usable) continue;
    if (now.gives(h) && !then.gives(h)) return "another host is over its threshold";
    bool more = false;
    for (const Resource r : all_resources) {
      const double capacity = now.snapshot.hosts[h].capacity[r];
      if (capacity == unlimited) continue;
      const double grown = now.slack(h, r) - then.slack(h, r);
      if (grown > felt_share * capacity) return "room has come free";
      more = more || grown > 0;
    }
    if (more && now.takes(h)) roomier.push_back(h);
  }
  for (VmIndex v = 0; v < now.snapshot.vms.size(); ++v) {
    const Vm& vm = now.snapshot.vms[v];
    if (!vm.movable || !now.gives(vm.host)) continue;
    const Resources& before = then.snapshot.vms[v].load;
    const Resources& capacity = now.snapshot.hosts[vm.host].capacity;
    for (const Resource r : all_resources) {
      if (capacity[r] != unlimited && before[r] - vm.load[r] > felt_share * capacity[r])
        return "a VM uses less";
    }
    const auto newly_fits = [&](HostIndex h) {
      return h != vm.host && now.fits(vm.load, h) && !then.fits(before, h);
    };
    if (std::any_of(roomier.begin(), roomier.end(), newly_fits)) return "a VM fits on another host";
  }
  return nullptr;
}

// Room of other groups counts for what leaves hosts in maintenance.
const char* change_of_others(const Moment& now, const std::vector<OtherRoom>& then,
                             const std::vector<OtherRoom>& others) {
  if (then == others) return nullptr;
  const auto fits = [](const Resources& load, const std::vector<OtherRoom>& rooms) {
    return std::any_of(rooms.begin(), rooms.end(), [&](const OtherRoom& other) {
      return std::all_of(all_resources.begin(), all_resources.end(),
                         [&](Resource r) { return load[r] <= other.room[r]; });
    });
  };
  for (const Vm& vm : now.snapshot.vms) {
    const bool leaves = vm.movable && now.snapshot.hosts[vm.host].maintenance;
    if (leaves && fits(vm.load, others) && !fits(vm.load, then))
      return "another group has room for a VM";
  }
  return nullptr;
}

// How much loads swing changes with every sample, and only decides between plans that are equally
// good.
bool same_but_swing(const Snapshot& a, const Snapshot& b) {
  const auto same = [](const Vm& one, Vm other) {
    other.swing = one.swing;
    return one == other;
  };
  return a.hosts == b.hosts && a.rules == b.rules &&
         std::equal(a.vms.begin(), a.vms.end(), b.vms.begin(), b.vms.end(), same);
}

}  // namespace

const DrainPlan& LastSearch::plan(const Snapshot& snapshot, const std::vector<OtherRoom>& others) {
  remembered_ = last_ && same_but_swing(last_->snapshot, snapshot) && last_->others == others;
  if (remembered_) return last_->answer;
  last_ = Search{snapshot, others, loads_of(snapshot),
                 with_others(snapshot, plan::make_plan(snapshot, options_), others, options_)};
  return last_->answer;
}

const char* LastSearch::change(const Snapshot& snapshot,
                               const std::vector<OtherRoom>& others) const {
  if (!last_) return "nothing has been searched yet";
  if (const char* what = change_of_hosts(last_->snapshot, snapshot); what != nullptr) return what;
  if (const char* what = change_of_vms(last_->snapshot, snapshot); what != nullptr) return what;
  const std::vector<Resources> loads = loads_of(snapshot);
  const Moment then{last_->snapshot, last_->loads};
  const Moment now{snapshot, loads};
  if (const char* what = change_of_loads(then, now); what != nullptr) return what;
  return change_of_others(now, last_->others, others);
}

}  // namespace ballast::node
