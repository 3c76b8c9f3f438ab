// What a running node does for its fleet beside the core: takes in those that its operator has
// invited, holds a fleet key that was lent to it, and tells people who belongs to the fleet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/model/config.h"
#include "ballast/trust/invitations.h"
#include "ballast/trust/trust_store.h"
#include "ballast/wire/inquiry_messages.h"
#include "ballast/zmq/transport.h"

namespace ballast::daemon {

class FleetOffice {
 public:
  // `trust` must outlive it.
  FleetOffice(const Config& config, trust::TrustStore& trust);

  // The answer to one that wants to be taken in. Its certificate is trusted from here on.
  wire::JoinAnswer answer(const zmq::Knock& knock, std::uint64_t now_s);

  // Request "lend-fleet-key UNTIL SEED": a key that is not on this host's disk, for the time of an
  // invitation. It stays in memory alone.
  Status lend(std::string_view words, std::uint64_t now_s);
  void forget_if_over(std::uint64_t now_s);

  // ballast-nodes/1: what docs/formats.md says, with when each was heard.
  std::string nodes_json(const wire::Reply& heard) const;
  // How keys are trusted here, in one line.
  std::string in_words() const;

 private:
  std::string fleet_key_file() const { return config_.node.state_dir + "/fleet.key"; }

  const Config config_;
  trust::TrustStore& trust_;
  std::optional<trust::Identity> lent_;
  std::uint64_t lent_until_s_ = 0;
};

}  // namespace ballast::daemon
