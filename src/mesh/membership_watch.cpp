// Watching links, and replacing those that broke.

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "membership.h"

namespace ballast::mesh {
namespace {

constexpr unsigned probes_of_lost = 5;

}  // namespace

std::size_t Membership::sound_links() const {
  return static_cast<std::size_t>(
      std::count_if(links_.begin(), links_.end(), [](const Link& link) { return !link.doubted; }));
}

void Membership::forget_passive(const NodeId& id) {
  std::erase_if(passive_, [&](const wire::Peer& peer) { return peer.id == id; });
}

void Membership::add_passive(const wire::Peer& peer, bool replace) {
  if (!is_usable(peer) || is_link(peer.id)) return;
  for (const wire::Peer& known : passive_)
    if (known.id == peer.id) return;
  if (passive_.size() < limits::peers_passive_max)
    passive_.push_back(peer);
  else if (replace)
    passive_[random_.below(passive_.size())] = peer;
}

void Membership::remember(const wire::Peer& peer, bool lost) {
  if (planted::on(planted::Bug::mesh_forgets_the_lost)) return;
  for (Remembered& one : remembered_) {
    if (one.peer.id != peer.id) continue;
    one.lost |= lost;
    return;
  }
  if (remembered_.size() >= limits::peers_remembered_max) remembered_.pop_front();
  remembered_.push_back({peer, lost, lost ? probes_of_lost : 0});
}

// A link that breaks may only have been unlucky: its peer is asked a few times before it is
// suspected.
void Membership::probe_lost(TimePoint now, Effects& out) {
  for (Remembered& one : remembered_) {
    if (one.probes == 0) continue;
    --one.probes;
    if (!is_tried(one.peer.id)) ask(now, {one.peer, now, one.lost, true}, one.lost, out);
  }
}

void Membership::hint(const wire::Peer& peer, bool foreign) {
  if (!is_usable(peer) || is_link(peer.id)) return;
  add_passive(peer, links_.empty());
  if (foreign) remember(peer, false);
}

void Membership::learned(const wire::Peer& peer, std::uint64_t key) {
  if (passive_.size() >= limits::peers_passive_max || link(key)) return;
  add_passive(peer, false);
}

void Membership::affirm(TimePoint now, Link& link, Effects& out) {
  link.affirmed = now;
  out.directs.push_back(
      {link.peer.id, way_to(link), wire::Neighbor{self_, false, ask_for_picture(now)}});
}

void Membership::link_down(TimePoint now, const NodeId& peer, Effects& out) {
  const auto tried = std::find_if(tries_.begin(), tries_.end(),
                                  [&](const Try& one) { return one.peer.id == peer; });
  if (tried != tries_.end()) tried->deadline = now;
  Link* known = link(wire::key_of(peer));
  if (known && !known->doubted) {
    known->doubted = now;
    known->ours = true;
    affirm(now, *known, out);
    seek_credit_ = std::min<std::size_t>(seek_credit_ + 3, limits::peers_asked_max);
  }
}

// Silent feeds are asked after before they are given up; what answers but does not feed is no use.
void Membership::watch(TimePoint now, Effects& out) {
  if (planted::on(planted::Bug::mesh_watches_no_link)) return;
  for (std::size_t i = links_.size(); i-- > 0;) {
    Link& link = links_[i];
    const Duration unfed = now - link.fed;
    const Duration unheard = now - std::max(link.fed, link.heard);
    const bool gone = link.doubted && now - *link.doubted > 2 * settings_.answer_timeout;
    if (gone || unheard > settings_.silence || unfed > 2 * settings_.silence) {
      drop_link(i, true);
      continue;
    }
    const bool worrying = link.doubted || unheard * 3 > settings_.silence;
    // Its session may be gone without a word to us.
    link.ours |= worrying;
    const Duration interval = worrying ? settings_.answer_timeout : settings_.affirm_interval;
    if (now - link.affirmed >= interval) affirm(now, link, out);
  }
}

void Membership::drop_late_tries(TimePoint now) {
  for (const Try& late : tries_) {
    if (late.deadline > now) continue;
    forget_passive(late.peer.id);
    remember(late.peer, late.lost);
  }
  std::erase_if(tries_, [&](const Try& one) { return one.deadline <= now; });
}

TimePoint Membership::next_timeout() const {
  TimePoint first = time_never;
  for (const Try& one : tries_) first = std::min(first, one.deadline);
  return first;
}

// An address to try, at random from the passive view.
std::optional<wire::Peer> Membership::candidate() {
  std::vector<const wire::Peer*> free;
  for (const wire::Peer& peer : passive_)
    if (!is_tried(peer.id)) free.push_back(&peer);
  if (free.empty()) return std::nullopt;
  return *free[random_.below(free.size())];
}

void Membership::seek(TimePoint now, Effects& out) {
  drop_late_tries(now);
  if (planted::on(planted::Bug::mesh_replaces_no_link) && counters_.links_broken > 0) return;
  const std::size_t masters = std::max(masters_, addresses() + 1);
  const std::size_t target = active_target(masters);
  const std::size_t have = sound_links();
  if (have >= target) {
    seek_credit_ = 0;
    return;
  }
  const std::size_t missing = target - have;
  const bool urgent = have < active_low(masters);
  std::size_t parallel = 0;
  if (urgent) {
    parallel = 2 * missing;
  } else if (seek_credit_ > 0) {
    parallel = std::min(seek_credit_, 2 * missing);
    seek_credit_ = 0;
  } else if (now >= next_seek_) {
    parallel = 1;
    next_seek_ = now + settings_.seek_interval;
  }
  parallel = std::min(parallel, limits::peers_asked_max);
  auto trying = static_cast<std::size_t>(
      std::count_if(tries_.begin(), tries_.end(), [](const Try& one) { return !one.probe; }));
  while (trying < parallel) {
    const std::optional<wire::Peer> peer = candidate();
    if (!peer) return;
    ask(now, {*peer, now}, urgent, out);
    ++trying;
  }
}

// Now and then somebody is asked even though links suffice: a master that was lost, or an address
// of whose master nothing was ever heard. If it belongs to a mesh apart from ours, it takes us.
void Membership::try_remembered(TimePoint now, const Known& known, Effects& out) {
  if (now < next_remember_) return;
  next_remember_ = now + duration_of_seconds(seconds_of(settings_.remember_interval) *
                                             (0.75 + random_.unit() / 2));
  if (!remembered_.empty()) {
    const Remembered one = remembered_.front();
    remembered_.pop_front();
    remembered_.push_back(one);
    if (!is_link(one.peer.id) && !is_tried(one.peer.id))
      ask(now, {one.peer, now, one.lost}, one.lost, out);
  }
  for (const wire::Peer& peer : passive_) {
    if (is_tried(peer.id) || known.find(wire::key_of(peer.id))) continue;
    ask(now, {peer, now, true}, false, out);
    return;
  }
}

void Membership::tick(TimePoint now, const Known& known, Effects& out) {
  masters_ = known.size() + 1;
  for (Link& link : links_) {
    link.messages = link.bad_signatures = link.wanted = 0;
    link.corrected = link.shuffled = false;
  }
  watch(now, out);
  if (!links_.empty() && needs_picture(now)) affirm(now, links_[random_.below(links_.size())], out);
  probe_lost(now, out);
  seek(now, out);
  shuffle(now, out);
  try_remembered(now, known, out);
}

}  // namespace ballast::mesh
