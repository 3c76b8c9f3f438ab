#include "stand_by.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::node {
namespace {

// The first one may only have restarted: it is tried again meanwhile.
constexpr Duration alone_max = std::chrono::seconds(5);
constexpr int tries_max = 2;

}  // namespace

StandBy::Next StandBy::tick(TimePoint now, const NodeId& first, bool attached, std::size_t slaves,
                            const std::vector<MasterView>& others) {
  if (!active_ || attached || planted::on(planted::Bug::stands_by_for_ever)) {
    alone_since_.reset();
    tried_ = 0;
    return {};
  }
  if (!alone_since_) alone_since_ = now;
  if (now < *alone_since_ + alone_max) return {};
  alone_since_ = now;
  const MasterView* best = nullptr;
  for (const MasterView& one : others) {
    const bool comes_first = one.hosts > 0 || one.id < self_;
    if (one.id == first || one.id == self_ || one.withdrawn || !one.peer || !comes_first) continue;
    const auto rank = [](const MasterView& view) { return std::pair(view.hosts == 0, view.id); };
    if (best == nullptr || rank(one) < rank(*best)) best = &one;
  }
  if (best == nullptr || slaves > 0 || tried_++ >= tries_max) return {true, std::nullopt};
  return {false, PeerAddress{best->id, best->endpoint}};
}

TimePoint StandBy::next_deadline() const {
  return active_ && alone_since_ ? *alone_since_ + alone_max : time_never;
}

bool StandBy::takes_slaves(const NodeId& first, bool attached, std::size_t slaves_max,
                           const std::vector<MasterView>& others) const {
  if (!active_ || !attached) return true;
  const auto known = std::find_if(others.begin(), others.end(),
                                  [&](const MasterView& one) { return one.id == first; });
  if (known == others.end()) return false;
  return known->hosts >= limits::small_fleet_hosts || known->hosts > slaves_max;
}

}  // namespace ballast::node
