#include "sessions.h"

#include <algorithm>

namespace ballast::zmq {

Arrival Sessions::note(const NodeId& node, std::string_view session, const port::CurveKey& key,
                       bool is_attach) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) {
    make_room();
    nodes_.emplace(node, Entry{{std::string(session), key}, {}, ++clock_});
    return Arrival::fresh;
  }
  Entry& entry = found->second;
  if (entry.current.id == session) {
    entry.last_heard = ++clock_;
    return Arrival::known;
  }
  if (entry.replaced == session && !is_attach) return Arrival::doubled;
  const bool was_replaced = entry.replaced == session;
  entry.last_heard = ++clock_;
  entry.replaced = std::move(entry.current.id);
  entry.current = {std::string(session), key};
  return was_replaced ? Arrival::doubled_attach : Arrival::replaced;
}

const Sessions::Session* Sessions::find(const NodeId& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : &found->second.current;
}

void Sessions::ended(const NodeId& node, std::string_view session) {
  const auto found = nodes_.find(node);
  if (found != nodes_.end() && found->second.current.id == session) nodes_.erase(found);
}

void Sessions::make_room() {
  if (nodes_.size() < capacity_) return;
  const auto silent_longest = std::min_element(
      nodes_.begin(), nodes_.end(),
      [](const auto& a, const auto& b) { return a.second.last_heard < b.second.last_heard; });
  nodes_.erase(silent_longest);
}

}  // namespace ballast::zmq
