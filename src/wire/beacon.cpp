// A beacon in bytes: "BAL", version, kind, cluster, then the fields of the kind. A text is one byte
// of length and its bytes; a whole number is two bytes, high first. The mac of an offer comes last.
#include "ballast/wire/beacon.h"

#include <algorithm>

#include "ballast/base/assert.h"
#include "ballast/wire/endpoint.h"

namespace ballast::wire {
namespace {

constexpr std::string_view prefix = "BAL\x01";
constexpr std::size_t offer_bytes_max =
    prefix.size() + 1 + (1 + beacon_cluster_bytes_max) + 2 * (1 + beacon_id_bytes_max) +
    2 * (1 + beacon_endpoint_bytes_max) + std::tuple_size_v<Nonce> + 2 * sizeof(std::uint16_t) +
    std::tuple_size_v<BeaconMac>;
static_assert(offer_bytes_max <= beacon_bytes_max, "the longest beacon fits");

bool is_endpoint(std::string_view text) {
  return text.size() <= beacon_endpoint_bytes_max && is_numeric_endpoint(text);
}

Status check_length(const char* what, std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return {};
  return Error{std::string(what) + ": found " + quoted(text) + " (" + std::to_string(text.size()) +
               " bytes), expected at most " + std::to_string(bytes_max) + " for beacons"};
}

class Writer {
 public:
  explicit Writer(std::string_view start) : bytes_(start) {}
  void byte(std::uint8_t value) { bytes_ += static_cast<char>(value); }
  void text(std::string_view value) {
    byte(static_cast<std::uint8_t>(value.size()));
    bytes_ += value;
  }
  void whole(std::uint16_t value) {
    byte(static_cast<std::uint8_t>(value >> 8U));
    byte(static_cast<std::uint8_t>(value & 0xFFU));
  }
  template <std::size_t n>
  void raw(const std::array<std::uint8_t, n>& value) {
    for (const std::uint8_t one : value) byte(one);
  }
  void peer(const Peer& value) {
    text(value.id.str());
    text(value.endpoint);
    text(value.feed);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads until the first thing that is wrong, and keeps what that was.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}

  std::uint8_t byte(const char* name) {
    const std::string_view one = take(1, name);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
  }
  std::uint16_t whole(const char* name) {
    const auto high = static_cast<std::uint16_t>(byte(name) << 8U);
    return static_cast<std::uint16_t>(high | byte(name));
  }
  template <std::size_t n>
  void raw(const char* name, std::array<std::uint8_t, n>& value) {
    const std::string_view bytes = take(n, name);
    std::transform(bytes.begin(), bytes.end(), value.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
  }
  std::string id(const char* name, std::size_t bytes_max) {
    std::string text(take(byte(name), name));
    if (!failed() && (text.size() > bytes_max || !is_valid_id(text)))
      fail(name, quoted(text), "1 to " + std::to_string(bytes_max) + " bytes of UTF-8");
    return text;
  }
  std::string endpoint(const char* name) {
    std::string text(take(byte(name), name));
    if (!failed() && !is_endpoint(text))
      fail(name, quoted(text),
           "tcp://A.B.C.D:PORT of at most " + std::to_string(beacon_endpoint_bytes_max) + " bytes");
    return text;
  }
  Peer peer() {
    Peer peer;
    peer.id = NodeId(id("master", beacon_id_bytes_max));
    peer.endpoint = endpoint("endpoint");
    peer.feed = endpoint("feed");
    return peer;
  }
  void fail(const char* name, const std::string& found, const std::string& expected) {
    if (error_.empty())
      error_ = "beacon: " + std::string(name) + ": found " + found + ", expected " + expected;
    left_ = {};
  }
  void finish() {
    if (!failed() && !left_.empty())
      fail("end", std::to_string(left_.size()) + " more bytes", "the end");
  }
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }

