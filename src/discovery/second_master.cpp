#include "ballast/discovery/second_master.h"

#include <algorithm>

namespace ballast::discovery {
namespace {

constexpr Duration short_for_min = std::chrono::seconds(10);
constexpr Duration between_promotions = std::chrono::seconds(30);

}  // namespace

TimePoint next_promotion(const MasterCount& count) {
  if (count.other_masters + 1 >= count.min_masters) return time_never;
  const TimePoint earliest = count.short_since + short_for_min;
  if (!count.promoted_at) return earliest;
  return std::max(earliest, *count.promoted_at + between_promotions);
}

std::optional<NodeId> slave_to_promote(TimePoint now, const MasterCount& count,
                                       const std::vector<PromotionCandidate>& slaves) {
  if (now < next_promotion(count)) return std::nullopt;
  const PromotionCandidate* best = nullptr;
  for (const PromotionCandidate& slave : slaves) {
    if (!slave.automatic || !slave.may_be_master || slave.maintenance) continue;
    if (best == nullptr || slave.id < best->id) best = &slave;
  }
  return best == nullptr ? std::nullopt : std::optional(best->id);
}

}  // namespace ballast::discovery
