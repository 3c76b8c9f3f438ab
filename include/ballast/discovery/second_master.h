// When a master that is alone makes one of its slaves a second (design, section 3.11,
// `min_masters`): so that its own death leaves the others somewhere to go. A pure decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"

namespace ballast::discovery {

struct PromotionCandidate {
  NodeId id;
  bool automatic = false;      // its role is `auto`
  bool may_be_master = false;  // as far as the trust store says
  bool maintenance = false;
};

struct MasterCount {
  std::uint32_t min_masters = 2;
  std::size_t other_masters = 0;  // known to live
  // Since when there are fewer than wanted. A master that has just started knows nobody yet.
  TimePoint short_since;
  std::optional<TimePoint> promoted_at;  // the last time that we promoted one
};

// The slave to promote now; nothing when there are masters enough, when it is too early (10 s of
// being short, 30 s after the last promotion), or when nobody is suitable. Of those that are, the
// lowest id: asked again, it is the same one.
std::optional<NodeId> slave_to_promote(TimePoint now, const MasterCount& count,
                                       const std::vector<PromotionCandidate>& slaves);

// When to ask slave_to_promote() again; time_never when there are masters enough.
TimePoint next_promotion(const MasterCount& count);

}  // namespace ballast::discovery
