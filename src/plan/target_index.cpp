#include "target_index.h"

#include <algorithm>

namespace ballast::plan {
namespace {

bool holds(const Load& room, const Load& need) {
  return room[0] >= need[0] && room[1] >= need[1] && room[2] >= need[2];
}

Load larger(const Load& a, const Load& b) {
  return {std::max(a[0], b[0]), std::max(a[1], b[1]), std::max(a[2], b[2])};
}

}  // namespace

TargetIndex::TargetIndex(const Problem& problem, const Placement& placement,
                         std::vector<HostIndex> order)
    : problem_(&problem), order_(std::move(order)) {
  while (leaves_ < order_.size()) leaves_ *= 2;
  room_.assign(2 * leaves_, Load{-1, -1, -1});
  for (std::size_t i = 0; i < order_.size(); ++i) set_leaf(placement, i, true);
  for (std::size_t i = leaves_; i-- > 1;) room_[i] = larger(room_[2 * i], room_[2 * i + 1]);
}

void TargetIndex::set_leaf(const Placement& placement, std::size_t position, bool open) {
  Load& room = room_[leaves_ + position];
  const HostIndex h = order_[position];
  for (std::size_t k = 0; k < resource_count; ++k)
    room[k] = open ? std::max(0.0, problem_->hosts[h].intake[k] - placement.load(h)[k]) : -1;
}

void TargetIndex::update(const Placement& placement, std::size_t position, bool open) {
  set_leaf(placement, position, open);
  for (std::size_t i = (leaves_ + position) / 2; i > 0; i /= 2)
    room_[i] = larger(room_[2 * i], room_[2 * i + 1]);
}

std::size_t TargetIndex::next(std::size_t from, const Load& need) const {
  if (from >= order_.size()) return none;
  // Climb to the first subtree right of `from` that may hold it, then go down along its left side.
  std::size_t i = leaves_ + from;
  while (true) {
    if (holds(room_[i], need)) {
      if (i >= leaves_) return i - leaves_;
      i = 2 * i;
      continue;
    }
    while (i & 1U) i /= 2;  // a right child: what is right of it is right of its parent
    if (i == 0) return none;
    ++i;
  }
}

}  // namespace ballast::plan
