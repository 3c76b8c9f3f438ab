// Fleet keys without cryptography: a signature is a hash of key and text, so whoever knows the
// public key of a test can sign for it. Good enough where what is tested is who believes what.
#pragma once

#include <memory>
#include <string>

#include "ballast/wire/fleet_messages.h"

namespace ballast {

inline wire::PublicKey fake_key(std::uint8_t number) {
  wire::PublicKey key{};
  key.fill(number);
  return key;
}

inline wire::Signature fake_signature(const wire::PublicKey& key, const std::string& text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  const auto add = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001B3U; };
  for (const std::uint8_t byte : key) add(byte);
  for (const char c : text) add(static_cast<unsigned char>(c));
  wire::Signature signature{};
  for (std::uint8_t& byte : signature) {
    add(0);
    byte = static_cast<std::uint8_t>(hash >> 40U);
  }
  return signature;
}

class FakeVerifier final : public wire::FleetVerifier {
 public:
  bool is_signed(const wire::PublicKey& fleet_key, const wire::FleetRecord& record) const override {
    ++asked;
    return record.signature == fake_signature(fleet_key, wire::bytes_of(record));
  }
  mutable std::size_t asked = 0;
};

inline wire::FleetRecordPtr fake_signed(wire::FleetRecord record, const wire::PublicKey& by) {
  record.signature = fake_signature(by, wire::bytes_of(record));
  return std::make_shared<const wire::FleetRecord>(std::move(record));
}

inline wire::FleetRecordPtr fake_certificate(const std::string& node, std::uint64_t serial,
                                             const wire::PublicKey& by, bool may_lead = false,
                                             std::uint32_t generation = 1) {
  wire::FleetRecord record;
  record.generation = generation;
  record.node = NodeId(node);
  record.identity = fake_key(static_cast<std::uint8_t>(node.back()));
  record.curve = record.identity;
  record.may_lead = may_lead;
  record.serial = serial;
  return fake_signed(record, by);
}

inline wire::FleetRecordPtr fake_revocation(const std::string& node, std::uint64_t serial,
                                            const wire::PublicKey& by,
                                            std::uint32_t generation = 1) {
  wire::FleetRecord record;
  record.kind = wire::RecordKind::revocation;
  record.generation = generation;
  record.node = NodeId(node);
  record.serial = serial;
  return fake_signed(record, by);
}

inline wire::FleetRecordPtr fake_succession(const wire::PublicKey& next, std::uint64_t nodes,
                                            const wire::PublicKey& by, std::uint32_t generation) {
  wire::FleetRecord record;
  record.kind = wire::RecordKind::succession;
  record.generation = generation;
  record.identity = next;
  record.curve = by;
  record.serial = nodes;
  return fake_signed(record, by);
}

}  // namespace ballast