 private:
  std::string_view take(std::size_t size, const char* name) {
    if (failed()) return {};
    if (left_.size() < size) {
      fail(name, std::to_string(left_.size()) + " bytes", std::to_string(size));
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
  std::string error_;
};

void write(Writer& out, const Seek& seek) {
  out.text(seek.seeker.str());
  out.raw(seek.nonce);
  out.byte(static_cast<std::uint8_t>(seek.wants));
}
void write(Writer& out, const Offer& offer) {
  out.text(offer.seeker.str());
  out.raw(offer.nonce);
  out.peer(offer.master);
  out.whole(offer.free_places);
  out.whole(offer.slaves);
  out.raw(offer.mac);
}
void write(Writer& out, const Hello& hello) { out.peer(hello.master); }

void read(Cursor& in, Seek& seek) {
  seek.seeker = NodeId(in.id("seeker", beacon_id_bytes_max));
  in.raw("nonce", seek.nonce);
  const std::uint8_t wants = in.byte("wants");
  if (wants > static_cast<std::uint8_t>(Wanted::masters))
    in.fail("wants", std::to_string(wants), "0 to 2");
  seek.wants = static_cast<Wanted>(wants);
}
void read(Cursor& in, Offer& offer) {
  offer.seeker = NodeId(in.id("seeker", beacon_id_bytes_max));
  in.raw("nonce", offer.nonce);
  offer.master = in.peer();
  offer.free_places = in.whole("free_places");
  offer.slaves = in.whole("slaves");
  in.raw("mac", offer.mac);
}
void read(Cursor& in, Hello& hello) { hello.master = in.peer(); }

Status check(const std::string& cluster, const NodeId& node) {
  return check_beacon_bounds(cluster, node, {}, {});
}
Status check(const std::string& cluster, const Peer& peer) {
  if (Status good = check_beacon_bounds(cluster, peer.id, peer.endpoint, peer.feed); !good)
    return good;
  if (is_endpoint(peer.endpoint) && is_endpoint(peer.feed)) return {};
  return Error{"beacon: found endpoint " + quoted(peer.endpoint) + " and feed " +
               quoted(peer.feed) + ", expected tcp://A.B.C.D:PORT in both"};
}
Status check(const Beacon& beacon) {
  if (const auto* seek = std::get_if<Seek>(&beacon.body))
    return check(beacon.cluster, seek->seeker);
  if (const auto* hello = std::get_if<Hello>(&beacon.body))
    return check(beacon.cluster, hello->master);
  const auto& offer = std::get<Offer>(beacon.body);
  if (Status good = check(beacon.cluster, offer.seeker); !good) return good;
  return check(beacon.cluster, offer.master);
}

}  // namespace

Status check_beacon_bounds(std::string_view cluster, const NodeId& node, std::string_view endpoint,
                           std::string_view feed) {
  const Status checks[] = {check_length("cluster", cluster, beacon_cluster_bytes_max),
                           check_length("id", node.str(), beacon_id_bytes_max),
                           check_length("endpoint", endpoint, beacon_endpoint_bytes_max),
                           check_length("feed", feed, beacon_endpoint_bytes_max)};
  for (const Status& one : checks)
    if (!one) return one;
  return {};
}

Result<std::string> encode_beacon(const Beacon& beacon) {
  if (Status good = check(beacon); !good) return good.error();
  Writer out(prefix);
  out.byte(static_cast<std::uint8_t>(beacon.body.index() + 1));
  out.text(beacon.cluster);
  std::visit([&](const auto& body) { write(out, body); }, beacon.body);
  return out.take();
}

Result<Beacon> decode_beacon(std::string_view bytes) {
  if (bytes.size() > beacon_bytes_max)
    return Error{"beacon: found " + std::to_string(bytes.size()) + " bytes, expected at most " +
                 std::to_string(beacon_bytes_max)};
  if (!bytes.starts_with(prefix))
    return Error{"beacon: found another prefix, expected \"BAL\" and version 1"};
  Cursor in(bytes.substr(prefix.size()));
  Beacon beacon;
  const std::uint8_t kind = in.byte("kind");
  beacon.cluster = in.id("cluster", beacon_cluster_bytes_max);
  switch (kind) {
    case 1: read(in, beacon.body.emplace<Seek>()); break;
    case 2: read(in, beacon.body.emplace<Offer>()); break;
    case 3: read(in, beacon.body.emplace<Hello>()); break;
    default: in.fail("kind", std::to_string(kind), "1 to 3");
  }
  in.finish();
  if (in.failed()) return Error{in.error()};
  return beacon;
}

std::string_view authenticated_part(std::string_view offer_bytes) {
  constexpr std::size_t mac_bytes = std::tuple_size_v<BeaconMac>;
  BALLAST_ASSERT(offer_bytes.size() > mac_bytes, "no offer");
  return offer_bytes.substr(0, offer_bytes.size() - mac_bytes);
}

}  // namespace ballast::wire
