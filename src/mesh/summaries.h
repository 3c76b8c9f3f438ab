// The summaries kept whole: the most useful ones. Which those are is a number per summary that does
// not change while it is kept (formulas.h), so the least useful one is found in one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ballast/mesh/mesh.h"
#include "known.h"

namespace ballast::mesh {

class Summaries {
 public:
  explicit Summaries(std::uint64_t own_key) : own_key_(own_key) {}

  // A newer version of this summary; `entry` is its origin's in `known`. Kept, if it is useful
  // enough, in place of an older version or of the least useful one.
  void put(TimePoint now, const wire::ItemPtr& item, Known::Entry& entry, Known& known);
  // Its spare is not to be used until a newer version comes; true when that is news.
  bool withdraw(std::uint16_t slot);
  // What `known` has forgotten.
  void drop(std::vector<std::uint16_t> slots, Known& known);

  const std::vector<Kept>& all() const { return all_; }
  const Kept& at(std::uint16_t slot) const { return all_[slot]; }

 private:
  void set(std::size_t slot, TimePoint now, const wire::ItemPtr& item);
  std::size_t least();

  std::uint64_t own_key_;
  std::vector<Kept> all_;
  std::vector<double> scores_;        // apart, so that a pass over them is quick
  std::optional<std::size_t> least_;  // known until a score changes
};

}  // namespace ballast::mesh
