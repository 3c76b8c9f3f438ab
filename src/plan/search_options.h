// What a search may draw from: which hosts must give something away, what they could give, and
// where it could go.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "ballast/base/random.h"
#include "placement.h"
#include "problem.h"

namespace ballast::plan {

class SearchOptions {
 public:
  SearchOptions(const Problem& problem, std::uint64_t seed);

  std::vector<HostIndex> targets;
  std::vector<HostIndex> sources;   // hosts that must give something away, and could
  std::vector<std::uint32_t> need;  // by host: migrations that it needs at least
  // By source: which of its units could be the one, and where it could fit at all, counting what a
  // target might itself give away.
  std::vector<std::vector<std::pair<UnitIndex, HostIndex>>> options;
  std::vector<std::vector<UnitIndex>> own;  // by source: its movable units
  std::vector<UnitIndex> by_size;           // all movable units, the largest first
  std::vector<std::size_t> rank;            // by unit: its place there, or unranked

  static constexpr std::size_t unranked = ~std::size_t{0};

 private:
  void rank_units();
  void list_options(const Placement& start, HostIndex host, const std::vector<Load>& room,
                    const std::vector<Load>& wide);
  void add_options(HostIndex host, UnitIndex unit, const std::vector<Load>& room);
  std::vector<UnitIndex> leavers(const Placement& start, HostIndex host, std::uint32_t left) const;

  const Problem& problem_;
  Random random_;
};

}  // namespace ballast::plan
