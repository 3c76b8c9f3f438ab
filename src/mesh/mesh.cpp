// The public door.

#include "ballast/mesh/mesh.h"

#include <algorithm>
#include <utility>

#include "state.h"

namespace ballast::mesh {

const char* name_of(Topic topic) {
  switch (topic) {
    case Topic::own: return "own";
    case Topic::first: return "first";
    case Topic::again: return "again";
  }
  return "?";
}

Mesh::Mesh(TimePoint now, const Settings& settings, wire::Peer self, std::uint64_t incarnation,
           std::uint64_t seed, const wire::Signer& signer)
    : state_(std::make_unique<State>(now, settings, std::move(self), incarnation, seed, signer)) {}
Mesh::~Mesh() = default;
Mesh::Mesh(Mesh&&) noexcept = default;
Mesh& Mesh::operator=(Mesh&&) noexcept = default;

void Mesh::take(TimePoint now, const NodeId& from, const wire::Body& body) {
  state_->take(now, from, body);
}

void Mesh::hint(TimePoint now, const std::vector<wire::Peer>& peers) {
  for (const wire::Peer& peer : peers)
    state_->membership.hint(peer, state_->known.find(wire::key_of(peer.id)) == nullptr);
  // Not before the first round, at a moment of our own within one interval: when a thousand masters
  // start at once and all hear of the same few seeds, these are not asked by all at the same time.
  if (state_->rounds > 0) state_->membership.seek(now, state_->effects);
}

void Mesh::link_down(TimePoint now, const NodeId& peer) {
  state_->membership.link_down(now, peer, state_->effects);
  state_->membership.seek(now, state_->effects);
  state_->settle_links(now);
}

// What counts is what the peer says; that the transport could connect tells nothing of it.
void Mesh::link_up(TimePoint, const NodeId&) {}

void Mesh::publish(TimePoint, const wire::Summary& summary) {
  state_->summary = summary;
  state_->own_changed = true;
  state_->hear_pause(state_->own_key, {summary.pause_stamp, summary.paused});
}

void Mesh::tick(TimePoint now) { state_->tick(now); }

TimePoint Mesh::next_deadline() const {
  return std::min(state_->next_round, state_->membership.next_timeout());
}

Effects Mesh::take_effects() { return std::exchange(state_->effects, {}); }

const std::vector<Kept>& Mesh::kept() const { return state_->summaries.all(); }

const Kept* Mesh::find(const NodeId& master) const {
  const Known::Entry* entry = state_->known.find(wire::key_of(master));
  if (!entry || entry->slot == Known::Entry::none) return nullptr;
  return &state_->summaries.at(entry->slot);
}

wire::DigestEntry Mesh::heard_of(const NodeId& master) const {
  const std::uint64_t key = wire::key_of(master);
  const Known::Entry* entry = state_->known.find(key);
  if (!entry) return {key, 0, 0};
  return {key, entry->stamp.incarnation, entry->stamp.version};
}

std::vector<NodeId> Mesh::active_peers() const {
  std::vector<NodeId> peers;
  for (const Link& link : state_->membership.links()) peers.push_back(link.peer.id);
  return peers;
}

bool Mesh::is_lost(const NodeId& master) const {
  const Kept* known = find(master);
  return (known && known->withdrawn) || state_->witnesses.suspects(wire::key_of(master));
}

std::vector<wire::Peer> Mesh::passive_peers() const { return state_->membership.passive(); }

std::size_t Mesh::masters() const { return state_->masters(); }
RelayDegree Mesh::degree() const { return state_->relay; }
Duration Mesh::pace() const { return mesh::pace(state_->news_bytes_s, state_->masters()); }
Pause Mesh::pause() const { return state_->pause; }
std::uint64_t Mesh::incarnation() const { return state_->own.incarnation; }
std::uint64_t Mesh::version() const { return state_->own.version; }
const Counters& Mesh::counters() const { return state_->counters; }

}  // namespace ballast::mesh
