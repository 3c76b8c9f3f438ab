// What was learned lately, and what is still to be learned.
//
// News holds items from the moment they are learned: relayed on the next tick ("first"), once more
// on the one after ("again"), told of in the digest of the first, and kept a few ticks longer for
// peers that ask. Wanted holds what digests told of and nobody has sent yet: a relay is given one
// interval to arrive, then the item is pulled from one who has it, another one each time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "ballast/mesh/mesh.h"
#include "known.h"

namespace ballast::mesh {

class News {
 public:
  // False when too many wait: this one is not relayed.
  bool add(const wire::ItemPtr& item);
  // One round: what to publish, and what to tell of. Forgets what has been told long enough.
  void tick(Effects& out, std::vector<wire::DigestEntry>& digest);
  // Null when it is not among them.
  wire::ItemPtr find(std::uint64_t key) const;
  std::size_t size() const { return items_.size(); }

 private:
  struct Entry {
    wire::ItemPtr item;
    unsigned rounds = 0;  // that it has been through
  };
  std::deque<Entry> items_;  // oldest first: rounds never rise from front to back
};

class Wanted {
 public:
  // A peer says that it has this version. False when too many wait.
  bool told(TimePoint due, std::uint64_t peer, const wire::DigestEntry& entry);
  // An item of this master was learned.
  void got(std::uint64_t key);
  struct Question {
    std::uint64_t peer = 0;
    std::vector<std::uint64_t> keys;
  };
  // What to ask now of whom; what was asked for often enough is given up.
  std::vector<Question> due(TimePoint now, Duration again);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t version = 0;
    TimePoint due;
    std::array<std::uint64_t, 2> peers{};  // those who said last that they have it
    unsigned asked = 0;
  };
  static void ask(std::vector<Question>& questions, std::uint64_t peer, std::uint64_t key);
  std::vector<Entry>::iterator place_of(std::uint64_t key);
  std::vector<Entry> entries_;  // by key
};

inline wire::DigestEntry entry_of(const wire::Item& item) {
  return {item.key, item.incarnation, item.version};
}

}  // namespace ballast::mesh
