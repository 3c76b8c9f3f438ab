// The rule on a network of its own; only who has which item matters, so an item is a number.

#include "memberlist.h"

#include <algorithm>
#include <cmath>
#include <queue>
#include <utility>

namespace ballast::mesh::testing {

std::size_t retransmit_limit(const MemberlistSettings& settings, std::size_t nodes) {
  return settings.retransmit_multiplier *
         static_cast<std::size_t>(std::ceil(std::log10(static_cast<double>(nodes + 1))));
}

std::vector<std::uint32_t> TransmitQueue::packet(const MemberlistSettings& settings,
                                                 std::size_t nodes, std::size_t item_bytes) {
  std::stable_sort(items_.begin(), items_.end(),
                   [](const Queued& a, const Queued& b) { return a.sent < b.sent; });
  const std::size_t fits = settings.packet_bytes / (item_bytes + settings.overhead_bytes);
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < std::min(fits, items_.size()); ++i) {
    chosen.push_back(items_[i].item);
    ++items_[i].sent;
  }
  const std::size_t limit = retransmit_limit(settings, nodes);
  std::erase_if(items_, [&](const Queued& item) { return item.sent >= limit; });
  return chosen;
}

namespace {

struct Packet {
  TimePoint at;
  std::uint64_t order = 0;
  std::uint32_t to = 0;
  std::vector<std::uint32_t> items;
  bool operator>(const Packet& other) const {
    return at != other.at ? at > other.at : order > other.order;
  }
};

struct Run {
  Run(const PushRun& given, const MemberlistSettings& rule)
      : run(given), settings(rule), random(given.seed), queues(given.nodes), phases(given.nodes) {
    for (TimePoint& phase : phases)
      phase = TimePoint(duration_of_seconds(seconds_of(run.interval) * random.unit()));
  }

  void learn(std::uint32_t node, std::uint32_t item, TimePoint now) {
    if (has[item][node]) return;
    has[item][node] = true;
    queues[node].add(item);
    if (++count[item] == run.nodes) done[item] = now;
  }

  void change(TimePoint now) {
    const auto item = static_cast<std::uint32_t>(has.size());
    has.emplace_back(run.nodes);
    count.push_back(0);
    born.push_back(now);
    done.push_back(time_never);
    learn(static_cast<std::uint32_t>(random.below(run.nodes)), item, now);
  }

  void tick(std::uint32_t node, TimePoint now) {
    for (std::size_t i = 0; i < settings.fan_out && !queues[node].empty(); ++i) {
      std::vector<std::uint32_t> items = queues[node].packet(settings, run.nodes, run.item_bytes);
      bytes += items.size() * (run.item_bytes + settings.overhead_bytes);
      const auto to = static_cast<std::uint32_t>(random.below(run.nodes));
      if (to == node || random.chance(run.loss)) continue;
      const Duration delay = duration_of_seconds(seconds_of(run.delay_max) * random.unit());
      packets.push({now + delay, order++, to, std::move(items)});
    }
  }

  void until(TimePoint end) {
    while (!packets.empty() && packets.top().at <= end) {
      const Packet packet = packets.top();
      packets.pop();
      for (const std::uint32_t item : packet.items) learn(packet.to, item, packet.at);
    }
  }

  const PushRun& run;
  const MemberlistSettings& settings;
  Random random;
  std::vector<TransmitQueue> queues;
  std::vector<TimePoint> phases;
  std::vector<std::vector<bool>> has;  // of each item, who
  std::vector<std::size_t> count;
  std::vector<TimePoint> born;
  std::vector<TimePoint> done;
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> packets;
  std::uint64_t order = 0;
  std::uint64_t bytes = 0;
};

}  // namespace

PushResult run_push_gossip(const PushRun& given, const MemberlistSettings& settings) {
  Run run(given, settings);
  std::vector<std::uint32_t> order(given.nodes);
  for (std::size_t i = 0; i < given.nodes; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(run.phases[a], a) < std::pair(run.phases[b], b);
  });
  const Duration between = duration_of_seconds(1 / given.changes_per_s);
  TimePoint next_change{};
  const auto rounds = given.duration / given.interval;
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (const std::uint32_t node : order) {
      const TimePoint now = run.phases[node] + round * given.interval;
      for (; next_change <= now; next_change += between) run.change(next_change);
      run.until(now);
      run.tick(node, now);
    }
  }
  PushResult result;
  // Those born late had no time to get anywhere.
  const TimePoint judged =
      TimePoint(given.duration - std::min<Duration>(given.duration / 2, 30 * given.interval));
  for (std::size_t item = 0; item < run.born.size(); ++item) {
    if (run.born[item] > judged) break;
    if (run.done[item] == time_never) {
      ++result.lost;
      continue;
    }
    const double took = seconds_of(run.done[item] - run.born[item]) / seconds_of(given.interval);
    ++result.spread;
    result.rounds_mean += took;
    result.rounds_max = std::max(result.rounds_max, took);
  }
  if (result.spread > 0) result.rounds_mean /= static_cast<double>(result.spread);
  result.bytes_per_s = static_cast<double>(run.bytes) / static_cast<double>(given.nodes) /
                       seconds_of(given.duration);
  return result;
}

}  // namespace ballast::mesh::testing
