// Events in a heap by time, then by the order in which they were made.

#include "network.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

#include "ballast/wire/codec.h"

namespace ballast::mesh::testing {
namespace {

NodeId id_of(std::size_t node) {
  char uuid[40];
  std::snprintf(uuid, sizeof uuid, "%08x-5c1f-4c39-8f7e-0a1b2c3d4e5f", static_cast<unsigned>(node));
  return NodeId(uuid);
}

wire::Peer peer_of(std::size_t node) {
  const std::string host = "tcp://10." + std::to_string(node >> 16U & 255U) + "." +
                           std::to_string(node >> 8U & 255U) + "." + std::to_string(node & 255U);
  return {id_of(node), host + ":7720", host + ":7721"};
}

}  // namespace

wire::Signature HashSigner::hash(const NodeId& origin, std::string_view text) {
  std::uint64_t value = wire::key_of(origin);
  for (; text.size() >= sizeof value; text.remove_prefix(sizeof value)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    value = (value ^ word) * 0x9E3779B97F4A7C15U;
    value ^= value >> 32U;
  }
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  wire::Signature signature{};
  for (std::size_t i = 0; i < signature.size(); ++i)
    signature[i] = static_cast<std::uint8_t>(value >> i % 8 * 8);
  return signature;
}

Network::Network(std::size_t count, std::uint64_t seed, const NetworkSettings& settings)
    : settings_(settings), random_(seed), seed_(seed), nodes_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    nodes_[i].peer = peer_of(i);
    nodes_[i].signer = std::make_unique<HashSigner>(nodes_[i].peer.id);
  }
}

std::size_t Network::index_of(const NodeId& id) const {
  std::uint32_t index = 0;
  std::from_chars(id.str().data(), id.str().data() + 8, index, 16);
  return index;
}

std::size_t Network::count_up() const {
  return static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(),
                                                [](const Node& n) { return n.mesh.has_value(); }));
}

wire::Summary Network::random_summary() {
  wire::Summary summary;
  summary.hosts = 9;
  summary.surplus_vms = static_cast<std::uint32_t>(random_.below(3));
  if (summary.surplus_vms > 0) summary.surplus = {random_.between(1e3, 1e4), 8192, 40};
  for (int i = 0; i < 4; ++i) {
    summary.holes.push_back({random_.between(0, 60000), random_.between(0, 100000), 8000});
    summary.spare += summary.holes.back();
  }
  return summary;
}

void Network::start(std::size_t index, const std::vector<std::size_t>& contacts,
                    std::uint64_t incarnation) {
  Node& node = nodes_[index];
  ++node.lives;
  node.mesh.emplace(now_, Settings{}, node.peer, incarnation,
                    seed_ * 1000003 + index * 31 + node.lives, *node.signer);
  std::vector<wire::Peer> peers;
  for (const std::size_t contact : contacts) peers.push_back(nodes_[contact].peer);
  node.mesh->publish(now_, random_summary());
  node.mesh->hint(now_, peers);
  node.wakes = time_never;
  settle(index);
}

void Network::start_all(Duration spread) {
  const TimePoint begin = now_;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const TimePoint at =
        begin + spread * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(nodes_.size());
    if (at > now_) run_for(at - now_);
    std::vector<std::size_t> contacts;
    for (std::size_t k = 0; k < std::min<std::size_t>(i, 3); ++k)
      contacts.push_back(static_cast<std::size_t>(random_.below(i)));
    start(i, contacts);
  }
  run_for(begin + spread - now_);
}

void Network::tell_all_of_all() {
  wire::Body picture = wire::Gossip{};
  for (const Node& node : nodes_)
    if (node.said) std::get<wire::Gossip>(picture).items.push_back(node.said);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!is_up(i)) continue;
    const std::vector<NodeId> peers = mesh(i).active_peers();
    if (!peers.empty()) deliver(i, peers.front(), picture);
  }
}

void Network::crash(std::size_t index, bool noticed) {
  Node& node = nodes_[index];
  node.mesh.reset();
  node.wakes = time_never;
  for (const Subscriber& subscriber : std::exchange(node.subscribers, {}))
    if (noticed)
      events_.push({now_ + settings_.delay_max, order_++, subscriber.node,
                    static_cast<std::uint32_t>(index), 0, nullptr, true});
}

