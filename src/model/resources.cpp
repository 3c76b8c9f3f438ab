#include "ballast/model/resources.h"

#include <algorithm>

namespace ballast {

const char* name_of(Resource resource) {
  switch (resource) {
    case Resource::cpu: return "cpu";
    case Resource::memory: return "memory";
    case Resource::network: return "network";
  }
  return "?";
}

double excess_of(double load, double capacity, double threshold) {
  if (capacity == unlimited) return 0;
  return std::max(0.0, load / capacity - threshold);
}

double overload_of(const Resources& load, const Resources& capacity, const Thresholds& thresholds) {
  double sum = 0;
  for (const Resource r : all_resources) sum += excess_of(load[r], capacity[r], thresholds[r]);
  return sum;
}

bool is_overloaded(const Resources& load, const Resources& capacity, const Thresholds& thresholds) {
  return overload_of(load, capacity, thresholds) > load_tolerance;
}

bool is_saturated(const Resources& load, const Resources& capacity) {
  return load.cpu_mhz >= capacity.cpu_mhz * (1 - load_tolerance);
}

}  // namespace ballast
