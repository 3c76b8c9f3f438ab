// Who belongs to the fleet: what its key has signed, of each node the newest. Nodes that have heard
// the same records hold the same book, in whatever order they heard them, so that two of them find
// what one lacks by comparing short hashes. Pure; the signatures are looked at by the verifier that
// is handed in. Source: docs/protocol.md, "The fleet".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ballast/base/limits.h"
#include "ballast/wire/fleet_messages.h"

namespace ballast::fleet {

enum class Heard : unsigned char {
  news,
  known,    // this one, or a newer one of that node
  foreign,  // not signed by this fleet's key
  // Signed by a key that the fleet has had before, or by one that it does not know yet.
  other_generation,
  full,  // as many nodes as there may be
};

// Of one node; both may be there: revoked, and certified anew after that.
struct Member {
  wire::FleetRecordPtr certificate;  // null: none that counts
  wire::FleetRecordPtr revocation;   // the last one
};

class Book {
 public:
  // Empty, of the fleet whose key of this generation is known to be this one.
  Book(const wire::PublicKey& fleet_key, std::uint32_t generation);
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // What is known already is told before its signature is looked at.
  Heard take(const wire::FleetRecordPtr& record, const wire::FleetVerifier& verifier);
  // The fleet's keys of before, from one who is believed in all: for nodes that know only those.
  // False when they do not lead to ours.
  bool set_past(const std::vector<wire::FleetRecordPtr>& chain);

  const wire::PublicKey& fleet_key() const { return fleet_key_; }
  std::uint32_t generation() const { return generation_; }
  // Each key of the fleet with the word of the one before; the last one names ours.
  const std::vector<wire::FleetRecordPtr>& chain() const { return chain_; }
  // Those that a node of this generation lacks.
  std::vector<wire::FleetRecordPtr> chain_from(std::uint32_t generation) const;

  // Null when there is none that counts.
  wire::FleetRecordPtr certificate_of(const NodeId& node) const;
  bool is_revoked(const wire::FleetRecord& certificate) const;
  // In order of their ids.
  const std::map<NodeId, Member>& members() const { return members_; }
  // The serial of the next certificate of this node.
  std::uint64_t next_serial(const NodeId& node) const;

  // Of records of this generation only: what is left of an earlier one is not passed on.
  std::uint64_t hash() const;
  const std::array<std::uint64_t, limits::fleet_buckets>& buckets() const { return buckets_; }
  std::vector<wire::FleetRecordPtr> records_in(std::size_t bucket) const;
  // All, with those of certificates that may lead first, at most so many.
  std::vector<wire::FleetRecordPtr> records(std::size_t count_max) const;

 private:
  Heard take_member(const wire::FleetRecordPtr& record, const wire::FleetVerifier& verifier);
  Heard take_succession(const wire::FleetRecordPtr& record, const wire::FleetVerifier& verifier);
  void put(wire::FleetRecordPtr& place, const wire::FleetRecordPtr& record);
  void drop_left_over();

  wire::PublicKey fleet_key_;
  std::uint32_t generation_;
  std::vector<wire::FleetRecordPtr> chain_;
  std::map<NodeId, Member> members_;
  std::map<std::uint8_t, std::map<NodeId, const Member*>> by_bucket_;
  std::array<std::uint64_t, limits::fleet_buckets> buckets_{};
  std::size_t certified_ = 0;          // nodes of which something of this generation is known
  std::uint64_t left_over_until_ = 0;  // so many of them, and what is of before is dropped; 0: none
};

}  // namespace ballast::fleet
