// What a node calls out, and what it has found out, for the one who drives it.
#pragma once

#include <optional>
#include <vector>

#include "ballast/model/config.h"
#include "ballast/wire/beacon.h"

namespace ballast::discovery {

struct Effects {
  std::vector<wire::BeaconSend> sends;
  // Attach there. The seeker waits for word of how it went: attached(), refused(), or silence.
  std::optional<PeerAddress> attach_to;
  // No master answers: become one.
  bool lead = false;
  // Masters that are said to be there, for the mesh: hints.
  std::vector<wire::Peer> masters;
};

}  // namespace ballast::discovery
