// One simulation from begin to end: a made-up fleet, a profile of faults, and what came of it. The
// door of `ballast simulate`. Source: design, section 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  // A line whenever something happens; makes it slow.
  std::function<void(const std::string& line)> log;
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
