// Watches how news spreads over the mesh: takes the next fresh word of any master, and sees when
// the last of the others has it. Looks at messages only, so that nothing a node believes can
// flatter it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ballast/node/node.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::world {

class Spread {
 public:
  explicit Spread(std::size_t nodes) : said_(nodes) {}

  // From now on the next fresh word is followed, unless one is already.
  void watch() { armed_ = true; }
  bool follows_word_of(const wire::Item& item) const {
    return mark_ && mark_->key == item.key &&
           mark_->version == Version{item.incarnation, item.version};
  }
  // Fresh words of all nodes so far.
  std::uint64_t words() const { return words_; }
  bool watches() const { return mark_.has_value(); }

  // A node says something to its subscribers; a node hears something. Returns the fresh word of its
  // own in it, null when there is none.
  wire::ItemPtr published(TimePoint now, std::uint32_t node, const NodeId& id,
                          const wire::Message& message);
  void heard(std::uint32_t node, const node::Input& input);

  // How long the word that is followed has been on its way, once each of these nodes has it; then
  // it is followed no more.
  std::optional<Duration> all_know(TimePoint now, const std::vector<std::uint32_t>& masters);

 private:
  using Version = std::pair<std::uint64_t, std::uint64_t>;  // incarnation, version
  struct Mark {
    std::uint64_t key = 0;  // of its origin
    Version version;
    TimePoint began;
    std::vector<bool> knows;
  };
  std::vector<Version> said_;  // the newest of each node's own words
  std::uint64_t words_ = 0;
  std::optional<Mark> mark_;
  bool armed_ = false;
};

}  // namespace ballast::world
