// What nodes call into the local network over UDP: who looks for a master, who has room, who is
// there. Plain values and their codec. Source: design, sections 3.11 and 4.
//
// A datagram has at most 255 bytes and begins with "BAL" and a version, so that any listener for
// ZRE-style beacons can tell it from others. Every text in it has a bound of its own, and all of
// them together fit: what is within its bound can always be sent.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::wire {

inline constexpr std::size_t beacon_bytes_max = 255;
inline constexpr std::size_t beacon_id_bytes_max = 40;  // a UUID has 36
inline constexpr std::size_t beacon_cluster_bytes_max = 24;
inline constexpr std::size_t beacon_endpoint_bytes_max = 52;  // "tcp://" and "host:port"

using Nonce = std::array<std::uint8_t, 16>;
// Keyed hash over an offer: only the two whom it names can make it.
using BeaconMac = std::array<std::uint8_t, 16>;

enum class Wanted : unsigned char {
  group,          // a master to attach to
  group_or_lead,  // the same; when there is none the seeker becomes one
  masters,        // the seeker is a master and knows no other
};

// "Who has room for me?" The nonce is new in each and comes back in the answer.
struct Seek {
  NodeId seeker;
  Nonce nonce{};
  Wanted wants = Wanted::group;
  bool operator==(const Seek&) const = default;
};

// The answer of a master, to the seeker alone. The place is held for 10 s.
struct Offer {
  NodeId seeker;
  Nonce nonce{};
  Peer master;
  std::uint16_t free_places = 0;  // with the one that is offered; 0 to a seeker of masters
  std::uint16_t slaves = 0;
  BeaconMac mac{};  // filled in and checked by the transport
  bool operator==(const Offer&) const = default;
};

// "I am a master": a hint, proven by nothing; whoever connects there proves it then.
struct Hello {
  Peer master;
  bool operator==(const Hello&) const = default;
};

// A kind's number on the wire is its place here, from 1.
using BeaconBody = std::variant<Seek, Offer, Hello>;

struct Beacon {
  std::string cluster;
  BeaconBody body;
  bool operator==(const Beacon&) const = default;
};

// Where a datagram came from: an answer goes there.
struct BeaconAddress {
  std::uint32_t ipv4 = 0;  // 127.0.0.1 is 0x7F000001
  std::uint16_t port = 0;
  auto operator<=>(const BeaconAddress&) const = default;
};

// To one address; without one, to everybody: broadcast and each seed address.
struct BeaconSend {
  std::optional<BeaconAddress> to;
  BeaconBody body;
};
// Of our cluster, and an Offer only with a good mac of a node that may be master. A Hello that is
// not believed is that of a node whose key is not trusted as a master's.
struct BeaconHeard {
  BeaconAddress from;
  BeaconBody body;
  bool believed = true;
};

// Whether a node with these can use beacons; the Error names what is too long. `endpoint` and
// `feed` may be empty when they are not known yet.
Status check_beacon_bounds(std::string_view cluster, const NodeId& node, std::string_view endpoint,
                           std::string_view feed);

// The datagram. Error when something is over its bound.
Result<std::string> encode_beacon(const Beacon& beacon);
// Never throws and never reads past the end: another prefix or version, short, trailing, or out of
// its bounds is an Error that says so.
Result<Beacon> decode_beacon(std::string_view bytes);
// Of the bytes of an Offer: what its mac is made over, which is all but the mac.
std::string_view authenticated_part(std::string_view offer_bytes);

}  // namespace ballast::wire
