// Connections: how they come up, how it is noticed that they broke, and what they count as.
#include <algorithm>
#include <utility>

#include "ballast/base/limits.h"
#include "network.h"

namespace ballast::world {
namespace {

constexpr int trips_to_connect = 4;  // TCP's and CURVE's handshakes, and what was sent meanwhile
constexpr Duration sweep_every = std::chrono::seconds(10);

}  // namespace

void Network::node_up(std::uint32_t node, std::uint32_t life, bool master) {
  places_[node].life = life;
  places_[node].master = master;
}

void Network::node_down(TimePoint now, std::uint32_t node, bool at_once) {
  Place& place = places_[node];
  place.life = 0;
  place.paused = false;
  while (!place.opened.empty()) close(links_[place.opened.back()]);
  for (const LinkIndex index : place.accepted) {
    Link& link = links_[index];
    if (link.state == LinkState::connecting) continue;
    link.state = LinkState::silent;
    const TimePoint reset = now + delay(link.opener, node);
    schedule(link, at_once && way_is_open(node, link.opener)
                       ? reset
                       : std::min(link.due, now + settings_.silence_max));
  }
}

void Network::set_paused(TimePoint now, std::uint32_t node, bool paused) {
  places_[node].paused = paused;
  look_at_links_of(now, node);
}

void Network::set_side(TimePoint now, std::uint32_t node, std::uint32_t side) {
  places_[node].side = side;
  look_at_links_of(now, node);
}

void Network::set_blocked(TimePoint now, std::uint32_t from, std::uint32_t to, bool blocked) {
  if (blocked) {
    blocked_.insert({from, to});
  } else {
    blocked_.erase({from, to});
  }
  look_at_links_of(now, from);
}

void Network::unblock_all(TimePoint now) {
  blocked_.clear();
  clogged_.clear();
  for (Place& place : places_) place.side = 0;
  for (std::uint32_t node = 0; node < places_.size(); ++node) look_at_links_of(now, node);
}

bool Network::in_contact(const Link& link) const {
  const Place& peer = places_[link.peer];
  return peer.life != 0 && !peer.paused && way_is_open(link.opener, link.peer) &&
         way_is_open(link.peer, link.opener);
}

void Network::look_at_links_of(TimePoint now, std::uint32_t node) {
  const auto look = [&](LinkIndex index) {
    Link& link = links_[index];
    const bool contact = in_contact(link) && link.peer_life == places_[link.peer].life;
    if (link.state == LinkState::up && !contact) {
      link.state = LinkState::silent;
      schedule(link, now + settings_.silence_max);
    } else if (link.state == LinkState::silent && contact) {
      link.state = LinkState::up;
      schedule(link, time_never);
      mind_stay(link, now);
    }
  };
  for (const LinkIndex index : places_[node].opened) look(index);
  for (const LinkIndex index : places_[node].accepted) look(index);
}

Network::Link* Network::find(std::uint32_t opener, std::uint32_t peer, bool feed) {
  for (const LinkIndex index : places_[opener].opened) {
    Link& link = links_[index];
    if (link.peer == peer && link.feed == feed) return &link;
  }
  return nullptr;
}

Network::Link& Network::open(TimePoint now, std::uint32_t opener, std::uint32_t peer, bool feed) {
  if (free_.empty()) {
    free_.push_back(static_cast<LinkIndex>(links_.size()));
    links_.emplace_back();
  }
  const LinkIndex index = free_.back();
  free_.pop_back();
  Link& link = links_[index];
  link = Link{};
  link.state = LinkState::connecting;
  link.feed = feed;
  link.opener = opener;
  link.peer = peer;
  link.last_used = now;
  places_[opener].opened.push_back(index);
  places_[peer].accepted.push_back(index);
  count(link, true);
  schedule(link, now + trips_to_connect * delay(opener, peer));
  return link;
}

void Network::close(Link& link) {
  const LinkIndex index = index_of(link);
  schedule(link, time_never);
  count(link, false);
  std::erase(places_[link.opener].opened, index);
  std::erase(places_[link.peer].accepted, index);
  link = Link{};
  free_.push_back(index);
}

// A connection between masters counts at the end that opened it from the attempt on, for it holds a
// socket there, and at the other end once that has let it in.
void Network::count(Link& link, bool open) {
  if (open) link.counted = places_[link.opener].master && places_[link.peer].master;
  if (!link.counted) return;
  count_end(link, link.opener, open);
  if (!open) admit(link, false);
}

void Network::admit(Link& link, bool in) {
  if (!link.counted || link.admitted == in) return;
  link.admitted = in;
  count_end(link, link.peer, in);
}

void Network::count_end(const Link& link, std::uint32_t node, bool open) {
  Place& place = places_[node];
  Traffic& traffic = place.traffic;
  const auto step = [&](std::uint32_t& number) { open ? ++number : --number; };
  step(traffic.connections);
  if (!link.feed) {
    step(place.sessions);
  } else if (node == link.opener) {
    step(traffic.feeds);
  } else {
    step(place.subscribers);
  }
  traffic.connections_max = std::max(traffic.connections_max, traffic.connections);
  traffic.feeds_max = std::max(traffic.feeds_max, traffic.feeds);
}

bool Network::is_full(std::uint32_t node, bool feed) const {
  const Place& place = places_[node];
  return feed ? place.subscribers >= limits::master_guests_max
              : place.sessions >= limits::master_sessions_max;
}

void Network::schedule(Link& link, TimePoint due) {
  if (link.due != time_never) timers_.erase({link.due, index_of(link)});
  link.due = due;
  if (due != time_never) timers_.emplace(due, index_of(link));
}

// Closes a connection in time that is good for nothing any more.
void Network::mind_stay(Link& link, TimePoint at) {
  if (link.feed || link.kept || link.state != LinkState::up) return;
  switch (link.tenure.stay()) {
    case wire::Tenure::Stay::over: return schedule(link, at);
    case wire::Tenure::Stay::brief: return schedule(link, at + wire::Tenure::brief_idle);
    case wire::Tenure::Stay::usual: return schedule(link, time_never);
  }
}

void Network::come_up(TimePoint now, Link& link) {
  admit(link, true);
  link.state = LinkState::up;
  link.peer_life = places_[link.peer].life;
  schedule(link, time_never);
  if (link.feed) {
    hear(now, link.opener, wire::FeedUp{places_[link.peer].id});
    return;
  }
  hear(now, link.opener, wire::LinkUp{places_[link.peer].id});
  const std::vector<Waiting> waiting = std::exchange(link.waiting, {});
  const std::uint32_t opener = link.opener;
  const std::uint32_t peer = link.peer;
  for (const Waiting& one : waiting) transmit(now, opener, peer, one.input, one.bytes);
  mind_stay(link, now);
}

void Network::fire(TimePoint now, Link& link) {
  if (!link.feed && !link.kept && link.state != LinkState::silent) {
    const bool idle = now - link.last_used >= wire::Tenure::brief_idle;
    const wire::Tenure::Stay stay = link.tenure.stay();
    if (idle ? stay != wire::Tenure::Stay::usual : stay == wire::Tenure::Stay::over)
      return close(link);
    if (link.state == LinkState::up) return mind_stay(link, link.last_used);
  }
  const bool contact = in_contact(link);
  if (link.state == LinkState::silent) {
    if (contact && link.peer_life == places_[link.peer].life) {
      link.state = LinkState::up;
      schedule(link, time_never);
      return mind_stay(link, now);
    }
    link.state = LinkState::connecting;
    link.tenure.broke();
    admit(link, false);
    schedule(link, now + settings_.reconnect_every);
    const NodeId& peer = places_[link.peer].id;
    if (link.feed) {
      hear(now, link.opener, wire::FeedDown{peer});
    } else {
      hear(now, link.opener, wire::LinkDown{peer});
    }
    return;
  }
  if (contact && link.counted && is_full(link.peer, link.feed)) {
    // Turned away at the door. A feed tries again; for a session there is no hurry.
    if (!link.feed) return close(link);
    schedule(link, now + settings_.reconnect_every);
  } else if (contact) {
    come_up(now, link);
  } else {
    schedule(link, now + settings_.reconnect_every);
  }
}

void Network::close_idle(TimePoint now) {
  for (Link& link : links_) {
    if (link.state == LinkState::none || link.feed || link.kept) continue;
    if (now - link.last_used > settings_.idle_close) close(link);
  }
}

bool Network::follows(std::uint32_t subscriber, std::uint32_t node) const {
  for (const LinkIndex index : places_[subscriber].opened) {
    const Link& link = links_[index];
    if (link.feed && link.peer == node)
      return link.state == LinkState::up && link.peer_life == places_[node].life;
  }
  return false;
}

double Network::largest_mesh_share(const std::vector<std::uint32_t>& masters) const {
  if (masters.empty()) return 0;
  std::vector<bool> seen(places_.size());
  std::size_t largest = 0;
  for (const std::uint32_t root : masters) {
    if (seen[root]) continue;
    std::vector<std::uint32_t> stack{root};
    seen[root] = true;
    std::size_t count = 0;
    while (!stack.empty()) {
      const std::uint32_t at = stack.back();
      stack.pop_back();
      ++count;
      for (const LinkIndex index : places_[at].opened) {
        const std::uint32_t next = links_[index].peer;
        if (!links_[index].feed || seen[next] || places_[next].life == 0) continue;
        if (!follows(at, next) || !follows(next, at)) continue;
        seen[next] = true;
        stack.push_back(next);
      }
    }
    largest = std::max(largest, count);
  }
  return static_cast<double>(largest) / static_cast<double>(masters.size());
}

void Network::tick(TimePoint now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Link& link = links_[timers_.begin()->second];
    schedule(link, time_never);
    fire(now, link);
  }
  if (now >= next_sweep_) {
    next_sweep_ = now + sweep_every;
    close_idle(now);
  }
}

TimePoint Network::next_deadline() const {
  return timers_.empty() ? next_sweep_ : std::min(next_sweep_, timers_.begin()->first);
}

}  // namespace ballast::world
