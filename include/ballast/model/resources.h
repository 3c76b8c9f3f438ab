// Resources: what a host has and a VM uses. CPU in MHz (cores times clock, so that unlike hosts
// compare), memory in MiB, network in Mbit/s.
#pragma once

#include <array>
#include <cstddef>
#include <limits>

#include "ballast/base/assert.h"

namespace ballast {

enum class Resource : unsigned char { cpu, memory, network };
inline constexpr std::size_t resource_count = 3;
inline constexpr std::array<Resource, resource_count> all_resources = {
    Resource::cpu, Resource::memory, Resource::network};

const char* name_of(Resource resource);

// A capacity without bound: a network that nobody measured.
inline constexpr double unlimited = std::numeric_limits<double>::infinity();

struct Resources {
  double cpu_mhz = 0;
  double memory_mib = 0;
  double network_mbit = 0;

  constexpr double operator[](Resource r) const {
    return r == Resource::cpu ? cpu_mhz : r == Resource::memory ? memory_mib : network_mbit;
  }
  constexpr double& operator[](Resource r) {
    return r == Resource::cpu ? cpu_mhz : r == Resource::memory ? memory_mib : network_mbit;
  }
  constexpr Resources& operator+=(const Resources& other) {
    cpu_mhz += other.cpu_mhz;
    memory_mib += other.memory_mib;
    network_mbit += other.network_mbit;
    return *this;
  }
  constexpr Resources& operator-=(const Resources& other) {
    cpu_mhz -= other.cpu_mhz;
    memory_mib -= other.memory_mib;
    network_mbit -= other.network_mbit;
    return *this;
  }
  friend constexpr Resources operator+(Resources a, const Resources& b) { return a += b; }
  friend constexpr Resources operator-(Resources a, const Resources& b) { return a -= b; }
  bool operator==(const Resources&) const = default;
};

// The utilisation (share of capacity, in (0, 1]) above which a host is overloaded.
struct Thresholds {
  double cpu = 0.8;
  double memory = 0.9;
  double network = 0.8;

  constexpr double operator[](Resource r) const {
    return r == Resource::cpu ? cpu : r == Resource::memory ? memory : network;
  }
  constexpr double& operator[](Resource r) {
    return r == Resource::cpu ? cpu : r == Resource::memory ? memory : network;
  }
  bool operator==(const Thresholds&) const = default;
};

// The share of a capacity below which a difference is rounding, not load. The judge of plans uses
// the same number.
inline constexpr double load_tolerance = 1e-6;

// How far a load is over threshold x capacity, as a share of capacity; 0 when it is not, or when
// the capacity is unlimited. Source: design, section 1, "overload".
double excess_of(double load, double capacity, double threshold);

// Sum of excess_of over the resources.
double overload_of(const Resources& load, const Resources& capacity, const Thresholds& thresholds);

// True when the overload is more than load_tolerance.
bool is_overloaded(const Resources& load, const Resources& capacity, const Thresholds& thresholds);

// All of its CPU, or more, is asked for: its VMs wait for each other.
bool is_saturated(const Resources& load, const Resources& capacity);

}  // namespace ballast