void Network::publish(std::size_t index) {
  nodes_[index].mesh->publish(now_, random_summary());
  settle(index);
}

void Network::change_steadily(double share_per_minute) {
  changes_per_s_ = share_per_minute / 60 * static_cast<double>(count_up());
  next_change_ = changes_per_s_ > 0 ? now_ + duration_of_seconds(1 / changes_per_s_) : time_never;
}

void Network::change_one() {
  next_change_ = now_ + duration_of_seconds(1 / changes_per_s_);
  const std::size_t node = static_cast<std::size_t>(random_.below(nodes_.size()));
  if (is_up(node) && node != marked_) publish(node);
}

std::uint32_t Network::bytes_of(const NodeId& sender, const wire::Body& body) {
  return static_cast<std::uint32_t>(wire::encode({{"ballast", sender, {7, 0}}, body}).size());
}

void Network::send(std::size_t from, std::size_t to, const std::shared_ptr<const wire::Body>& body,
                   std::uint32_t bytes) {
  nodes_[from].bytes_out += bytes;
  by_kind_[body->index() % 8] += bytes;
  if (nodes_[from].side != nodes_[to].side || random_.chance(settings_.loss)) return;
  if (blocked_.contains(std::minmax(from, to))) return;
  const Duration delay =
      settings_.delay_min +
      duration_of_seconds(seconds_of(settings_.delay_max - settings_.delay_min) * random_.unit());
  events_.push({now_ + delay, order_++, static_cast<std::uint32_t>(to),
                static_cast<std::uint32_t>(from), bytes, body, false});
}

void Network::subscribe(std::size_t subscriber, const Subscription& subscription) {
  const std::size_t target = index_of(subscription.peer.id);
  if (target >= nodes_.size()) return;
  std::vector<Subscriber>& all = nodes_[target].subscribers;
  std::erase_if(all, [&](const Subscriber& s) { return s.node == subscriber; });
  if (!subscription.topics.none())
    all.push_back({static_cast<std::uint32_t>(subscriber), subscription.topics});
}

void Network::settle(std::size_t index) {
  Node& node = nodes_[index];
  Effects effects = node.mesh->take_effects();
  for (const Subscription& subscription : effects.subscriptions) subscribe(index, subscription);
  for (Direct& direct : effects.directs) {
    const std::size_t to = index_of(direct.to);
    const auto body = std::make_shared<const wire::Body>(std::move(direct.body));
    const std::uint32_t bytes = bytes_of(node.peer.id, *body);
    if (to < nodes_.size()) send(index, to, body, bytes);
  }
  for (Publication& publication : effects.publications) {
    if (publication.topic == Topic::own && !publication.gossip.items.empty())
      node.said = publication.gossip.items.front();
    const auto body = std::make_shared<const wire::Body>(std::move(publication.gossip));
    const std::uint32_t bytes = bytes_of(node.peer.id, *body);
    for (const Subscriber& subscriber : node.subscribers) {
      const Topics& topics = subscriber.topics;
      if (publication.topic == Topic::own     ? topics.own
          : publication.topic == Topic::first ? topics.first
                                              : topics.again)
        send(index, subscriber.node, body, bytes);
    }
  }
  schedule_wake(index);
}

void Network::schedule_wake(std::size_t index) {
  Node& node = nodes_[index];
  const TimePoint at = std::max(node.mesh->next_deadline(), now_);
  if (at >= node.wakes) return;
  node.wakes = at;
  events_.push({at, order_++, static_cast<std::uint32_t>(index), 0, 0, nullptr, false});
}

void Network::deliver(std::size_t to, const NodeId& from, const wire::Body& body) {
  nodes_[to].mesh->take(now_, from, body);
  settle(to);
}

