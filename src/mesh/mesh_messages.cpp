// What a message does to the state.

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "state.h"

namespace ballast::mesh {
namespace {

constexpr std::size_t page_items = 64;
// Of the stamp of a pause: in one step, and at all.
constexpr std::uint64_t pause_jump_max = 1024;
constexpr std::uint64_t pause_stamp_max = std::uint64_t{1} << 62U;

Stamp stamp_of(std::uint64_t incarnation, std::uint64_t version) {
  return {static_cast<std::uint32_t>(incarnation), static_cast<std::uint32_t>(version)};
}

bool in_range(std::uint64_t incarnation, std::uint64_t version) {
  return incarnation <= stamp_max && version <= stamp_max;
}

}  // namespace

// Each has a few, so that one who is loud does not speak for all.
bool Mesh::State::stranger_may_speak(std::uint64_t key) {
  const auto found = stranger_messages.find(key);
  if (found != stranger_messages.end()) return ++found->second <= limits::messages_of_stranger_max;
  return stranger_messages.size() < limits::strangers_heard_max &&
         stranger_messages.emplace(key, 1).second;
}

bool Mesh::State::is_within_rate(std::uint64_t from, Link* link) {
  if (link ? ++link->messages <= limits::peer_messages_max : stranger_may_speak(from)) return true;
  ++counters.over_rate;
  return false;
}

void Mesh::State::take(TimePoint now, const NodeId& from, const wire::Body& body) {
  const std::uint64_t key = wire::key_of(from);
  Link* link = membership.link(key);
  if (!is_within_rate(key, link)) return;
  if (!link) witnesses.reached(key);
  if (const auto* neighbor = std::get_if<wire::Neighbor>(&body)) {
    membership.take(now, from, *neighbor, !known.find(key), effects);
  } else if (const auto* answer = std::get_if<wire::NeighborAnswer>(&body)) {
    membership.take(now, from, *answer, effects);
  } else if (const auto* disconnect = std::get_if<wire::Disconnect>(&body)) {
    membership.take(now, from, *disconnect, effects);
  } else if (const auto* shuffle = std::get_if<wire::Shuffle>(&body)) {
    membership.take(now, from, *shuffle, effects);
  } else if (const auto* shuffled = std::get_if<wire::ShuffleAnswer>(&body)) {
    membership.take(now, from, *shuffled);
  } else if (!link) {
    ++counters.strangers;
    return;
  } else if (const auto* gossip = std::get_if<wire::Gossip>(&body)) {
    return take(now, *link, *gossip);  // the usual one: no link comes or goes by it
  } else if (const auto* asked = std::get_if<wire::Pull>(&body)) {
    return take(now, *link, *asked);
  } else if (const auto* pulled = std::get_if<wire::Pulled>(&body)) {
    return take(now, *link, *pulled);
  }
  membership.seek(now, effects);
  settle_links(now);
}

void Mesh::State::take(TimePoint now, Link& link, const wire::Gossip& body) {
  link.fed = now;
  link.doubted.reset();
  for (const wire::DigestEntry& told : body.digest) known.expect(told.key);
  for (const wire::ItemPtr& item : body.items) known.expect(item->key);
  for (const wire::ItemPtr& item : body.items) learn(now, link, item);
  for (const wire::DigestEntry& told : body.digest) {
    if (told.key == own_key) {
      told_of_myself(now, told);
      continue;
    }
    if (!in_range(told.incarnation, told.version)) {
      ++counters.over_range;
      continue;
    }
    const Known::Entry* entry = known.find(told.key);
    if (entry && entry->stamp >= stamp_of(told.incarnation, told.version)) continue;
    if (++link.wanted > limits::wanted_per_peer_max ||
        !wanted.told(now + settings.gossip_interval, link.key, told))
      ++counters.wanted_dropped;
  }
}

void Mesh::State::take(TimePoint now, Link& link, const wire::Pulled& body) {
  link.heard = now;
  if (body.items.size() > 1) ++pictures_heard;
  for (const wire::ItemPtr& item : body.items)
    if (learn(now, link, item)) ++counters.items_pulled;
}

bool Mesh::State::learn(TimePoint now, Link& link, const wire::ItemPtr& item) {
  if (item->key == own_key) {
    learn_of_myself(*item);
    return false;
  }
  if (!in_range(item->incarnation, item->version)) {
    ++counters.over_range;
    return false;
  }
  const Stamp stamp = stamp_of(item->incarnation, item->version);
  Known::Entry* entry = known.find(item->key);
  if (entry && entry->stamp >= stamp) {
    ++counters.items_known;
    if (entry->stamp > stamp && item->key == link.key) correct(link, *item, *entry);
    return false;
  }
  if (link.bad_signatures >= limits::bad_signatures_max) {
    ++counters.over_rate;
    return false;
  }
  const bool is_signed = planted::on(planted::Bug::mesh_takes_forgeries) ||
                         signer.verify(item->origin(), item->bytes, item->signature);
  if (!is_signed) {
    ++link.bad_signatures;
    ++counters.signatures_bad;
    return false;
  }
  if (!entry) entry = known.add(item->key);
  if (!entry) {
    ++counters.unknown_dropped;
    return false;
  }
  ++counters.items_new;
  news_bytes += static_cast<double>(item->bytes.size() + sizeof(wire::Signature));
  entry->stamp = stamp;
  known.heard(*entry, now);
  summaries.put(now, item, *entry, known);
  wanted.got(item->key);
  if (!news.add(item)) ++counters.news_dropped;
  witnesses.cleared(item->key);
  hear_suspicions(now, *item);
  membership.learned(item->summary.self, item->key);
  hear_pause(item->key, {item->summary.pause_stamp, item->summary.paused});
  return true;
}

// Each word of an operator is one above the last. A stamp far above all that others say is none:
// believed, it would be the last word for ever. One who has heard nothing yet believes what two
// masters say.
void Mesh::State::hear_pause(std::uint64_t origin, const Pause& said) {
  if (said.stamp > pause.stamp && said.stamp - pause.stamp > pause_jump_max &&
      !planted::on(planted::Bug::mesh_believes_any_stamp)) {
    const auto& others = summaries.all();
    const bool agreed = std::any_of(others.begin(), others.end(), [&](const Kept& kept) {
      const std::uint64_t stamp = kept.item->summary.pause_stamp;
      return kept.item->key != origin && !kept.withdrawn && stamp <= pause_stamp_max &&
             (stamp >= said.stamp || said.stamp - stamp <= pause_jump_max);
    });
    if (!agreed || said.stamp > pause_stamp_max) {
      ++counters.pauses_refused;
      return;
    }
  }
  if (said.stamp > pause.stamp || (said.stamp == pause.stamp && said.paused) ||
      planted::on(planted::Bug::mesh_takes_any_pause))
    pause = said;
}

// What somebody says of another counts only while that other one has not just proved that it lives.
void Mesh::State::hear_suspicions(TimePoint now, const wire::Item& item) {
  std::vector<Witnesses::Suspect> suspects;
  for (const wire::Suspicion& suspicion : item.summary.suspicions) {
    const std::uint64_t key = wire::key_of(suspicion.master);
    if (key == own_key) {
      if (suspicion.incarnation >= own.incarnation && now - own_defended > settings.silence) {
        own_defended = now;
        own_changed = summary.has_value();
        ++counters.republished;
      }
      continue;
    }
    const Known::Entry* entry = known.find(key);
    if (!entry || entry->slot == Known::Entry::none) continue;
    if (suspicion.incarnation < entry->stamp.incarnation) continue;
    if (now - summaries.at(entry->slot).heard_at < settings.silence) continue;
    suspects.push_back({key, suspicion.incarnation});
  }
  witnesses.hear(now, item.key, suspects);
  withdraw_agreed();
}

void Mesh::State::withdraw_agreed() {
  for (const Witnesses::Suspect& suspect : witnesses.take_agreed()) {
    if (planted::on(planted::Bug::mesh_never_withdraws)) continue;
    const Known::Entry* entry = known.find(suspect.key);
    if (entry && entry->slot != Known::Entry::none && summaries.withdraw(entry->slot))
      ++counters.withdrawn;
  }
}

// An item of ours that we did not publish: from a past that we lost. Nobody would listen to us
// before we are ahead of it.
void Mesh::State::learn_of_myself(const wire::Item& item) {
  if (!in_range(item.incarnation, item.version)) return;
  if (planted::on(planted::Bug::mesh_ignores_own_past)) return;
  const Stamp stamp = stamp_of(item.incarnation, item.version);
  if (stamp < own || (own_item && stamp == own && item.bytes == own_item->bytes)) return;
  if (!signer.verify(item.origin(), item.bytes, item.signature)) {
    ++counters.signatures_bad;
    return;
  }
  own = stamp;
  own_changed = summary.has_value();
  ++counters.republished;
}

// The same by hearsay, without a signature: so not far, and not often.
void Mesh::State::told_of_myself(TimePoint now, const wire::DigestEntry& told) {
  if (planted::on(planted::Bug::mesh_ignores_own_past)) return;
  constexpr std::uint64_t incarnations_max = 1024;
  constexpr std::uint64_t versions_max = 1U << 16U;
  const bool ahead = told.incarnation > own.incarnation ||
                     (told.incarnation == own.incarnation && told.version > own.version);
  if (!ahead || now - own_defended <= settings.silence) return;
  const std::uint64_t base = told.incarnation > own.incarnation ? 0 : own.version;
  if (!in_range(told.incarnation, told.version) ||
      told.incarnation > own.incarnation + incarnations_max || told.version > base + versions_max) {
    ++counters.over_range;
    return;
  }
  own_defended = now;
  own = stamp_of(told.incarnation, told.version);
  own_changed = summary.has_value();
  ++counters.republished;
}

// Its origin told us something older than what we know of it: it has lost its past.
void Mesh::State::correct(Link& link, const wire::Item& older, const Known::Entry& entry) {
  if (link.corrected) return;
  link.corrected = true;
  if (const wire::ItemPtr item = whole_item(older.key))
    effects.directs.push_back({link.peer.id, way_to(link), wire::Pulled{{item}}});
  else
    effects.directs.push_back(
        {link.peer.id, way_to(link),
         wire::Gossip{{}, {{older.key, entry.stamp.incarnation, entry.stamp.version}}}});
}

wire::ItemPtr Mesh::State::whole_item(std::uint64_t key) const {
  if (key == own_key) return own_item;
  const Known::Entry* entry = known.find(key);
  if (!entry) return nullptr;
  if (entry->slot != Known::Entry::none) {
    const Kept& kept = summaries.at(entry->slot);
    return kept.withdrawn ? nullptr : kept.item;
  }
  return news.find(key);
}

void Mesh::State::take(TimePoint now, Link& link, const wire::Pull& body) {
  link.heard = now;
  wire::Pulled answer;
  for (const wire::DigestEntry& has : body.lacking) {
    if (served >= limits::served_items_max || answer.items.size() >= page_items) {
      ++counters.over_rate;
      break;
    }
    const wire::ItemPtr item = whole_item(has.key);
    if (!item ||
        std::pair(item->incarnation, item->version) <= std::pair(has.incarnation, has.version)) {
      ++counters.not_served;
      continue;
    }
    answer.items.push_back(item);
    ++served;
  }
  if (!answer.items.empty()) effects.directs.push_back({link.peer.id, {}, std::move(answer)});
}

void Mesh::State::send_picture(std::uint64_t peer) {
  Link* link = membership.link(peer);
  if (!link || link->pictured || planted::on(planted::Bug::mesh_sends_no_picture)) return;
  link->pictured = true;
  wire::Pulled page;
  const auto send = [&] {
    if (!page.items.empty())
      effects.directs.push_back({link->peer.id, way_to(*link), std::exchange(page, {})});
  };
  if (own_item) page.items.push_back(own_item);
  for (const Kept& kept : summaries.all()) {
    if (kept.withdrawn) continue;
    page.items.push_back(kept.item);
    if (page.items.size() >= page_items) send();
  }
  send();
}

}  // namespace ballast::mesh
