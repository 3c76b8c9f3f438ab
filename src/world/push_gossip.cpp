#include "push_gossip.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ballast::world {
namespace {

constexpr std::size_t fan_out = 3;
constexpr double retransmit_multiplier = 4;
constexpr std::size_t packet_bytes_max = 1400;
constexpr std::size_t overhead_bytes = 2;  // of each word in a packet
constexpr Duration interval = std::chrono::seconds(1);
// After so long without anybody learning a word, nobody sends it any more.
constexpr Duration given_up_after = 20 * interval;

}  // namespace

PushGossip::PushGossip(TimePoint now, std::size_t nodes, const std::vector<std::uint32_t>& members,
                       std::uint64_t seed, Carry carry)
    : random_(seed),
      carry_(std::move(carry)),
      began_(now),
      now_(now),
      sends_max_(static_cast<std::uint32_t>(
          retransmit_multiplier * std::ceil(std::log10(static_cast<double>(members.size() + 1))))),
      node_of_(members),
      member_of_(nodes, none),
      members_(members.size()) {
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    member_of_[members[i]] = i;
    members_[i].knows.assign(members.size(), 0);
    const Duration phase = duration_of_seconds(seconds_of(interval) * random_.unit());
    events_.push(Event{now + phase, order_++, i, {}});
  }
}

void PushGossip::say(TimePoint now, std::uint32_t node, std::size_t bytes) {
  const std::uint32_t member = member_of_[node];
  if (member == none) return;
  run_until(now);
  const auto version = static_cast<Version>(members_[member].knows[member] + 1);
  learn(now, member,
        Word{member, version, static_cast<std::uint16_t>(std::min<std::size_t>(bytes, 1398)), 0});
}

void PushGossip::mark(std::uint32_t node) {
  const std::uint32_t member = member_of_[node];
  if (member == none || mark_) return;
  mark_ = Mark{member, members_[member].knows[member], now_, now_};
}

void PushGossip::set_up(TimePoint now, std::uint32_t node, bool up) {
  const std::uint32_t member = member_of_[node];
  if (member == none) return;
  run_until(now);
  members_[member].up = up;
}

void PushGossip::learn(TimePoint now, std::uint32_t index, const Word& word) {
  Member& member = members_[index];
  if (!member.up || member.knows[word.origin] >= word.version) return;
  member.knows[word.origin] = word.version;
  std::erase_if(member.queue, [&](const Word& old) { return old.origin == word.origin; });
  member.queue.push_back(word);
  member.queue.back().sent = 0;
  if (mark_ && mark_->origin == word.origin) mark_->last = now;
}

std::vector<PushGossip::Word> PushGossip::packet(Member& from) const {
  std::stable_sort(from.queue.begin(), from.queue.end(),
                   [](const Word& a, const Word& b) { return a.sent < b.sent; });
  std::vector<Word> words;
  std::size_t room = packet_bytes_max;
  for (Word& word : from.queue) {
    if (word.bytes + overhead_bytes > room) continue;
    room -= word.bytes + overhead_bytes;
    ++word.sent;
    words.push_back(word);
  }
  std::erase_if(from.queue, [&](const Word& word) { return word.sent >= sends_max_; });
  return words;
}

void PushGossip::tick(TimePoint now, std::uint32_t index) {
  events_.push(Event{now + interval, order_++, index, {}});
  for (std::size_t i = 0; i < fan_out && members_[index].up; ++i) {
    if (members_[index].queue.empty()) return;
    std::vector<Word> words = packet(members_[index]);
    for (const Word& word : words) bytes_ += static_cast<double>(word.bytes + overhead_bytes);
    const auto to = static_cast<std::uint32_t>(random_.below(members_.size()));
    if (to == index) continue;
    const std::optional<Duration> delay = carry_(node_of_[index], node_of_[to]);
    if (delay) events_.push(Event{now + *delay, order_++, to, std::move(words)});
  }
}

void PushGossip::run_until(TimePoint now) {
  while (!events_.empty() && events_.top().at <= now) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    if (event.words.empty()) {
      tick(event.at, event.to);
    } else {
      for (const Word& word : event.words) learn(event.at, event.to, word);
    }
  }
  now_ = now;
}

std::optional<Duration> PushGossip::all_know() {
  if (!mark_) return std::nullopt;
  const bool all = std::all_of(members_.begin(), members_.end(), [&](const Member& member) {
    return !member.up || member.knows[mark_->origin] >= mark_->version;
  });
  if (all) {
    const Duration took = mark_->last - mark_->began;
    mark_.reset();
    return took;
  }
  if (now_ - mark_->last > given_up_after) {
    ++lost_;
    mark_.reset();
  }
  return std::nullopt;
}

double PushGossip::bytes_per_node_s(TimePoint now) const {
  return bytes_ / static_cast<double>(std::max<std::size_t>(1, members_.size())) /
         std::max(1.0, seconds_of(now - began_));
}

}  // namespace ballast::world
