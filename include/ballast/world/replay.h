// A recorded day, run through: the whole system on the loads of a trace under virtual time, and
// what it did for them. The door of `ballast replay`. Source: design, section 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ballast/model/config.h"
#include "ballast/model/trace.h"
#include "ballast/world/finding.h"

namespace ballast::world {

struct ReplayOptions {
  Trace trace;
  // Of every node; id, role and master are set for each, thresholds are the trace's, the mode is
  // `auto` unless `moves` is false.
  Config config;
  bool moves = true;
  bool one_group = false;  // all hosts under the first one
  std::uint64_t seed = 1;
  std::function<void(const std::string& line)> log;
};

struct ReplayResult {
  std::size_t hosts = 0;
  std::size_t vms = 0;
  std::size_t groups = 0;
  std::size_t intervals = 0;
  double time_over_threshold = 0;  // share of host time, in any resource
  double time_saturated = 0;       // share of host time with more CPU demanded than there is
  double demand_not_served = 0;    // share of the CPU demanded
  std::uint64_t migrations = 0;    // arrived
  std::uint64_t migrations_remote = 0;
  std::uint64_t migrations_swaps = 0;
  std::uint64_t returns_2h = 0;
  double utilisation_mean = 0;  // CPU demanded, as a share of what there is
  double utilisation_max = 0;   // of one host at one moment
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_granted = 0;
  std::uint64_t requests_granted_first = 0;
  std::uint64_t requests_refused = 0;
  std::uint64_t requests_refused_stale = 0;
  double bytes_per_master_s = 0;  // sent to other masters
  double moved_mib = 0;           // memory of the VMs that moved, each time
  struct Over {
    HostId host;
    Duration span{0};
  };
  std::vector<Over> over;  // who was over the threshold, and for how long in all; longest first
  struct Move {
    Duration at{0};  // since the trace began, when it arrived
    VmId vm;
    HostId from;
    HostId to;
  };
  std::vector<Move> first_moves;  // at most moves_told of them
  static constexpr std::size_t moves_told = 10;
  std::vector<Finding> findings;
  std::uint64_t hash = 0;
};

ReplayResult replay(ReplayOptions options);

}  // namespace ballast::world
