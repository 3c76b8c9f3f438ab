// One master's mesh, put together: membership.h says who the peers are, news.h what goes round,
// summaries.h what is kept, witnesses.h who is suspected. Here is what connects them.
#pragma once

#include <map>

#include <optional>
#include <variant>

#include "ballast/mesh/mesh.h"
#include "known.h"
#include "membership.h"
#include "news.h"
#include "summaries.h"
#include "witnesses.h"

namespace ballast::mesh {

struct Mesh::State {
  State(TimePoint now, const Settings& given, wire::Peer own, std::uint64_t incarnation,
        std::uint64_t seed, const wire::Signer& given_signer);

  // Messages (mesh_messages.cpp). `link` is the sender's, which is a peer.
  void take(TimePoint now, const NodeId& from, const wire::Body& body);
  void take(TimePoint now, Link& link, const wire::Gossip& body);
  void take(TimePoint now, Link& link, const wire::Pull& body);
  void take(TimePoint now, Link& link, const wire::Pulled& body);
  bool is_within_rate(std::uint64_t from, Link* link);
  bool stranger_may_speak(std::uint64_t key);
  void hear_pause(std::uint64_t origin, const Pause& said);
  // True when it was new.
  bool learn(TimePoint now, Link& link, const wire::ItemPtr& item);
  void learn_of_myself(const wire::Item& item);
  void told_of_myself(TimePoint now, const wire::DigestEntry& entry);
  void hear_suspicions(TimePoint now, const wire::Item& item);
  void withdraw_agreed();
  void correct(Link& link, const wire::Item& older, const Known::Entry& entry);
  void send_picture(std::uint64_t peer);
  wire::ItemPtr whole_item(std::uint64_t key) const;

  // The rounds (mesh_rounds.cpp).
  void tick(TimePoint now);
  void round(TimePoint now);
  void renew_own_item(TimePoint now);
  void publish_round(TimePoint now);
  void add_known_to(std::vector<wire::DigestEntry>& digest);
  void pull(TimePoint now);
  void expire(TimePoint now);
  void settle_links(TimePoint now);
  void subscribe();
  std::size_t masters() const;

  Counters counters;  // before those who count in it
  Settings settings;
  wire::Peer self;
  std::uint64_t own_key;
  const wire::Signer& signer;
  Random random;
  Membership membership;
  Known known;
  Summaries summaries;
  News news;
  Wanted wanted;
  Witnesses witnesses;

  Stamp own;                             // of what we published last
  std::optional<wire::Summary> summary;  // none before the first publish()
  wire::ItemPtr own_item;
  bool own_changed = false;
  unsigned own_told = 0;  // rounds in which own_item has gone out
  TimePoint own_published;
  double refresh_share = 1;  // of the interval: so that not all refresh at once
  TimePoint own_defended;    // when we last answered to what others say of us

  TimePoint next_round;
  std::uint64_t rounds = 0;
  double news_bytes = 0;    // in this round
  double news_bytes_s = 0;  // smoothed
  RelayDegree relay;
  std::size_t digest_cursor = 0;
  std::map<std::uint64_t, unsigned> stranger_messages;  // in this round, by who speaks
  std::size_t served = 0;                               // items pulled from us in this round
  unsigned pictures_heard = 0;
  Pause pause;
  Effects effects;
};

}  // namespace ballast::mesh
