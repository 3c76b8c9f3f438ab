// What the fleet's key has signed, and how nodes pass it on: who belongs to the fleet, who does so
// no longer, and which key follows the present one. A record proves itself, so anybody may relay
// it, over anything. docs/protocol.md, "The fleet", has the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::wire {

using PublicKey = std::array<std::uint8_t, 32>;  // Ed25519, or X25519 where it says so

enum class RecordKind : unsigned char {
  certificate,  // this id belongs to these keys
  revocation,   // certificates of this id up to this serial count no more
  succession,   // the fleet's next key
};

struct FleetRecord {
  RecordKind kind = RecordKind::certificate;
  std::uint32_t generation = 1;  // of the fleet's key that has signed it, from 1
  NodeId node;                   // of a succession: empty
  PublicKey identity{};          // Ed25519; of a succession: the fleet's next key
  PublicKey curve{};             // X25519; of a succession: the key that has signed it
  bool may_lead = false;
  // Of a certificate: rises with each one of this id. Of a revocation: the last that it takes back.
  // Of a succession: how many nodes the next key has certified or revoked at once.
  std::uint64_t serial = 0;
  std::uint64_t issued_s = 0;  // since 1970 by the issuer's clock: for people, nothing expires
  Signature signature{};       // over bytes_of(), in the context of a cluster
  bool operator==(const FleetRecord&) const = default;
};
using FleetRecordPtr = std::shared_ptr<const FleetRecord>;

// What is signed. One record has one form.
std::string bytes_of(const FleetRecord& record);
// The record in these bytes; the signature is not looked at.
Result<FleetRecordPtr> parse_fleet_record(std::string_view bytes, const Signature& signature);

// Whether the owner of this fleet key has signed this record for our cluster. Deterministic, no
// I/O.
class FleetVerifier {
 public:
  FleetVerifier() = default;
  FleetVerifier(const FleetVerifier&) = delete;
  FleetVerifier& operator=(const FleetVerifier&) = delete;
  virtual ~FleetVerifier() = default;
  virtual bool is_signed(const PublicKey& fleet_key, const FleetRecord& record) const = 0;
};

// First on each connection, from whoever has opened it: this is who I am. All that a key which is
// not known yet may say, beside JoinAsk.
struct Introduce {
  FleetRecordPtr certificate;
  bool operator==(const Introduce& other) const;
};

// slave -> master, master -> master: what I know of the fleet, in short. The hash is the exclusive
// or of the first eight bytes of each record's signature; with buckets, one such hash for each of
// the 256 last bytes of key_of(node).
struct FleetDigest {
  std::uint32_t generation = 1;
  std::uint64_t hash = 0;
  std::vector<std::uint64_t> buckets;  // none, or 256
  bool answer = false;                 // to such a one with buckets: send none back
  bool operator==(const FleetDigest&) const = default;
};

// Records that the other may lack.
struct FleetRecords {
  std::vector<FleetRecordPtr> records;
  bool operator==(const FleetRecords& other) const;
};

// One that wants to join -> who has invited it, on a connection pinned to the inviter's key, with a
// new key of its own.
struct JoinAsk {
  std::uint64_t invitation = 0;  // its number
  NodeId node;
  PublicKey identity{};
  PublicKey proof{};  // keyed hash over what docs/protocol.md says; the key is the token's secret
  bool operator==(const JoinAsk&) const = default;
};
struct JoinAnswer {
  std::string refusal;                      // why not; empty: welcome
  std::vector<FleetRecordPtr> certificate;  // its own; of a welcome
  PublicKey fleet_key{};
  std::uint32_t generation = 1;        // of that key
  std::vector<FleetRecordPtr> chain;   // successions of before
  std::vector<FleetRecordPtr> others;  // who belongs to the fleet, those that may lead first
  NodeId master;                       // of the inviter's group, and where it listens; or empty
  std::string master_endpoint;
  std::uint32_t mode =
      0;  // that masters of the fleet act by, as Mode: 0 recommend, 1 approve, 2 auto
  std::uint64_t clock_s = 0;  // the inviter's, since 1970
  bool operator==(const JoinAnswer& other) const;
};

}  // namespace ballast::wire
