// How long a connection that a node opened to another is worth keeping: what it has carried says
// what it is for. Shared by the transports, real and simulated, so that the connections of a master
// stay few however many others knock at its door at once (design, section 4: connections per master
// stay bounded).
//
// A connection begins as a knock: all that has gone over it is a Neighbor. An answer that says yes
// makes it a link of the mesh, a no or a good-bye ends it. Whatever else is said on it, it is a
// connection like any other, closed when it was idle for long.
#pragma once

#include <cstddef>

#include "ballast/base/time.h"
#include "ballast/wire/messages.h"

namespace ballast::limits {

// A master's TCP connections with other masters, 64 in all, however many want to join at once.
inline constexpr std::size_t master_feeds_max = 14;     // of others that it follows
inline constexpr std::size_t master_guests_max = 14;    // who follow its feed
inline constexpr std::size_t master_sessions_max = 36;  // opened by it and by others, together
static_assert(master_feeds_max + master_guests_max + master_sessions_max <= 64);

}  // namespace ballast::limits

namespace ballast::wire {

class Tenure {
 public:
  enum class Stay : unsigned char { over, brief, usual };

  // What we have sent over it, and what has come in on it.
  void sent(const Body& body) { note(body, false); }
  void heard(const Body& body) { note(body, true); }
  // It broke: whoever was there has to be asked again.
  void broke() { linked_ = over_ = false; }

  // `over`: close it now; `brief`: once it was idle for brief_idle.
  Stay stay() const {
    if (standing_ || linked_) return Stay::usual;
    return over_ ? Stay::over : Stay::brief;
  }
  static constexpr Duration brief_idle = std::chrono::seconds(2);

 private:
  void note(const Body& body, bool incoming);

  bool standing_ = false;  // it carries more than the mesh
  bool linked_ = false;    // the two are peers
  bool over_ = false;      // the other one is done with us
};

}  // namespace ballast::wire
