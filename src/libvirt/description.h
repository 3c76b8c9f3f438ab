// What a domain's description says that its counters do not: whether it can move, and which rules
// its owner gave it. What libvirt would refuse, or do although the disks would then differ, is
// known here before anything is planned.
//
// The owner's word is an element in the domain's metadata, set for example with
//
//   virsh metadata VM urn:ballast --key ballast --set '<vm policy="pinned"/>'
//
//   policy="movable"         may move (what opt_in asks for)
//   policy="pinned"          stays where it is; counts in all else
//   policy="ignored"         the same, for VMs that are somebody else's to care for
//   affinity="A B"           on one host with the VMs of each of these groups
//   anti-affinity="C"        on another host than each other VM of these groups
//   hosts="H1 H2"            only on these hosts (their ids)
//
// A VM with one of these three rules stays where it is, so that the rule is not broken.
// What cannot be understood keeps the VM where it is: a rule that was misread must not be broken.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"

namespace ballast::libvirt {

inline constexpr std::string_view metadata_space = "urn:ballast";

struct Description {
  std::string immovable;  // why it cannot move; empty: it can
  bool forced = false;    // libvirt must be told to move it although it takes a disk for local
  double memory_mib = 0;  // what the guest may use without asking
  bool huge_pages = false;
  double cpu_share_max = 1;  // of one CPU, that each of its vCPUs may use at most
  std::vector<std::string> affinity;
  std::vector<std::string> anti_affinity;
  std::vector<std::string> hosts;  // empty: any
  std::string cpu_model;           // that the host must offer; empty: any host does
  std::vector<std::string> disks;  // their targets, of those that have a source: "vda"
  std::string machine;             // as libvirt resolved it: "pc-q35-7.2"

  bool operator==(const Description&) const = default;
};

struct DescribeOptions {
  bool opt_in = false;
  bool knows_rules = false;  // whoever plans does: a VM that is bound by one need not stay
  // Files that are the same on all hosts, but that libvirt takes for local, may move: with the flag
  // VIR_MIGRATE_UNSAFE, where no host caches them.
  bool force_shared_paths = false;
  // True when the file or device is the same on all hosts; nothing: nobody can tell now.
  std::function<std::optional<bool>(const std::string& path)> is_shared;
  // The same for volume `volume` of the storage pool.
  std::function<std::optional<bool>(const std::string& pool, const std::string& volume)>
      is_shared_volume;
  // True when libvirt, too, takes that file or volume for shared, or does not ask. Not set: it
  // does.
  std::function<std::optional<bool>(const std::string& path)> libvirt_takes_for_shared;
  std::function<std::optional<bool>(const std::string& pool, const std::string& volume)>
      libvirt_takes_volume_for_shared;
};

// Never fails: what is no description of a domain is one that cannot move.
Description describe(const std::string& xml, const DescribeOptions& options);

}  // namespace ballast::libvirt
