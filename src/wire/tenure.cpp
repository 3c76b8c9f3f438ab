// One look at the kind of each message.

#include "ballast/wire/tenure.h"

namespace ballast::wire {

void Tenure::note(const Body& body, bool incoming) {
  if (const auto* answer = std::get_if<NeighborAnswer>(&body)) {
    // Ours to them says whether they are our peer; so does theirs to us.
    linked_ = answer->accepted;
    over_ = incoming && !answer->accepted;
  } else if (std::holds_alternative<Disconnect>(body)) {
    // What we have just sent must get out before we close.
    linked_ = false;
    over_ = incoming;
  } else if (!std::holds_alternative<Neighbor>(body) && !std::holds_alternative<Shuffle>(body) &&
             !std::holds_alternative<ShuffleAnswer>(body) && !std::holds_alternative<Pull>(body) &&
             !std::holds_alternative<Pulled>(body) && !std::holds_alternative<Gossip>(body)) {
    standing_ = true;
  }
}

}  // namespace ballast::wire
