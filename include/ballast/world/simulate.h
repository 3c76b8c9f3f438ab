// One simulation from begin to end: a made-up fleet, a profile of faults, and what came of it. The
// door of `ballast simulate`. Source: design, section 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/world/finding.h"

namespace ballast::world {

enum class FaultProfile : unsigned char {
  none,
  loss30,   // of all messages 30 % get lost
  crash80,  // 80 % of the masters crash at once, in the middle
  chaos,    // everything, for two thirds of the time; then nothing
  // One master lies, and one slave in each second group that is left; no other fault.
  liars,
};
const char* name_of(FaultProfile profile);
std::optional<FaultProfile> fault_profile(std::string_view name);

struct SimulateOptions {
  std::size_t masters = 3;
  std::size_t slaves = 4;  // of each master
  std::size_t vms = 4;     // of each host
  std::uint64_t seed = 1;
  FaultProfile faults = FaultProfile::none;
  double minutes = 10;
  // memberlist's push gossip carries the same words beside our mesh, once that has settled.
  bool beside_memberlist = false;
  // A line whenever something happens; makes it slow.
  std::function<void(const std::string& line)> log;
};

// Between masters, a second and master.
struct Bytes {
  double in = 0;
  double out = 0;
};

// How memberlist's push gossip did with the same changes.
struct BesideResult {
  std::vector<double> rounds_to_all;
  std::uint64_t lost = 0;  // changes that not all masters ever knew of
  double bytes_per_master_s = 0;
};

// Most masters crashed at once: how the others came together again.
struct CrashResult {
  std::size_t masters_left = 0;
  std::optional<double> one_mesh_s;  // until 99 % of them were one mesh
};

struct SimulateResult {
  std::size_t hosts = 0;
  std::size_t vms = 0;
  double simulated_s = 0;
  // Rounds of gossip until each master that lives knew of a marked change: one for each change.
  std::vector<double> rounds_to_all;
  std::uint32_t peers_max = 0;
  std::uint32_t connections_max = 0;
  double in_bytes_per_master_s = 0;
  double out_bytes_per_master_s = 0;
  Bytes while_joining;  // in the first minute
  Bytes once_joined;    // from the third minute on; zeros in a run that is shorter
  // Summaries that changed in a minute, per master, from the third minute on: 0.05 means 5 %.
  double changed_share_per_minute = 0;
  std::map<std::string, double> bytes_by_kind;  // sent, a second and master, over the whole run
  std::optional<BesideResult> memberlist;
  std::optional<CrashResult> crash;
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_granted = 0;
  std::uint64_t requests_granted_first = 0;
  std::uint64_t requests_refused = 0;
  std::uint64_t requests_refused_stale = 0;
  std::uint64_t migrations = 0;  // arrived
  std::uint64_t migrations_remote = 0;
  std::uint64_t migrations_swaps = 0;
  double overload_before = 0;
  double overload_after = 0;
  std::size_t surplus_left_that_fits = 0;
  std::vector<Finding> findings;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
};

SimulateResult simulate(const SimulateOptions& options);

}  // namespace ballast::world
