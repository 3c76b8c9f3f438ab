// Beacons in bytes: there and back, and whatever else somebody may send to the port.
#include "ballast/wire/beacon.h"

#include <doctest/doctest.h>

#include "ballast/base/random.h"
#include "ballast/wire/endpoint.h"

namespace ballast::wire {
namespace {

const Peer master{NodeId("m"), "tcp://10.0.0.1:7720", "tcp://10.0.0.1:7721"};

std::string text_of_length(Random& random, std::size_t bytes_max) {
  std::string text(1 + random.below(bytes_max), 'x');
  for (char& c : text) c = static_cast<char>('a' + random.below(26));
  return text;
}

Peer random_peer(Random& random) {
  const auto endpoint = [&] {
    std::string text = "tcp://" + std::to_string(1 + random.below(223));
    for (int i = 0; i < 3; ++i) text += "." + std::to_string(random.below(256));
    return text + ":" + std::to_string(1 + random.below(65535));
  };
  return {NodeId(text_of_length(random, beacon_id_bytes_max)), endpoint(), endpoint()};
}

template <std::size_t n>
void fill(Random& random, std::array<std::uint8_t, n>& bytes) {
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
}

Beacon random_beacon(Random& random) {
  Beacon beacon{text_of_length(random, beacon_cluster_bytes_max), {}};
  const NodeId seeker(text_of_length(random, beacon_id_bytes_max));
  Nonce nonce;
  fill(random, nonce);
  switch (random.below(3)) {
    case 0: beacon.body = Seek{seeker, nonce, static_cast<Wanted>(random.below(3))}; break;
    case 1: {
      Offer offer{seeker,
                  nonce,
                  random_peer(random),
                  static_cast<std::uint16_t>(random.next()),
                  static_cast<std::uint16_t>(random.next()),
                  {}};
      fill(random, offer.mac);
      beacon.body = offer;
      break;
    }
    default: beacon.body = Hello{random_peer(random)};
  }
  return beacon;
}

std::string encoded(const Beacon& beacon) {
  Result<std::string> bytes = encode_beacon(beacon);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  return std::move(bytes).value();
}

std::string error_of(const std::string& bytes) {
  const Result<Beacon> beacon = decode_beacon(bytes);
  return beacon.ok() ? "no error" : beacon.error().message;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every beacon comes back as it was, and none is longer than 255 bytes") {
  constexpr std::uint64_t seed = 1;
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const Beacon beacon = random_beacon(random);
    const std::string bytes = encoded(beacon);
    REQUIRE(bytes.size() <= beacon_bytes_max);
    REQUIRE(bytes.starts_with("BAL\x01"));
    const Result<Beacon> read = decode_beacon(bytes);
    REQUIRE_MESSAGE(read.ok(), read.error().message);
    REQUIRE(*read == beacon);
  }
}

TEST_CASE("an offer with everything as long as it may be still fits") {
  const Peer longest{NodeId(std::string(beacon_id_bytes_max, 'm')), "tcp://223.255.255.255:65535",
                     "tcp://223.255.255.254:65535"};
  const NodeId seeker(std::string(beacon_id_bytes_max, 's'));
  const std::string bytes = encoded(
      {std::string(beacon_cluster_bytes_max, 'c'), Offer{seeker, {}, longest, 65535, 65535, {}}});
  CHECK(bytes.size() <= beacon_bytes_max);
  CHECK(decode_beacon(bytes).ok());
}

TEST_CASE(
    "what is too long for a beacon is an error that names it, when configured and when sent") {
  const std::string long_id(beacon_id_bytes_max + 1, 'x');
  const Status id = check_beacon_bounds("c", NodeId(long_id), "", "");
  REQUIRE_FALSE(id.ok());
  CHECK(holds(id.error().message, "id: found 'xxx"));
  CHECK(holds(id.error().message, "(41 bytes), expected at most 40 for beacons"));
  CHECK(holds(check_beacon_bounds(std::string(25, 'c'), NodeId("a"), "", "").error().message,
              "cluster: found"));
  CHECK(holds(check_beacon_bounds("c", NodeId("a"), std::string(53, 'e'), "").error().message,
              "endpoint: found"));
  CHECK(holds(check_beacon_bounds("c", NodeId("a"), "", std::string(53, 'e')).error().message,
              "feed: found"));
  CHECK_FALSE(encode_beacon({"c", Seek{NodeId(long_id), {}, Wanted::group}}).ok());
  CHECK_FALSE(encode_beacon({"c", Hello{{NodeId("m"), "", ""}}}).ok());
}

TEST_CASE("bytes that are no beacon of ours are refused with what is wrong") {
  const std::string seek = encoded({"c", Seek{NodeId("s"), {}, Wanted::group}});
  const std::string hello = encoded({"c", Hello{master}});
  std::string other_version = seek;
  other_version[3] = 2;
  std::string no_kind = seek;
  no_kind[4] = 9;
  std::string bad_wants = seek;
  bad_wants.back() = 3;
  std::string no_endpoint = hello;
  no_endpoint.replace(no_endpoint.find("tcp"), 3, "ipc");
  const struct {
    std::string bytes;
    const char* expected;
  } cases[] = {
      {seek, "no error"},
      {"", "another prefix"},
      {"ZRE\x01", "another prefix"},
      {other_version, "another prefix"},
      {"BAL\x01", "kind: found 0 bytes, expected 1"},
      {no_kind, "kind: found 9, expected 1 to 3"},
      {bad_wants, "wants: found 3, expected 0 to 2"},
      {seek + "x", "end: found 1 more bytes"},
      {seek.substr(0, seek.size() - 1), "wants: found 0 bytes"},
      {no_endpoint, "endpoint: found 'ipc://10.0.0.1:7720', expected tcp://A.B.C.D:PORT"},
      {std::string("BAL\x01\x01\x00", 6), "cluster: found ''"},
      {"BAL\x01\x01\x02\xC0\x80", "cluster: found '?\?'"},
      {std::string("BAL\x01\x01\xFF", 6) + "c", "cluster: found 1 bytes, expected 255"},
      {std::string(256, 'x'), "found 256 bytes, expected at most 255"},
  };
  for (const auto& one : cases) {
    const std::string found = error_of(one.bytes);
    CHECK_MESSAGE(holds(found, one.expected), found, " should hold: ", one.expected);
  }
}

TEST_CASE("no mutation of a beacon is more than an error, and what is read can be written again") {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    std::string bytes = encoded(random_beacon(random));
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      if (bytes.empty()) break;
      const std::size_t at = random.below(bytes.size());
      switch (random.below(4)) {
        case 0: bytes[at] = static_cast<char>(random.next()); break;
        case 1: bytes.erase(at, 1 + random.below(8)); break;
        case 2: bytes.insert(at, 1 + random.below(8), static_cast<char>(random.next())); break;
        default: bytes.resize(at);
      }
    }
    const Result<Beacon> beacon = decode_beacon(bytes);
    if (!beacon) continue;
    REQUIRE_MESSAGE(encoded(*beacon) == bytes, "seed ", seed);
  }
}

