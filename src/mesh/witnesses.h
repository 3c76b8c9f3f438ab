// Suspicion, both ways: whom I cannot reach, and who says so of whom.
//
// One witness can be cut off itself; so a summary is withdrawn only when two different masters say
// that they cannot reach its origin, in the life that is known of it. A newer version of it is the
// proof that it lives, and ends all that was said before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "ballast/mesh/mesh.h"

namespace ballast::mesh {

class Witnesses {
 public:
  explicit Witnesses(const Settings& settings) : settings_(settings) {}

  // A master and the life of it that is meant.
  struct Suspect {
    std::uint64_t key = 0;
    std::uint64_t incarnation = 0;
  };

  // What `witness` says in its newest summary: this replaces what it said before.
  void hear(TimePoint now, std::uint64_t witness, const std::vector<Suspect>& suspects);
  // A newer version of this master was heard.
  void cleared(std::uint64_t key);
  // Those whom two witnesses suspect; each is told once.
  std::vector<Suspect> take_agreed();

  // My own: a link to this master broke / it was heard from.
  void doubt(TimePoint now, const NodeId& master, std::uint64_t key, std::uint64_t incarnation);
  void reached(std::uint64_t key);
  // True when what I say of others has changed since; also forgets what is too old.
  bool tick(TimePoint now, std::uint64_t own_key);
  std::vector<wire::Suspicion> mine() const;
  bool suspects(std::uint64_t key) const;

 private:
  static constexpr std::size_t enough = 2;
  struct Testimony {
    std::uint64_t witness = 0;
    TimePoint at;
  };
  struct Case {
    std::uint64_t incarnation = 0;
    std::vector<Testimony> testimonies;
  };
  struct Doubt {
    wire::Suspicion suspicion;
    std::uint64_t key = 0;
    TimePoint since;
    bool told = false;
  };
  void testify(TimePoint now, std::uint64_t witness, const Suspect& suspect);

  Settings settings_;
  std::map<std::uint64_t, Case> cases_;
  std::vector<Suspect> agreed_;
  std::vector<Doubt> doubts_;
  bool changed_ = false;
};

}  // namespace ballast::mesh
