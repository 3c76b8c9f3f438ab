#include "ballast/market/seller.h"

#include <algorithm>
#include <cmath>

namespace ballast::market {

bool fits(const Resources& hole, const Resources& load) {
  return std::all_of(all_resources.begin(), all_resources.end(),
                     [&](Resource r) { return load[r] <= hole[r]; });
}

Resources whole_units(const Resources& room) {
  Resources whole;
  for (const Resource r : all_resources)
    whole[r] = room[r] == unlimited ? unlimited : std::floor(std::max(0.0, room[r]));
  return whole;
}

std::size_t slots_for(const std::vector<Resources>& holes, const Resources& load) {
  constexpr double most = 64;  // a VM without load would fit any number of times
  double slots = 0;
  for (const Resources& hole : holes) {
    if (!fits(hole, load)) continue;
    double here = most;
    for (const Resource r : all_resources) {
      if (load[r] > 0) here = std::min(here, std::floor(hole[r] / load[r]));
    }
    slots += std::max(here, 1.0);
  }
  return static_cast<std::size_t>(std::min(slots, 4 * most));
}

}  // namespace ballast::market
