// A snapshot: hosts, VMs and rules at one moment, as plain values. VMs and rules name hosts and VMs
// by index into the snapshot's own vectors, so that planning never looks up a text.
//
// Whoever builds a snapshot promises: ids unique and valid, indices in range, numbers finite and
// not negative (a network capacity may be `unlimited`), capacities above 0 on usable hosts,
// thresholds in (0, 1]. check() says whether it was kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/model/resources.h"

namespace ballast {

using HostIndex = std::uint32_t;
using VmIndex = std::uint32_t;

struct Host {
  HostId id;
  Resources capacity;
  Resources base;         // load that is not VMs; counts against the thresholds
  Thresholds thresholds;  // this host's, after defaults
  bool maintenance = false;
  // False where data are missing, stale or implausible: the host is then neither a source nor a
  // target of moves (but what it holds still counts for rules).
  bool usable = true;
  bool operator==(const Host&) const = default;
};

struct Vm {
  VmId id;
  HostIndex host = 0;
  Resources load;
  bool movable = true;
  std::string immovable_reason{};  // for people, where it is known
  // How much the load swings: its standard deviation over about the last hour; 0: not known.
  Resources swing;
  double dirty_rate_mib_s = 0;  // 0: not known
  // It failed somewhere lately, perhaps outside this snapshot: where others do as well, they are
  // named as surplus instead of it.
  bool failed_lately = false;
  bool operator==(const Vm&) const = default;
};

enum class RuleType : unsigned char { affinity, anti_affinity, hosts };

struct Rule {
  RuleType type = RuleType::affinity;
  std::vector<VmIndex> vms;
  std::vector<HostIndex> hosts;  // for RuleType::hosts: where these VMs may run
  bool operator==(const Rule&) const = default;
};

struct Snapshot {
  std::vector<Host> hosts;
  std::vector<Vm> vms;
  std::vector<Rule> rules;
  bool operator==(const Snapshot&) const = default;
};

// Ok, or the first promise above that the snapshot breaks.
Status check(const Snapshot& snapshot);

// Load of every host: base plus its VMs, in the order of snapshot.hosts.
std::vector<Resources> loads_of(const Snapshot& snapshot);

// Overload of the whole snapshot (design, section 1): excess over hosts and resources, and 1 for
// each VM on a host in maintenance.
double overload_of(const Snapshot& snapshot);

// Hosts over a threshold, those in maintenance not counted.
std::size_t overloaded_hosts(const Snapshot& snapshot);

}  // namespace ballast
