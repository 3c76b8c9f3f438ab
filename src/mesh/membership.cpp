// The messages by which links come and go; membership_watch.cpp watches and replaces them.

#include "membership.h"

#include <algorithm>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::mesh {
namespace {

constexpr std::size_t told_with_answer = 4;
constexpr std::size_t told_to_urgent = 12;
constexpr std::size_t told_in_shuffle = 6;
// A peer of less than this is given up for another one only if there is no older one, so that two
// halves that meet do not lose each other at once.
constexpr Duration rest_of_link = std::chrono::seconds(10);

}  // namespace

Membership::Membership(TimePoint now, const Settings& settings, wire::Peer self, std::uint64_t seed,
                       Counters& counters)
    : settings_(settings),
      self_(std::move(self)),
      random_(seed),
      counters_(counters),
      next_seek_(now),
      last_displaced_(now - rest_of_link) {
  const auto later = [&](Duration interval) {
    return now + duration_of_seconds(seconds_of(interval) * random_.unit());
  };
  next_shuffle_ = later(settings_.shuffle_interval);
  next_remember_ = later(settings_.remember_interval);
}

Link* Membership::link(std::uint64_t key) {
  const auto at = std::find(link_keys_.begin(), link_keys_.end(), key);
  return at == link_keys_.end() ? nullptr
                                : &links_[static_cast<std::size_t>(at - link_keys_.begin())];
}

bool Membership::is_link(const NodeId& id) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const Link& link) { return link.peer.id == id; });
}

bool Membership::is_tried(const NodeId& id) const {
  return std::any_of(tries_.begin(), tries_.end(),
                     [&](const Try& one) { return one.peer.id == id; });
}

bool Membership::is_usable(const wire::Peer& peer) const {
  return !peer.id.empty() && !peer.endpoint.empty() && !peer.feed.empty() && peer.id != self_.id;
}

std::vector<wire::Peer> Membership::sample(std::size_t count, const NodeId& except) {
  std::vector<const wire::Peer*> all;
  for (const Link& link : links_)
    if (!link.doubted && link.peer.id != except) all.push_back(&link.peer);
  for (const wire::Peer& peer : passive_)
    if (peer.id != except) all.push_back(&peer);
  count = std::min({count, all.size(), limits::peers_told_max});
  std::vector<wire::Peer> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(all[i], all[i + random_.below(all.size() - i)]);
    chosen.push_back(*all[i]);
  }
  return chosen;
}

// A picture is large, so only two peers at a time are asked to send it; one of them may be about to
// give us up again.
bool Membership::needs_picture(TimePoint now) const {
  return picture_wanted_ && *std::min_element(picture_due_.begin(), picture_due_.end()) <= now;
}

bool Membership::ask_for_picture(TimePoint now) {
  if (!needs_picture(now)) return false;
  *std::min_element(picture_due_.begin(), picture_due_.end()) = now + settings_.answer_timeout;
  return true;
}

void Membership::ask(TimePoint now, const Try& one, bool urgent, Effects& out) {
  tries_.push_back(one);
  tries_.back().deadline = now + settings_.answer_timeout;
  tries_.back().pictured = ask_for_picture(now);
  out.directs.push_back(
      {one.peer.id, one.peer.endpoint, wire::Neighbor{self_, urgent, tries_.back().pictured}});
}

void Membership::add_link(TimePoint now, const wire::Peer& peer) {
  forget_passive(peer.id);
  std::erase_if(remembered_, [&](const Remembered& one) { return one.peer.id == peer.id; });
  std::erase_if(tries_, [&](const Try& one) { return one.peer.id == peer.id; });
  Link& link = links_.emplace_back();
  link.peer = peer;
  link.key = wire::key_of(peer.id);
  link_keys_.push_back(link.key);
  link.since = link.fed = link.heard = link.affirmed = now;
}

void Membership::drop_link(std::size_t index, bool broken) {
  Link& link = links_[index];
  lost_.push_back({link.peer, link.key, link.topics, broken});
  const wire::Peer peer = std::move(link.peer);
  links_.erase(links_.begin() + static_cast<std::ptrdiff_t>(index));
  link_keys_.erase(link_keys_.begin() + static_cast<std::ptrdiff_t>(index));
  if (broken)
    remember(peer, true);
  else
    add_passive(peer, true);
  seek_credit_ = std::min<std::size_t>(seek_credit_ + 3, limits::peers_asked_max);
}

// Gives up one link for a newcomer, an older one if there is one; false when this was done just
// now.
bool Membership::displace(TimePoint now, Effects& out) {
  if (links_.empty() || now - last_displaced_ < settings_.gossip_interval) return false;
  std::vector<std::size_t> old;
  for (std::size_t i = 0; i < links_.size(); ++i)
    if (now - links_[i].since >= rest_of_link) old.push_back(i);
  if (old.empty())
    for (std::size_t i = 0; i < links_.size(); ++i) old.push_back(i);
  last_displaced_ = now;
  const std::size_t index = old[random_.below(old.size())];
  const wire::Peer& peer = links_[index].peer;
  out.directs.push_back(
      {peer.id, way_to(links_[index]), wire::Disconnect{sample(told_with_answer, peer.id)}});
  drop_link(index, false);
  return true;
}

