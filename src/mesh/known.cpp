// Linear probing in a table that is at most 7/8 full and grows by half: memory for thousands of
// masters times thousands of nodes in one process is what counts here.

#include "known.h"

#include <algorithm>
#include <utility>

#include "ballast/base/limits.h"

namespace ballast::mesh {
namespace {

constexpr std::size_t capacity_min = 32;

std::uint64_t not_zero(std::uint64_t key) { return key == 0 ? 1 : key; }

}  // namespace

std::uint32_t Known::second_of(TimePoint now) const {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now - start_).count(), 0));
}

// Keys are well mixed, so their high half picks the place in a table of any size.
std::size_t Known::place_of(std::uint64_t key) const {
  return static_cast<std::size_t>(((key >> 32U) * table_.size()) >> 32U);
}

void Known::expect(std::uint64_t key) const {
  if (!table_.empty()) __builtin_prefetch(&table_[place_of(key)]);
}

const Known::Entry* Known::find(std::uint64_t key) const {
  if (table_.empty()) return nullptr;
  key = not_zero(key);
  for (std::size_t place = place_of(key);; place = place + 1 == table_.size() ? 0 : place + 1) {
    const Entry& entry = table_[place];
    if (entry.key == key) return &entry;
    if (entry.key == 0) return nullptr;
  }
}

Known::Entry* Known::find(std::uint64_t key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

Known::Entry* Known::add(std::uint64_t key) {
  if (Entry* entry = find(key)) return entry;
  if (size_ >= limits::masters_known_max) return nullptr;
  if (table_.empty() || (size_ + 1) * 8 > table_.size() * 7)
    rebuild(std::max(capacity_min, table_.size() * 3 / 2));
  key = not_zero(key);
  std::size_t place = place_of(key);
  while (table_[place].key != 0) place = place + 1 == table_.size() ? 0 : place + 1;
  table_[place].key = key;
  ++size_;
  return &table_[place];
}

void Known::rebuild(std::size_t capacity) {
  std::vector<Entry> old = std::exchange(table_, std::vector<Entry>(capacity));
  for (const Entry& entry : old) {
    if (entry.key == 0) continue;
    std::size_t place = place_of(entry.key);
    while (table_[place].key != 0) place = place + 1 == table_.size() ? 0 : place + 1;
    table_[place] = entry;
  }
}

std::vector<std::uint16_t> Known::expire(TimePoint before) {
  std::vector<std::uint16_t> slots;
  if (before <= start_) return slots;
  const std::uint32_t limit_s = second_of(before);
  std::size_t left = 0;
  for (const Entry& entry : table_) left += entry.key != 0 && entry.heard_s >= limit_s ? 1U : 0U;
  if (left == size_) return slots;
  for (Entry& entry : table_) {
    if (entry.key == 0 || entry.heard_s >= limit_s) continue;
    if (entry.slot != Entry::none) slots.push_back(entry.slot);
    entry = {};
  }
  size_ = left;
  rebuild(std::max(capacity_min, left * 8 / 7 + 2));
  return slots;
}

}  // namespace ballast::mesh
