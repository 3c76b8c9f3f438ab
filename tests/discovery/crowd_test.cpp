// Many nodes on one network that loses, delays and reorders: they end with a few masters and
// everybody at one of them, in bounded time.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <queue>
#include <set>

#include "ballast/discovery/offerer.h"
#include "ballast/discovery/seeker.h"

namespace ballast::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A node that is looked for, looks, or belongs to one.
struct CrowdNode {
  wire::Peer peer;
  TimePoint starts;
  bool alive = true;
  std::unique_ptr<Seeker> seeker;
  std::unique_ptr<Offerer> offerer;  // once it leads
  std::optional<NodeId> master;
  std::set<NodeId> slaves;
};

class Crowd {
 public:
  Crowd(std::uint64_t seed, double loss, std::uint32_t max_slaves)
      : random_(seed), loss_(loss), max_slaves_(max_slaves) {}

  void add(const std::string& id, TimePoint starts, bool automatic) {
    CrowdNode node;
    node.peer = {NodeId(id), "tcp://" + id + ":1", "tcp://" + id + ":2"};
    node.starts = starts;
    node.seeker = std::make_unique<Seeker>(
        SeekerSettings{.self = node.peer.id, .may_lead = automatic}, random_.next());
    nodes_.push_back(std::move(node));
  }
  void make_master(std::size_t at) { lead(nodes_[at]); }
  void kill(std::size_t at) {
    nodes_[at].alive = false;
    for (CrowdNode& node : nodes_)
      if (node.master == nodes_[at].peer.id) {
        node.master.reset();
        node.seeker->start(now_);
      }
  }

  // Until everybody leads or is attached; how long it took, or nothing within the bound.
  std::optional<Duration> settle(Duration bound) {
    const TimePoint began = now_;
    const TimePoint end = now_ + bound;
    for (; now_ < end; now_ += milliseconds(10)) {
      turn();
      if (settled()) return now_ - began;
    }
    return std::nullopt;
  }
  void pass(Duration span) {
    for (const TimePoint end = now_ + span; now_ < end; now_ += milliseconds(10)) turn();
  }

  std::size_t masters() const {
    std::size_t count = 0;
    for (const CrowdNode& node : nodes_) count += node.alive && node.offerer != nullptr;
    return count;
  }
  const std::vector<CrowdNode>& nodes() const { return nodes_; }
  TimePoint now() const { return now_; }
  std::size_t most_slaves() const {
    std::size_t most = 0;
    for (const CrowdNode& node : nodes_) most = std::max(most, node.slaves.size());
    return most;
  }

 private:
  struct Flying {
    TimePoint at;
    std::uint64_t number;
    std::size_t to;
    wire::BeaconHeard heard;
    bool operator>(const Flying& o) const {
      return std::pair(at, number) > std::pair(o.at, o.number);
    }
  };

  bool settled() const {
    for (const CrowdNode& node : nodes_)
      if (node.alive && !node.offerer && !node.master) return false;
    return true;
  }

  void lead(CrowdNode& node) {
    node.seeker->stop();
    node.offerer = std::make_unique<Offerer>(
        now_, OffererSettings{.self = node.peer, .max_slaves = max_slaves_}, random_.next());
  }

  // An attach over TCP: it arrives, and is answered by what the master says.
  void attach(CrowdNode& node, const NodeId& to) {
    for (CrowdNode& master : nodes_) {
      if (master.peer.id != to || !master.alive || !master.offerer) continue;
      if (!master.offerer->has_place_for(now_, node.peer.id)) return node.seeker->refused(now_, to);
      master.offerer->attached(node.peer.id);
      master.slaves.insert(node.peer.id);
      node.master = to;
      node.seeker->stop();
      return;
    }
  }

