// What happens on the ticks of the gossip interval.

#include <algorithm>
#include <cmath>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "state.h"

namespace ballast::mesh {
namespace {

constexpr std::size_t digest_rotation = 3;      // entries a round of what was known before
constexpr std::size_t digest_small_mesh = 16;   // ... while that is most of it anyway
constexpr std::uint64_t rounds_of_expiry = 64;  // between two looks at what is too old
constexpr std::uint64_t rounds_of_degree = 8;
// Until the rate of news is known, the least that reaches all: when all start at once, everything
// is news.
constexpr RelayDegree relay_of_newcomer{2, 1};
constexpr double smoothing = 0.1;  // of the rate of news: it follows within ten rounds
// A flood counts only as so many times what may be spent on copies, so that its end is felt soon.
constexpr double flood_budgets = 2;

}  // namespace

Mesh::State::State(TimePoint now, const Settings& given, wire::Peer own_peer,
                   std::uint64_t incarnation, std::uint64_t seed, const wire::Signer& given_signer)
    : settings(given),
      self(std::move(own_peer)),
      own_key(wire::key_of(self.id)),
      signer(given_signer),
      random(seed ^ own_key),
      membership(now, given, self, random.next(), counters),
      known(now),
      summaries(own_key),
      witnesses(given),
      own{static_cast<std::uint32_t>(std::min(incarnation, stamp_max)), 0},
      own_published(now),
      own_defended(now - 2 * given.silence) {
  next_round = now + duration_of_seconds(seconds_of(settings.gossip_interval) * random.unit());
  relay = relay_of_newcomer;
  membership.want_picture(true);
}

std::size_t Mesh::State::masters() const { return known.size() + 1; }

void Mesh::State::tick(TimePoint now) {
  if (now >= next_round) {
    round(now);
    // Rounds that were missed are not made up for.
    const Duration late = now - next_round;
    next_round += settings.gossip_interval * (late / settings.gossip_interval + 1);
  } else {
    membership.seek(now, effects);
  }
  settle_links(now);
}

void Mesh::State::round(TimePoint now) {
  ++rounds;
  stranger_messages.clear();
  served = 0;
  const double rate = std::min(news_bytes / seconds_of(settings.gossip_interval),
                               flood_budgets * relay_budget_bytes_s(masters()));
  news_bytes_s += smoothing * (rate - news_bytes_s);
  news_bytes = 0;
  membership.tick(now, known, effects);
  settle_links(now);
  if (witnesses.tick(now, own_key)) own_changed = summary.has_value();
  withdraw_agreed();
  renew_own_item(now);
  publish_round(now);
  pull(now);
  if (rounds % rounds_of_expiry == 0) expire(now);
  if (rounds % rounds_of_degree == 0) {
    relay = relay_degree(news_bytes_s, masters(), limits::peers_active_max);
    subscribe();
  }
}

void Mesh::State::renew_own_item(TimePoint now) {
  if (!summary) return;
  // By what is known of the number of masters now: at the start hardly any are.
  const double refresh_s = refresh_share * seconds_of(refresh_interval(masters()));
  if (!own_changed && seconds_of(now - own_published) < refresh_s) return;
  own_changed = false;
  own_published = now;
  refresh_share = random.between(0.75, 1.25);
  if (own.version >= stamp_max) own = {own.incarnation + 1, 0};
  ++own.version;
  wire::Summary said = *summary;
  said.self = self;
  said.suspicions = witnesses.mine();
  own_item = wire::make_item(own.incarnation, own.version, said, signer);
  own_told = 0;
}

void Mesh::State::publish_round(TimePoint) {
  constexpr unsigned own_told_max = 2;  // as often as others' items are relayed
  wire::Gossip gossip;
  if (own_item && own_told < own_told_max) {
    ++own_told;
    gossip.items.push_back(own_item);
  }
  news.tick(effects, gossip.digest);
  add_known_to(gossip.digest);
  effects.publications.push_back({Topic::own, std::move(gossip)});
}

// A part of what is known, another one each round: so all is told in the end, whatever was lost.
void Mesh::State::add_known_to(std::vector<wire::DigestEntry>& digest) {
  if (planted::on(planted::Bug::mesh_digests_nothing_old)) return;
  const std::vector<Kept>& all = summaries.all();
  const std::size_t count = all.size() + (own_item ? 1U : 0U);
  const std::size_t some = count <= digest_small_mesh ? count : digest_rotation;
  for (std::size_t i = 0; i < some; ++i) {
    digest_cursor = (digest_cursor + 1) % count;
    if (digest_cursor == all.size())
      digest.push_back(entry_of(*own_item));
    else if (!all[digest_cursor].withdrawn)
      digest.push_back(entry_of(*all[digest_cursor].item));
  }
}

void Mesh::State::pull(TimePoint now) {
  for (const Wanted::Question& question : wanted.due(now, settings.gossip_interval)) {
    const Link* link = membership.link(question.peer);
    if (!link) continue;
    wire::Pull body;
    for (const std::uint64_t key : question.keys) {
      const Known::Entry* entry = known.find(key);
      body.lacking.push_back(
          {key, entry ? entry->stamp.incarnation : 0U, entry ? entry->stamp.version : 0U});
    }
    effects.directs.push_back({link->peer.id, way_to(*link), std::move(body)});
  }
}

void Mesh::State::expire(TimePoint now) {
  if (planted::on(planted::Bug::mesh_forgets_nobody)) return;
  constexpr int refreshes_missed = 3;
  summaries.drop(known.expire(now - refreshes_missed * refresh_interval(masters())), known);
}

// What follows from links that came and went.
void Mesh::State::settle_links(TimePoint now) {
  const std::vector<LinkLost> lost = membership.take_lost();
  for (const LinkLost& link : lost) {
    if (!link.topics.none()) effects.subscriptions.push_back({link.peer, {}});
    if (!link.broken) {
      ++counters.links_lost;
      continue;
    }
    ++counters.links_broken;
    const Known::Entry* entry = known.find(link.key);
    witnesses.doubt(now, link.peer.id, link.key, entry ? entry->stamp.incarnation : 0);
  }
  bool changed = !lost.empty();
  for (const Link& link : membership.links()) {
    if (!link.topics.none()) continue;
    witnesses.reached(link.key);
    changed = true;
  }
  if (changed) subscribe();
  for (const std::uint64_t peer : membership.take_picture_askers()) send_picture(peer);
  if (pictures_heard > 0) membership.want_picture(false);
}

// Every feed for its own items; relays from some only: the first of the links in an order of our
// own for "first", the last ones for "again", so that the two come from different peers.
void Mesh::State::subscribe() {
  std::vector<Link*> order;
  for (Link& link : membership.links()) order.push_back(&link);
  std::sort(order.begin(), order.end(), [&](const Link* a, const Link* b) {
    return std::pair(taste_of(own_key, a->key), a->key) <
           std::pair(taste_of(own_key, b->key), b->key);
  });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Topics topics{true, i < relay.first, order.size() - i <= relay.again};
    if (order[i]->topics == topics) continue;
    order[i]->topics = topics;
    effects.subscriptions.push_back({order[i]->peer, topics});
  }
}

}  // namespace ballast::mesh
