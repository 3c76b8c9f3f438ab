// The seam to the trust store: whose key is whose, and who may be master.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ballast/base/ids.h"
#include "ballast/wire/beacon.h"
#include "ballast/wire/fleet_messages.h"

namespace ballast::port {

// A CURVE (X25519) public key.
using CurveKey = std::array<std::uint8_t, 32>;

class Trust {
 public:
  Trust() = default;
  Trust(const Trust&) = delete;
  Trust& operator=(const Trust&) = delete;
  virtual ~Trust() = default;

  // Our own key pair. The secret key stays valid and unchanged for the life of the object.
  virtual const CurveKey& public_key() const = 0;
  virtual const CurveKey& secret_key() const = 0;

  // The node that a key belongs to, if it is trusted at all.
  virtual std::optional<NodeId> node_of(const CurveKey& key) const = 0;
  // The key that a node must show.
  virtual std::optional<CurveKey> key_of(const NodeId& node) const = 0;
  // True when this node may order and grant.
  virtual bool may_be_master(const NodeId& node) const = 0;

  // Our own certificate, shown first on each connection that we open; null: there is none, keys are
  // trusted by hand.
  virtual wire::FleetRecordPtr certificate() const { return nullptr; }
  // Whether a key that nobody knows may connect, to show a certificate of the fleet or to ask to
  // be taken in.
  virtual bool takes_strangers() const { return false; }
  // A node says with this certificate who it is, on a connection whose key is `shown`. Empty when
  // it is believed, and known from now on; else why not.
  virtual std::string why_not_believed(const wire::FleetRecordPtr& certificate,
                                       const NodeId& sender, const CurveKey& shown) {
    (void)certificate, (void)sender, (void)shown;
    return "certificates count for nothing here: keys are trusted by hand";
  }

  // A hash over this text that only we and this node can make: its key is the secret that our two
  // CURVE keys share. Nothing for a node that is not trusted. Source: design, section 4, "Beacons".
  virtual std::optional<wire::BeaconMac> shared_hash(const NodeId& node,
                                                     std::string_view text) const = 0;
};

}  // namespace ballast::port
