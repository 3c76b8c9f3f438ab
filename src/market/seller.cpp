#include "ballast/market/seller.h"

#include <algorithm>
#include <cmath>

#include "ballast/wire/mesh_messages.h"

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

double fit_of(const std::vector<Resources>& holes, const Resources& load) {
  constexpr double least = 0.01;  // of a VM without load: it fits everywhere equally well
  double sum = 0;
  for (const Resources& hole : holes) {
    if (!fits(hole, load)) continue;
    double share = least;
    for (const Resource r : all_resources) {
      if (load[r] > 0 && hole[r] != unlimited) share = std::max(share, load[r] / hole[r]);
    }
    sum += share * share;
  }
  return sum;
}

namespace {

// Of a pair, so that each pair gives another order.
std::uint64_t score_of(std::uint64_t asker, std::uint64_t seller) {
  std::uint64_t hash = (asker ^ (seller << 32U | seller >> 32U)) * 0x9E3779B97F4A7C15U;
  hash ^= hash >> 29U;
  hash *= 0xBF58476D1CE4E5B9U;
  return hash ^ hash >> 32U;
}

}  // namespace

std::vector<bool> ours_first(const NodeId& self, const std::vector<Seller>& sellers) {
  std::vector<std::uint64_t> keys;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    keys.push_back(wire::key_of(sellers[i].master));
    if (sellers[i].in_need) others.push_back(i);
  }
  const std::uint64_t own_key = wire::key_of(self);
  std::vector<bool> ours(sellers.size(), true);
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    const std::uint64_t own_score = score_of(own_key, keys[i]);
    // Nobody asks itself.
    ours[i] = std::none_of(others.begin(), others.end(), [&](std::size_t other) {
      return other != i && score_of(keys[other], keys[i]) > own_score;
    });
  }
  return ours;
}

}  // namespace ballast::market
