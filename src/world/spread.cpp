#include "spread.h"

#include <algorithm>

namespace ballast::world {
namespace {

const std::vector<wire::ItemPtr>* items_of(const wire::Body& body) {
  if (const auto* gossip = std::get_if<wire::Gossip>(&body)) return &gossip->items;
  if (const auto* pulled = std::get_if<wire::Pulled>(&body)) return &pulled->items;
  return nullptr;
}

}  // namespace

wire::ItemPtr Spread::published(TimePoint now, std::uint32_t node, const NodeId& id,
                                const wire::Message& message) {
  const std::vector<wire::ItemPtr>* items = items_of(message.body);
  if (items == nullptr) return nullptr;
  for (const wire::ItemPtr& item : *items) {
    const Version version{item->incarnation, item->version};
    if (version <= said_[node] || item->origin() != id) continue;
    said_[node] = version;
    ++words_;
    if (armed_ && !mark_) {
      armed_ = false;
      mark_ = Mark{item->key, version, now, std::vector<bool>(said_.size(), false)};
      mark_->knows[node] = true;
    }
    return item;
  }
  return nullptr;
}

void Spread::heard(std::uint32_t node, const node::Input& input) {
  if (!mark_ || mark_->knows[node]) return;
  const auto* event = std::get_if<wire::TransportEvent>(&input);
  const auto* delivered = event == nullptr ? nullptr : std::get_if<wire::Delivered>(event);
  const auto* items = delivered == nullptr ? nullptr : items_of(delivered->message.body);
  if (items == nullptr) return;
  mark_->knows[node] = std::any_of(items->begin(), items->end(), [&](const wire::ItemPtr& item) {
    return item->key == mark_->key && Version{item->incarnation, item->version} >= mark_->version;
  });
}

std::optional<Duration> Spread::all_know(TimePoint now, const std::vector<std::uint32_t>& masters) {
  if (!mark_) return std::nullopt;
  const bool all = std::all_of(masters.begin(), masters.end(),
                               [&](std::uint32_t node) { return mark_->knows[node]; });
  if (!all) return std::nullopt;
  const Duration passed = now - mark_->began;
  mark_.reset();
  return passed;
}

}  // namespace ballast::world