  void send(std::size_t sender, const wire::BeaconSend& what) {
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
      const bool meant = to != sender && (!what.to || what.to->port == to);
      if (!meant || random_.chance(loss_)) continue;
      const Duration delay(random_.below(20'000));
      flying_.push(
          {now_ + delay, ++sent_, to, {{0, static_cast<std::uint16_t>(sender)}, what.body}});
    }
  }

  void carry_out(std::size_t at, Effects effects) {
    for (const wire::BeaconSend& one : effects.sends) send(at, one);
    if (effects.attach_to) attach(nodes_[at], effects.attach_to->id);
    if (effects.lead) lead(nodes_[at]);
  }

  void turn() {
    while (!flying_.empty() && flying_.top().at <= now_) {
      const Flying one = flying_.top();
      flying_.pop();
      CrowdNode& node = nodes_[one.to];
      if (!node.alive || now_ < node.starts) continue;
      if (node.offerer) {
        node.offerer->take(now_, one.heard);
      } else {
        node.seeker->take(now_, one.heard);
      }
    }
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      CrowdNode& node = nodes_[at];
      if (!node.alive || now_ < node.starts) continue;
      if (node.offerer) {
        node.offerer->set_group(node.slaves.size(), masters() - 1);
        if (node.offerer->next_deadline() <= now_) node.offerer->tick(now_);
        carry_out(at, node.offerer->take_effects());
        continue;
      }
      if (!node.master) node.seeker->start(now_);
      if (node.seeker->next_deadline() <= now_) node.seeker->tick(now_);
      carry_out(at, node.seeker->take_effects());
    }
  }

  Random random_;
  double loss_;
  std::uint32_t max_slaves_;
  std::vector<CrowdNode> nodes_;
  std::priority_queue<Flying, std::vector<Flying>, std::greater<>> flying_;
  std::uint64_t sent_ = 0;
  TimePoint now_{seconds(1000)};
};

std::string name(std::size_t number) { return "n" + std::to_string(100 + number); }

}  // namespace

TEST_CASE(
    "50 auto nodes that start within a second on a network that loses 30 % end with 1 to 3 "
    "masters") {
  std::map<std::size_t, int> masters;
  Duration longest{0};
  constexpr std::uint64_t seeds = 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Crowd crowd(seed, 0.3, 64);
    for (std::size_t i = 0; i < 50; ++i)
      crowd.add(name(i), crowd.now() + Duration(random.below(1'000'000)), true);
    const auto took = crowd.settle(seconds(60));
    REQUIRE(took.has_value());
    CHECK(crowd.masters() >= 1);
    CHECK(crowd.masters() <= 3);
    ++masters[crowd.masters()];
    longest = std::max(longest, *took);
  }
  MESSAGE("masters (1, 2, 3) in ", seeds, " seeds: ", masters[1], ", ", masters[2], ", ",
          masters[3], "; the longest took ", seconds_of(longest), " s");
}

TEST_CASE("where a master holds 16, 50 auto nodes end with as few as can hold them all, and some") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Crowd crowd(seed, 0.1, 16);
    for (std::size_t i = 0; i < 50; ++i)
      crowd.add(name(i), crowd.now() + Duration(random.below(1'000'000)), true);
    REQUIRE(crowd.settle(seconds(180)).has_value());
    CHECK(crowd.masters() >= 3);
    CHECK(crowd.masters() <= 8);
    CHECK(crowd.most_slaves() <= 16);
  }
}

TEST_CASE("the slaves of a master that dies find the others, spread over them, within 10 s") {
  Duration longest{0};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Crowd crowd(seed, 0.2, 64);
    for (std::size_t i = 0; i < 4; ++i) crowd.add(name(i), crowd.now(), false);
    for (std::size_t i = 0; i < 4; ++i) crowd.make_master(i);
    for (std::size_t i = 4; i < 64; ++i) crowd.add(name(i), crowd.now(), false);
    REQUIRE(crowd.settle(seconds(60)).has_value());
    crowd.pass(seconds(11));
    crowd.kill(0);
    const auto took = crowd.settle(seconds(60));
    REQUIRE(took.has_value());
    CHECK(*took <= seconds(10));
    longest = std::max(longest, *took);
    CHECK(crowd.most_slaves() <= 40);
  }
  MESSAGE("the longest took ", seconds_of(longest), " s");
}

TEST_CASE("slaves more than there are places leave nobody over his places, and the rest wait") {
  Crowd crowd(1, 0.1, 8);
  crowd.add(name(0), crowd.now(), false);
  crowd.make_master(0);
  for (std::size_t i = 1; i < 20; ++i) crowd.add(name(i), crowd.now(), false);
  CHECK_FALSE(crowd.settle(seconds(60)).has_value());
  CHECK(crowd.most_slaves() == 8);
  CHECK(crowd.masters() == 1);
}

}  // namespace ballast::discovery
