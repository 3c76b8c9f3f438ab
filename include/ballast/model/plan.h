// A plan: what to migrate and in which order, what could not be helped (surplus), and the room that
// is left (spare). Indices point into the snapshot that was planned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ballast/model/resources.h"
#include "ballast/model/snapshot.h"

namespace ballast {

struct Migration {
  VmIndex vm = 0;
  HostIndex from = 0;
  HostIndex to = 0;
  std::uint32_t step = 1;             // from 1; a step begins when the one before has ended
  std::optional<std::uint32_t> swap;  // both halves of a swap share a number, from 1
  bool operator==(const Migration&) const = default;
};

enum class SurplusReason : unsigned char {
  no_cpu,      // every host that is allowed lacks CPU
  no_memory,   // ... lacks memory
  no_network,  // ... lacks network
  rule,        // a rule forbids every host that has room
  immovable,   // the VM may not be moved
  stale,       // the data of its host cannot be trusted
  own_load,    // what its host uses for itself, without any VM, is above the CPU threshold
  not_worth,   // its leaving would take too little off a host that stays over all the same
  no_target,   // no other host is usable, or none lacks just one thing
};

const char* name_of(SurplusReason reason);

struct Surplus {
  VmIndex vm = 0;
  HostIndex host = 0;
  SurplusReason reason = SurplusReason::no_target;
};

struct Spare {
  HostIndex host = 0;
  Resources room;  // up to the thresholds; network may be `unlimited`
};

struct Plan {
  std::vector<Migration> migrations;  // ordered by step
  std::vector<Surplus> surplus;
  std::vector<Spare> spare;
  double overload_before = 0;
  double overload_after = 0;
  std::size_t overloaded_before = 0;  // hosts
  std::size_t overloaded_after = 0;
  std::size_t lower_bound = 0;  // no plan that removes all overload has fewer migrations
};

// The snapshot as it is when every migration of the plan has ended.
Snapshot applied(Snapshot snapshot, const Plan& plan);

}  // namespace ballast
