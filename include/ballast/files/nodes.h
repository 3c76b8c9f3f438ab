// `ballast-nodes/1`: who belongs to the fleet, as a node tells it. docs/formats.md has the fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"

namespace ballast::files {

struct FleetNode {
  std::string id;
  bool may_lead = false;
  std::string trust;  // "certificate", "both" (the trust file names it too), "hand", "revoked"
  std::optional<std::uint64_t> since_s;  // since 1970, by the clock of who certified or revoked it
  std::optional<Duration> heard;         // how long ago, by its master
  std::string master;                    // that heard it
  bool lost = false;
};

struct FleetNodes {
  std::string trust;      // how keys are trusted at the node that was asked, in words
  std::string fleet_key;  // public, base64; empty: none
  std::uint32_t generation = 0;
  std::string unheard;  // masters that did not answer, in words
  std::vector<FleetNode> nodes;
};

std::string nodes_json(const FleetNodes& fleet);
Result<FleetNodes> parse_nodes(std::string_view text, const std::string& name);

}  // namespace ballast::files
