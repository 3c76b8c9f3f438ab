// Heat: how full a host is, as one number that compares hosts of any size and thresholds. It is the
// fullest resource against its limit (threshold x capacity), 1 at the threshold, with headroom for
// what swings. Planner, market and best-host go by it: of two hosts that could take a VM, the one
// with the lower heat afterwards is the better one.
#pragma once

#include <algorithm>
#include <cmath>

#include "ballast/model/resources.h"

namespace ballast {

// How many deviations of the sum of its VMs' swings a host is to have room for. Chosen by
// measurement (docs/estimators.md, "Headroom"): more asks for large VMs, whose copies take longer.
inline constexpr double headroom_deviations = 0.5;

// Of one resource. `variance` of the load; `per_limit`: 1 / limit, 0 where nothing limits it.
inline double heat_of(double load, double variance, double per_limit) {
  const double swing = variance > 0 ? headroom_deviations * std::sqrt(variance) : 0;
  return (load + swing) * per_limit;
}

// Of a host whose limits are these (`unlimited` where nothing limits it; what is 0 takes no load).
inline double heat_of(const Resources& load, const Resources& variance, const Resources& limit) {
  double most = 0;
  for (const Resource r : all_resources) {
    if (limit[r] == unlimited) continue;
    if (limit[r] > 0)
      most = std::max(most, heat_of(load[r], variance[r], 1 / limit[r]));
    else if (load[r] > 0)
      most = unlimited;
  }
  return most;
}

inline Resources limit_of(const Resources& capacity, const Thresholds& thresholds) {
  Resources limit;
  for (const Resource r : all_resources) limit[r] = capacity[r] * thresholds[r];
  return limit;
}

// Swings that have nothing to do with each other add up as variances.
inline Resources squared(const Resources& swing) {
  Resources variance;
  for (const Resource r : all_resources) variance[r] = swing[r] * swing[r];
  return variance;
}

}  // namespace ballast
