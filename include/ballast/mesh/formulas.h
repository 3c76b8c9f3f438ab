// The formulas of the mesh, as pure functions: how many peers, how many copies, how often, and
// which summaries are worth keeping.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ballast/base/time.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::mesh {

// How many active peers a master wants when it knows of `masters` in all, itself included: all of
// them while that is at most limits::peers_active_max, else log2 of their number, and 2, at most
// limits::peers_active_max. Source: design, section 4.
std::size_t active_target(std::size_t masters);

// With fewer active peers than this a master asks urgently: half of its target, rounded up.
std::size_t active_low(std::size_t masters);

// On how many of its links a master listens to relays. Every item comes as often to it as the two
// together say, and once more when its origin is a peer.
struct RelayDegree {
  std::size_t first = 0;  // relays on the tick after the relaying peer learned the item
  std::size_t again = 0;  // ... and one tick later
  bool operator==(const RelayDegree&) const = default;
};

// Bytes a second that a master may spend on copies of items: what is left of the budget of the
// design (5 kB/s at 1,000 masters, 10 kB/s at 10,000) after signs of life and digests. Grows with
// the logarithm of the number of masters between the two, and is constant outside.
double relay_budget_bytes_s(std::size_t masters);

// As many copies as the budget buys at this rate of news (bytes a second of items that were new to
// us), two thirds of them first relays; at least 2 first and 1 again, which still reaches all, and
// at most one of each on every link.
RelayDegree relay_degree(double news_bytes_s, std::size_t masters, std::size_t links);

// How long a master that has nothing new to say waits before it says it again, so that others know
// that it is still there: all masters together one item in two seconds, but none more often than
// once a minute.
Duration refresh_interval(std::size_t masters);

// How long a master should wait between two words that are not urgent, at this rate of news: ten
// seconds while the mesh can carry them; the longer, the more it is flooded, so that a thousand
// masters that all change at once do not drown each other. At most five minutes.
Duration pace(double news_bytes_s, std::size_t masters);

// How much a summary is worth to a master that cannot keep all of them; the larger, the sooner it
// is kept. Room counts by its logarithm (of the VMs of a usual size that fit) and age against it:
// a doubling of the room makes up for ten minutes. `taste` in [0, 1) is the master's own, so that
// not all keep the same ones. `heard_at` is on the master's own time line: as scores of different
// summaries age alike, their order does not change while they wait.
double usefulness(const wire::Summary& summary, TimePoint heard_at, double taste);

// A master's taste for another: uniform in [0, 1), the same each time.
double taste_of(std::uint64_t own_key, std::uint64_t key);

}  // namespace ballast::mesh