void Network::step(Event event) {
  Node& node = nodes_[event.to];
  if (!node.mesh) return;
  if (event.body) {
    ++messages_;
    hash_ = (hash_ ^ (event.to * 0x9E3779B97F4A7C15U + event.from + event.bytes)) * 0x100000001B3U;
    node.bytes_in += event.bytes;
    node.mesh->take(now_, nodes_[event.from].peer.id, *event.body);
    if (marked_ && !node.has_marked &&
        node.mesh->heard_of(nodes_[*marked_].peer.id).version >= marked_version_) {
      node.has_marked = true;
      ++marked_count_;
    }
  } else if (event.broken) {
    node.mesh->link_down(now_, nodes_[event.from].peer.id);
  } else {
    if (event.at < node.wakes) return;  // there is an earlier or later one
    node.wakes = time_never;
    node.mesh->tick(now_);
  }
  settle(event.to);
}

void Network::run_for(Duration span) {
  const TimePoint end = now_ + span;
  for (;;) {
    if (next_change_ <= end && (events_.empty() || next_change_ <= events_.top().at)) {
      now_ = next_change_;
      change_one();
      continue;
    }
    if (events_.empty() || events_.top().at > end) break;
    Event event = events_.top();
    events_.pop();
    now_ = event.at;
    step(std::move(event));
  }
  now_ = end;
}

bool Network::run_until(const std::function<bool()>& condition, Duration at_most) {
  const TimePoint end = now_ + at_most;
  while (!condition()) {
    if (now_ >= end) return false;
    run_for(std::chrono::milliseconds(100));
  }
  return true;
}

std::optional<Duration> Network::time_to_all(std::size_t index, Duration at_most) {
  for (Node& node : nodes_) node.has_marked = false;
  const TimePoint begin = now_;
  publish(index);
  marked_ = index;
  marked_version_ = mesh(index).version() + 1;
  marked_count_ = 1;
  nodes_[index].has_marked = true;
  const bool done = run_until([&] { return marked_count_ >= count_up(); }, at_most);
  marked_.reset();
  if (!done) return std::nullopt;
  return now_ - begin;
}

void Network::reset_traffic() {
  traffic_since_ = now_;
  by_kind_ = {};
  for (Node& node : nodes_) node.bytes_in = node.bytes_out = 0;
}

Network::Traffic Network::traffic() const {
  Traffic traffic;
  const double seconds = seconds_of(now_ - traffic_since_);
  for (const Node& node : nodes_) {
    if (!node.mesh) continue;
    const double in = static_cast<double>(node.bytes_in) / seconds;
    const double out = static_cast<double>(node.bytes_out) / seconds;
    traffic.in_mean += in;
    traffic.out_mean += out;
    traffic.in_max = std::max(traffic.in_max, in);
    traffic.out_max = std::max(traffic.out_max, out);
  }
  traffic.in_mean /= static_cast<double>(count_up());
  traffic.out_mean /= static_cast<double>(count_up());
  return traffic;
}

std::size_t Network::largest_component() const {
  const auto linked = [&](std::size_t a, const NodeId& b) {
    const std::vector<NodeId> peers = nodes_[a].mesh->active_peers();
    return std::find(peers.begin(), peers.end(), b) != peers.end();
  };
  std::vector<bool> seen(nodes_.size());
  std::size_t largest = 0;
  for (std::size_t root = 0; root < nodes_.size(); ++root) {
    if (seen[root] || !nodes_[root].mesh) continue;
    std::vector<std::size_t> stack{root};
    seen[root] = true;
    std::size_t count = 0;
    while (!stack.empty()) {
      const std::size_t at = stack.back();
      stack.pop_back();
      ++count;
      for (const NodeId& id : nodes_[at].mesh->active_peers()) {
        const std::size_t next = index_of(id);
        if (next >= nodes_.size() || seen[next] || !nodes_[next].mesh) continue;
        if (nodes_[next].side != nodes_[at].side || !linked(next, nodes_[at].peer.id)) continue;
        seen[next] = true;
        stack.push_back(next);
      }
    }
    largest = std::max(largest, count);
  }
  return largest;
}

std::size_t Network::peers_max() const {
  std::size_t most = 0;
  for (const Node& node : nodes_)
    if (node.mesh) most = std::max(most, node.mesh->active_peers().size());
  return most;
}

double Network::peers_mean() const {
  std::size_t sum = 0;
  for (const Node& node : nodes_)
    if (node.mesh) sum += node.mesh->active_peers().size();
  return static_cast<double>(sum) / static_cast<double>(count_up());
}

}  // namespace ballast::mesh::testing
