// The push gossip of hashicorp/memberlist on the same masters, fed with the same words over the
// same network as our mesh: what one has to be compared with.
//
// The rule: on each tick a node picks three others at random and sends to each what fits into a
// packet of the words that it has sent least often; a word leaves its queue when it was sent
// 4 x ceil(log10(n + 1)) times, or when a newer one of the same origin has come. Everyone knows
// everyone, nobody is suspected, and what is lost stays lost. Source: memberlist, queue.go, util.go
// (retransmitLimit), config.go (DefaultLANConfig: GossipNodes 3, RetransmitMult 4, UDPBufferSize
// 1400); here with our gossip interval, so that rounds compare.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/base/time.h"

namespace ballast::world {

class PushGossip {
 public:
  // Of one packet between two nodes; nothing when it is lost.
  using Carry = std::function<std::optional<Duration>(std::uint32_t from, std::uint32_t to)>;

  // `members`: the nodes that take part, by their index in the world, of `nodes` in all.
  PushGossip(TimePoint now, std::size_t nodes, const std::vector<std::uint32_t>& members,
             std::uint64_t seed, Carry carry);

  // A node has a new word of its own to say. Times never run backwards.
  void say(TimePoint now, std::uint32_t node, std::size_t bytes);
  // Follows the word that this node said last.
  void mark(std::uint32_t node);
  void set_up(TimePoint now, std::uint32_t node, bool up);
  void run_until(TimePoint now);

  // How long the word that is followed was on its way, once all that are up have it; then, or when
  // nobody sends it any longer, it is followed no more.
  std::optional<Duration> all_know();
  bool follows() const { return mark_.has_value(); }
  // How many words that were followed were never known by all.
  std::uint64_t lost() const { return lost_; }
  double bytes_per_node_s(TimePoint now) const;

 private:
  using Version = std::uint16_t;
  struct Word {
    std::uint32_t origin = 0;
    Version version = 0;
    std::uint16_t bytes = 0;
    std::uint32_t sent = 0;
  };
  struct Member {
    bool up = true;
    std::vector<Word> queue;
    std::vector<Version> knows;  // of each member
  };
  struct Event {
    TimePoint at;
    std::uint64_t order = 0;
    std::uint32_t to = 0;
    std::vector<Word> words;  // none: its tick
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Mark {
    std::uint32_t origin = 0;
    Version version = 0;
    TimePoint began;
    TimePoint last;  // when somebody learned it last
  };
  void learn(TimePoint now, std::uint32_t member, const Word& word);
  void tick(TimePoint now, std::uint32_t member);
  std::vector<Word> packet(Member& from) const;

  Random random_;
  Carry carry_;
  TimePoint began_;
  TimePoint now_;
  std::uint32_t sends_max_;
  std::vector<std::uint32_t> node_of_;    // of members
  std::vector<std::uint32_t> member_of_;  // of nodes; none: no member
  static constexpr std::uint32_t none = UINT32_MAX;
  std::vector<Member> members_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::optional<Mark> mark_;
  std::uint64_t lost_ = 0;
  double bytes_ = 0;
};

}  // namespace ballast::world
