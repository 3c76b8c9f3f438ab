#include "ballast/model/snapshot.h"

#include <cmath>
#include <string>
#include <unordered_set>

#include "ballast/base/limits.h"

namespace ballast {
namespace {

bool is_amount(double number) { return std::isfinite(number) && number >= 0; }

std::string describe(Resource resource, double number) {
  return std::string(name_of(resource)) + " is " + std::to_string(number);
}

Status check_host(const Host& host) {
  const std::string where = "host " + quoted(host.id.str()) + ": ";
  if (!is_valid_id(host.id.str())) return Error{where + "not a valid id"};
  for (const Resource r : all_resources) {
    const double capacity = host.capacity[r];
    const bool endless = r == Resource::network && capacity == unlimited;
    if (!endless && !is_amount(capacity))
      return Error{where + "capacity of " + describe(r, capacity) + ", expected a finite number"};
    if (host.usable && !(capacity > 0))
      return Error{where + "capacity of " + describe(r, capacity) + ", expected more than 0"};
    if (!is_amount(host.base[r]))
      return Error{where + "base of " + describe(r, host.base[r]) + ", expected 0 or more"};
    if (!(host.thresholds[r] > 0 && host.thresholds[r] <= limits::threshold_max))
      return Error{where + "threshold of " + describe(r, host.thresholds[r]) +
                   ", expected above 0, at most 1"};
  }
  return {};
}

Status check_vm(const Vm& vm, std::size_t hosts) {
  const std::string where = "vm " + quoted(vm.id.str()) + ": ";
  if (!is_valid_id(vm.id.str())) return Error{where + "not a valid id"};
  if (vm.host >= hosts) return Error{where + "its host is not in the snapshot"};
  for (const Resource r : all_resources) {
    if (!is_amount(vm.load[r]))
      return Error{where + "load of " + describe(r, vm.load[r]) + ", expected 0 or more"};
    if (!is_amount(vm.swing[r]))
      return Error{where + "swing of " + describe(r, vm.swing[r]) + ", expected 0 or more"};
  }
  if (!is_amount(vm.dirty_rate_mib_s)) return Error{where + "dirty rate is not 0 or more"};
  return {};
}

}  // namespace

Status check(const Snapshot& snapshot) {
  std::unordered_set<std::string> seen;
  for (const Host& host : snapshot.hosts) {
    if (Status bad = check_host(host); !bad) return bad;
    if (!seen.insert(host.id.str()).second)
      return Error{"host " + quoted(host.id.str()) + ": given twice"};
  }
  seen.clear();
  for (const Vm& vm : snapshot.vms) {
    if (Status bad = check_vm(vm, snapshot.hosts.size()); !bad) return bad;
    if (!seen.insert(vm.id.str()).second)
      return Error{"vm " + quoted(vm.id.str()) + ": given twice"};
  }
  for (std::size_t n = 0; n < snapshot.rules.size(); ++n) {
    const std::string where = "rule " + std::to_string(n + 1) + ": ";
    for (const VmIndex vm : snapshot.rules[n].vms) {
      if (vm >= snapshot.vms.size()) return Error{where + "names a VM that is not there"};
    }
    for (const HostIndex host : snapshot.rules[n].hosts) {
      if (host >= snapshot.hosts.size()) return Error{where + "names a host that is not there"};
    }
  }
  return {};
}

std::vector<Resources> loads_of(const Snapshot& snapshot) {
  std::vector<Resources> loads;
  loads.reserve(snapshot.hosts.size());
  for (const Host& host : snapshot.hosts) loads.push_back(host.base);
  for (const Vm& vm : snapshot.vms) loads[vm.host] += vm.load;
  return loads;
}

double overload_of(const Snapshot& snapshot) {
  const std::vector<Resources> loads = loads_of(snapshot);
  double sum = 0;
  for (std::size_t h = 0; h < loads.size(); ++h) {
    const Host& host = snapshot.hosts[h];
    if (host.usable) sum += overload_of(loads[h], host.capacity, host.thresholds);
  }
  for (const Vm& vm : snapshot.vms) sum += snapshot.hosts[vm.host].maintenance ? 1.0 : 0.0;
  return sum;
}

std::size_t overloaded_hosts(const Snapshot& snapshot) {
  const std::vector<Resources> loads = loads_of(snapshot);
  std::size_t count = 0;
  for (std::size_t h = 0; h < loads.size(); ++h) {
    const Host& host = snapshot.hosts[h];
    if (host.usable && !host.maintenance && is_overloaded(loads[h], host.capacity, host.thresholds))
      ++count;
  }
  return count;
}

}  // namespace ballast
