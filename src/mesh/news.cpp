// Two short lists: a queue in the order of learning, and a table by key.

#include "news.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::mesh {

bool News::add(const wire::ItemPtr& item) {
  if (items_.size() >= limits::news_items_max) return false;
  items_.push_back({item, 0});
  return true;
}

void News::tick(Effects& out, std::vector<wire::DigestEntry>& digest) {
  constexpr unsigned rounds_kept = 12;
  wire::Gossip first;
  wire::Gossip again;
  for (Entry& entry : items_) {
    if (entry.rounds == 0) {
      if (first.items.size() >= limits::relayed_items_max) break;
      first.items.push_back(entry.item);
      digest.push_back(entry_of(*entry.item));
    } else if (entry.rounds == 1) {
      again.items.push_back(entry.item);
    }
    ++entry.rounds;
  }
  while (!items_.empty() && items_.front().rounds >= rounds_kept) items_.pop_front();
  if (planted::on(planted::Bug::mesh_relays_nothing)) return;
  if (!first.items.empty()) out.publications.push_back({Topic::first, std::move(first)});
  if (!again.items.empty()) out.publications.push_back({Topic::again, std::move(again)});
}

wire::ItemPtr News::find(std::uint64_t key) const {
  for (auto entry = items_.rbegin(); entry != items_.rend(); ++entry)
    if (entry->item->key == key) return entry->item;
  return nullptr;
}

std::vector<Wanted::Entry>::iterator Wanted::place_of(std::uint64_t key) {
  return std::lower_bound(entries_.begin(), entries_.end(), key,
                          [](const Entry& entry, std::uint64_t k) { return entry.key < k; });
}

bool Wanted::told(TimePoint due, std::uint64_t peer, const wire::DigestEntry& told) {
  auto at = place_of(told.key);
  if (at == entries_.end() || at->key != told.key) {
    if (entries_.size() >= limits::wanted_items_max) return false;
    at = entries_.insert(at, Entry{told.key, told.incarnation, told.version, due, {}, 0});
  }
  const std::pair newer(told.incarnation, told.version);
  const std::pair before(at->incarnation, at->version);
  if (newer < before) return true;
  if (newer > before) {
    at->incarnation = told.incarnation;
    at->version = told.version;
    at->peers = {};
  }
  if (at->peers[0] != peer) at->peers = {peer, at->peers[0]};
  return true;
}

void Wanted::got(std::uint64_t key) {
  const auto at = place_of(key);
  if (at != entries_.end() && at->key == key) entries_.erase(at);
}

void Wanted::ask(std::vector<Question>& questions, std::uint64_t peer, std::uint64_t key) {
  auto question = std::find_if(questions.begin(), questions.end(),
                               [&](const Question& q) { return q.peer == peer; });
  if (question == questions.end()) question = questions.insert(question, {peer, {}});
  if (question->keys.size() < limits::wanted_per_peer_max) question->keys.push_back(key);
}

std::vector<Wanted::Question> Wanted::due(TimePoint now, Duration again) {
  constexpr unsigned asked_max = 10;
  std::vector<Question> questions;
  if (planted::on(planted::Bug::mesh_never_pulls)) return questions;
  for (Entry& entry : entries_) {
    if (entry.due > now) continue;
    // The first time one of them is asked, then both: what got lost once is in a hurry.
    for (std::size_t i = 0; i < (entry.asked == 0 ? 1U : 2U); ++i)
      if (entry.peers[i] != 0) ask(questions, entry.peers[i], entry.key);
    ++entry.asked;
    entry.due = now + again;
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.asked >= asked_max; });
  return questions;
}

}  // namespace ballast::mesh