TEST_CASE("all of an offer but its mac is what the mac is made over") {
  Offer offer{NodeId("s"), {1}, master, 3, 5, {}};
  const std::string one = encoded({"c", offer});
  offer.mac[0] = 1;
  const std::string other = encoded({"c", offer});
  CHECK(one != other);
  CHECK(authenticated_part(one) == authenticated_part(other));
  ++offer.free_places;
  CHECK(authenticated_part(encoded({"c", offer})) != authenticated_part(one));
}

TEST_CASE("an endpoint from the wire is numeric, and written in one way only") {
  for (const char* good : {"tcp://10.0.0.1:7720", "tcp://127.0.0.1:1",
                           "tcp://223.255.255.255:65535", "tcp://1.0.0.0:10"})
    CHECK(is_numeric_endpoint(good));
  for (const char* bad : {"",
                          "tcp://",
                          "tcp://kvm1:7720",
                          "tcp://10.0.0.1",
                          "tcp://10.0.0.1:",
                          "tcp://10.0.0.1:0",
                          "tcp://10.0.0.1:65536",
                          "tcp://10.0.0.1:7720x",
                          "tcp://10.0.0.1:+1",
                          "tcp://10.0.0.1: 1",
                          "tcp://10.0.0:7720",
                          "tcp://10.0.0.0.1:7720",
                          "tcp://10.0.0.256:1",
                          "tcp://010.0.0.1:1",
                          "tcp://0.0.0.0:1",
                          "tcp://224.0.0.1:1",
                          "tcp://255.255.255.255:1",
                          "tcp://0x7f.0.0.1:1",
                          "tcp://2130706433:1",
                          "tcp://[::1]:1",
                          "tcp://10.0.0.1:1;10.0.0.2:2",
                          "ipc:///tmp/x",
                          "udp://10.0.0.1:1",
                          "TCP://10.0.0.1:1",
                          "tcp://-1.0.0.1:1",
                          "tcp://10..0.1:1"})
    CHECK_FALSE_MESSAGE(is_numeric_endpoint(bad), bad);
}

}  // namespace ballast::wire
