#include "ballast/model/hypervisor.h"

namespace ballast {

const char* name_of(Presence presence) {
  switch (presence) {
    case Presence::absent: return "absent";
    case Presence::running: return "running";
    case Presence::paused: return "paused";
    case Presence::incoming: return "incoming";
    case Presence::outgoing: return "outgoing";
    case Presence::unknown: return "unknown";
  }
  return "?";
}

}  // namespace ballast