void Membership::take(TimePoint now, const NodeId& from, const wire::Neighbor& body, bool foreign,
                      Effects& out) {
  if (body.self.id != from || !is_usable(body.self)) {
    ++counters_.liars;
    return;
  }
  Link* known = link(wire::key_of(from));
  bool accepted = known != nullptr;
  if (known) {
    known->heard = now;
    known->doubted.reset();
    if (known->peer != body.self) {
      known->peer = body.self;
      known->topics = {};  // its feed may be elsewhere now: subscribe again
    }
  } else {
    accepted = links_.size() < limits::peers_active_max ||
               planted::on(planted::Bug::mesh_takes_everyone) ||
               ((body.urgent || foreign) && displace(now, out));
    if (accepted && !planted::on(planted::Bug::mesh_forgets_who_asked))
      add_link(now, body.self);
    else
      add_passive(body.self, false);
  }
  if (!accepted) ++counters_.joins_refused;
  if (accepted && body.picture_wanted && picture_askers_.size() < limits::peers_active_max)
    picture_askers_.push_back(wire::key_of(from));
  std::vector<wire::Peer> others;
  if (!known) others = sample(body.urgent ? told_to_urgent : told_with_answer, from);
  // Answers go back on the session that the question came on.
  out.directs.push_back({from, {}, wire::NeighborAnswer{self_, accepted, std::move(others)}});
}

void Membership::take(TimePoint now, const NodeId& from, const wire::NeighborAnswer& body,
                      Effects& out) {
  if (body.self.id != from || !is_usable(body.self)) {
    ++counters_.liars;
    return;
  }
  const auto tried = std::find_if(tries_.begin(), tries_.end(),
                                  [&](const Try& one) { return one.peer.id == from; });
  const bool asked = tried != tries_.end();
  const bool lost = asked && tried->lost;
  if (asked && tried->pictured && !body.accepted)
    *std::max_element(picture_due_.begin(), picture_due_.end()) = now;
  if (asked) tries_.erase(tried);
  Link* known = link(wire::key_of(from));
  if (known) {
    known->heard = now;
    known->doubted.reset();
    if (!body.accepted) drop_link(static_cast<std::size_t>(known - links_.data()), false);
  } else if (!asked || (body.accepted && links_.size() >= limits::peers_active_max &&
                        !(lost && displace(now, out)))) {
    // Too late, or too many: it must not believe that we are peers.
    if (!asked) ++counters_.strangers;
    if (body.accepted) out.directs.push_back({from, body.self.endpoint, wire::Disconnect{}});
    if (!asked) return;
  } else if (body.accepted) {
    add_link(now, body.self);
    links_.back().ours = true;
    if (needs_picture(now)) affirm(now, links_.back(), out);
  } else {
    std::erase_if(remembered_, [&](const Remembered& one) { return one.peer.id == from; });
  }
  for (const wire::Peer& peer : body.others) add_passive(peer, true);
}

void Membership::take(TimePoint, const NodeId& from, const wire::Disconnect& body, Effects&) {
  const Link* known = link(wire::key_of(from));
  if (!known) {
    ++counters_.strangers;
    return;
  }
  drop_link(static_cast<std::size_t>(known - links_.data()), false);
  for (const wire::Peer& peer : body.others) add_passive(peer, true);
}

void Membership::take(TimePoint now, const NodeId& from, const wire::Shuffle& body, Effects& out) {
  Link* known = link(wire::key_of(from));
  if (!known || body.self.id != from || known->shuffled) {
    ++counters_.strangers;
    return;
  }
  known->heard = now;
  known->shuffled = true;
  std::vector<wire::Peer> others = sample(body.others.size(), from);
  out.directs.push_back({from, {}, wire::ShuffleAnswer{std::move(others)}});
  for (const wire::Peer& peer : body.others) add_passive(peer, true);
}

void Membership::take(TimePoint now, const NodeId& from, const wire::ShuffleAnswer& body) {
  Link* known = link(wire::key_of(from));
  if (!known || known->shuffled) {
    ++counters_.strangers;
    return;
  }
  known->heard = now;
  known->shuffled = true;
  for (const wire::Peer& peer : body.others) add_passive(peer, true);
}

void Membership::shuffle(TimePoint now, Effects& out) {
  if (now < next_shuffle_ || links_.empty()) return;
  next_shuffle_ = now + duration_of_seconds(seconds_of(settings_.shuffle_interval) *
                                            (0.75 + random_.unit() / 2));
  const Link& link = links_[random_.below(links_.size())];
  out.directs.push_back(
      {link.peer.id, way_to(link), wire::Shuffle{self_, sample(told_in_shuffle, link.peer.id)}});
}

std::vector<LinkLost> Membership::take_lost() { return std::exchange(lost_, {}); }

std::vector<std::uint64_t> Membership::take_picture_askers() {
  return std::exchange(picture_askers_, {});
}

}  // namespace ballast::mesh
