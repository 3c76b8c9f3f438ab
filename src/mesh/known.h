// The newest version heard of every master, compactly: with thousands of masters everyone knows
// everyone, so an entry is 24 bytes in one open-addressing table, without texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ballast/base/time.h"

namespace ballast::mesh {

// Incarnation and version of a summary. Both are kept in 32 bits: no honest master gets that far.
struct Stamp {
  std::uint32_t incarnation = 0;
  std::uint32_t version = 0;
  auto operator<=>(const Stamp&) const = default;
};

inline constexpr std::uint64_t stamp_max = 0xFFFFFFFEU;

class Known {
 public:
  struct Entry {
    std::uint64_t key = 0;  // 0: free
    Stamp stamp;
    std::uint32_t heard_s = 0;  // since the start
    std::uint16_t slot = none;  // where the whole summary is kept
    static constexpr std::uint16_t none = 0xFFFF;
  };
  static_assert(sizeof(Entry) <= 32);

  explicit Known(TimePoint start) : start_(start) {}

  // Null when that master was never heard of. Valid until the next add() or expire().
  Entry* find(std::uint64_t key);
  const Entry* find(std::uint64_t key) const;
  // It will be looked for soon: with thousands of meshes in one process the table is in no cache.
  void expect(std::uint64_t key) const;
  // The entry of this key, a new one if need be; null when the table is full.
  Entry* add(std::uint64_t key);
  void heard(Entry& entry, TimePoint now) const { entry.heard_s = second_of(now); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return table_.capacity() * sizeof(Entry); }

  // Forgets those not heard of since then. The slots of the forgotten are returned, in the order of
  // the table, which is the same in each run.
  std::vector<std::uint16_t> expire(TimePoint before);

 private:
  std::uint32_t second_of(TimePoint now) const;
  std::size_t place_of(std::uint64_t key) const;
  void rebuild(std::size_t capacity);

  TimePoint start_;
  std::size_t size_ = 0;
  std::vector<Entry> table_;
};

}  // namespace ballast::mesh
