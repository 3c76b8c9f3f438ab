// The formulas of the mesh; the header says what each is for.

#include "ballast/mesh/formulas.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ballast/base/limits.h"

namespace ballast::mesh {

std::size_t active_target(std::size_t masters) {
  if (masters <= limits::peers_active_max + 1) return masters == 0 ? 0 : masters - 1;
  // Rounded up: the bits of (masters - 1).
  const auto log2 = static_cast<std::size_t>(std::bit_width(masters - 1));
  return std::min(log2 + 2, limits::peers_active_max);
}

std::size_t active_low(std::size_t masters) { return (active_target(masters) + 1) / 2; }

double relay_budget_bytes_s(std::size_t masters) {
  constexpr double at_1000 = 1600;
  constexpr double at_10000 = 6200;
  const double decades = std::log10(static_cast<double>(std::max<std::size_t>(masters, 1)) / 1000);
  return at_1000 + (at_10000 - at_1000) * std::clamp(decades, 0.0, 1.0);
}

RelayDegree relay_degree(double news_bytes_s, std::size_t masters, std::size_t links) {
  constexpr std::size_t first_min = 2;
  constexpr std::size_t again_min = 1;
  const double bought = relay_budget_bytes_s(masters) / std::max(news_bytes_s, 1.0);
  const auto copies = static_cast<std::size_t>(std::clamp(
      bought, static_cast<double>(first_min + again_min), 2.0 * limits::peers_active_max));
  const std::size_t again = copies / 3;
  return {std::min(copies - again, links), std::min(std::max(again, again_min), links)};
}

Duration refresh_interval(std::size_t masters) {
  return std::max<Duration>(std::chrono::minutes(1),
                            std::chrono::seconds(2) * static_cast<std::int64_t>(masters));
}

Duration pace(double news_bytes_s, std::size_t masters) {
  constexpr double calm_s = 10;
  constexpr double flooded_s = 300;
  constexpr double copies_min = 3;
  const double load = copies_min * news_bytes_s / relay_budget_bytes_s(masters);
  return duration_of_seconds(std::clamp(calm_s * load * load, calm_s, flooded_s));
}

namespace {

// VMs of a usual size that fit.
double vms_of(const Resources& room) {
  constexpr double usual_cpu_mhz = 2000;
  constexpr double usual_memory_mib = 4096;
  return std::min(room.cpu_mhz / usual_cpu_mhz, room.memory_mib / usual_memory_mib);
}

}  // namespace

double usefulness(const wire::Summary& summary, TimePoint heard_at, double taste) {
  constexpr double doubling_s = 600;
  constexpr double taste_doublings = 2;
  double vms = std::max(vms_of(summary.spare), 0.0);
  if (!summary.holes.empty()) vms += std::max(vms_of(summary.holes.front()), 0.0);
  return std::log2(1 + vms) + taste_doublings * taste +
         seconds_of(heard_at.time_since_epoch()) / doubling_s;
}

double taste_of(std::uint64_t own_key, std::uint64_t key) {
  std::uint64_t mixed = (own_key ^ std::rotl(key, 29)) * 0x9E3779B97F4A7C15U;
  mixed ^= mixed >> 32U;
  mixed *= 0xD6E8FEB86659FD93U;
  return static_cast<double>(mixed >> 11U) * 0x1.0p-53;
}

}  // namespace ballast::mesh
