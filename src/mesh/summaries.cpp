// An array of summaries and one of scores; `known` says where each one is.

#include "summaries.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::mesh {

void Summaries::set(std::size_t slot, TimePoint now, const wire::ItemPtr& item) {
  const bool stays = planted::on(planted::Bug::mesh_keeps_withdrawn) && all_[slot].withdrawn;
  all_[slot] = {item, now, stays};
  scores_[slot] = usefulness(item->summary, now, taste_of(own_key_, item->key));
  least_.reset();
}

std::size_t Summaries::least() {
  if (!least_)
    least_ = static_cast<std::size_t>(std::min_element(scores_.begin(), scores_.end()) -
                                      scores_.begin());
  return *least_;
}

void Summaries::put(TimePoint now, const wire::ItemPtr& item, Known::Entry& entry, Known& known) {
  if (entry.slot != Known::Entry::none) return set(entry.slot, now, item);
  std::size_t slot = all_.size();
  if (slot < limits::summaries_kept_max) {
    all_.emplace_back();
    scores_.emplace_back();
  } else {
    slot = least();
    if (usefulness(item->summary, now, taste_of(own_key_, item->key)) <= scores_[slot]) return;
    if (Known::Entry* old = known.find(all_[slot].item->key)) old->slot = Known::Entry::none;
  }
  set(slot, now, item);
  entry.slot = static_cast<std::uint16_t>(slot);
}

bool Summaries::withdraw(std::uint16_t slot) {
  if (slot >= all_.size() || all_[slot].withdrawn) return false;
  all_[slot].withdrawn = true;
  scores_[slot] = -std::numeric_limits<double>::infinity();
  least_.reset();
  return true;
}

void Summaries::drop(std::vector<std::uint16_t> slots, Known& known) {
  // From the last one on, so that what moves into a hole is never itself to go.
  std::sort(slots.begin(), slots.end(), std::greater<>());
  least_.reset();
  for (const std::uint16_t slot : slots) {
    const std::size_t last = all_.size() - 1;
    if (slot != last) {
      all_[slot] = all_[last];
      scores_[slot] = scores_[last];
      if (Known::Entry* moved = known.find(all_[slot].item->key)) moved->slot = slot;
    }
    all_.pop_back();
    scores_.pop_back();
  }
}

}  // namespace ballast::mesh
