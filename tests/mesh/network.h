// A network of masters in one thread, under virtual time: delay, loss, splits, crashes, and every
// byte counted as it would be on the wire. Same seed, same run.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/mesh/mesh.h"

namespace ballast::mesh::testing {

// Signatures that only a signer of the same cluster can make and none can make for another origin:
// a hash instead of Ed25519.
class HashSigner final : public wire::Signer {
 public:
  explicit HashSigner(const NodeId& self) : self_(self) {}
  wire::Signature sign(std::string_view text) const override { return hash(self_, text); }
  bool verify(const NodeId& origin, std::string_view text,
              const wire::Signature& signature) const override {
    return hash(origin, text) == signature;
  }
  static wire::Signature hash(const NodeId& origin, std::string_view text);

 private:
  NodeId self_;
};

struct NetworkSettings {
  double loss = 0;
  Duration delay_min = std::chrono::microseconds(500);
  Duration delay_max = std::chrono::milliseconds(20);
};

class Network {
 public:
  Network(std::size_t count, std::uint64_t seed, const NetworkSettings& settings = {});

  std::size_t size() const { return nodes_.size(); }
  TimePoint now() const { return now_; }
  Random& random() { return random_; }
  wire::Peer peer(std::size_t node) const { return nodes_[node].peer; }
  std::size_t index_of(const NodeId& id) const;
  Mesh& mesh(std::size_t node) { return *nodes_[node].mesh; }
  bool is_up(std::size_t node) const { return nodes_[node].mesh.has_value(); }
  std::size_t count_up() const;

  // Starts a node that was down, as one that remembers nothing but `incarnation`, and gives it the
  // addresses of `contacts`. It publishes a summary of its own.
  void start(std::size_t node, const std::vector<std::size_t>& contacts,
             std::uint64_t incarnation = 1);
  // Starts all nodes within `spread`, each with three of those before it as contacts.
  void start_all(Duration spread);
  // Every node hears of all that any node has published, from one of its peers and at once: the
  // state of a large mesh that has been up for long, without waiting for it.
  void tell_all_of_all();
  // A host that is gone without a word; or a process that is, whose peers' transports see it.
  void crash(std::size_t node, bool noticed = false);
  // Messages pass only between nodes of the same side.
  void set_side(std::size_t node, int side) { nodes_[node].side = side; }
  // Nothing passes between these two, in either direction.
  void block(std::size_t a, std::size_t b) { blocked_.insert(std::minmax(a, b)); }
  void set_loss(double loss) { settings_.loss = loss; }

  void publish(std::size_t node);  // a summary of chance figures
  // 5 % of the summaries change each minute, one by one, from now on.
  void change_steadily(double share_per_minute);
  void run_for(Duration span);
  // Runs until the condition holds, asked ten times a second; false when it did not in time.
  bool run_until(const std::function<bool()>& condition, Duration at_most);
  // A message as it would be told of any sender.
  void deliver(std::size_t to, const NodeId& from, const wire::Body& body);

  // Publishes on this node and runs until all that are up have heard that version: the time that
  // it took, or none.
  std::optional<Duration> time_to_all(std::size_t node, Duration at_most);

  struct Traffic {
    double in_mean = 0;  // bytes per second and node that is up
    double out_mean = 0;
    double in_max = 0;  // of the worst node
    double out_max = 0;
  };
  void reset_traffic();
  Traffic traffic() const;
  std::array<std::uint64_t, 8> bytes_by_kind() const { return by_kind_; }

  // Of the nodes that are up: how many are in the largest part connected by links that both ends
  // have.
  std::size_t largest_component() const;
  std::size_t peers_max() const;
  double peers_mean() const;
  std::uint64_t trace_hash() const { return hash_; }
  std::uint64_t messages() const { return messages_; }

 private:
  struct Subscriber {
    std::uint32_t node;
    Topics topics;
  };
  struct Node {
    wire::Peer peer;
    std::unique_ptr<HashSigner> signer;
    std::optional<Mesh> mesh;
    std::vector<Subscriber> subscribers;
    wire::ItemPtr said;  // last
    int side = 0;
    TimePoint wakes = time_never;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint32_t lives = 0;
    bool has_marked = false;
  };
  struct Event {
    TimePoint at;
    std::uint64_t order = 0;
    std::uint32_t to = 0;
    std::uint32_t from = 0;
    std::uint32_t bytes = 0;
    std::shared_ptr<const wire::Body> body;  // none: a wake-up, or a link that broke
    bool broken = false;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  void settle(std::size_t node);
  void schedule_wake(std::size_t node);
  void send(std::size_t from, std::size_t to, const std::shared_ptr<const wire::Body>& body,
            std::uint32_t bytes);
  void subscribe(std::size_t subscriber, const Subscription& subscription);
  void step(Event event);
  void change_one();
  std::uint32_t bytes_of(const NodeId& sender, const wire::Body& body);
  wire::Summary random_summary();

  NetworkSettings settings_;
  Random random_;
  std::uint64_t seed_;
  TimePoint now_{};
  std::uint64_t order_ = 0;
  std::uint64_t hash_ = 0;
  std::uint64_t messages_ = 0;
  std::vector<Node> nodes_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  double changes_per_s_ = 0;
  TimePoint next_change_ = time_never;
  TimePoint traffic_since_{};
  std::optional<std::size_t> marked_;
  std::uint64_t marked_version_ = 0;
  std::size_t marked_count_ = 0;
  std::array<std::uint64_t, 8> by_kind_{};
  std::set<std::pair<std::size_t, std::size_t>> blocked_;
};

}  // namespace ballast::mesh::testing
