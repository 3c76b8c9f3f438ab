// The fleet's key: an Ed25519 pair that certifies nodes, takes certificates back and names the key
// that follows it. It may lie on a stick; running nodes need its public half alone. Source: RFC
// 8032; docs/protocol.md, "The fleet".
#pragma once

#include <string>

#include "ballast/fleet/book.h"
#include "ballast/trust/keys.h"
#include "ballast/wire/fleet_messages.h"

namespace ballast::trust {

// For one cluster: a record of another one is not signed for it.
class RecordVerifier final : public wire::FleetVerifier {
 public:
  explicit RecordVerifier(std::string cluster) : cluster_(std::move(cluster)) {}
  bool is_signed(const wire::PublicKey& fleet_key, const wire::FleetRecord& record) const override;
  const std::string& cluster() const { return cluster_; }

 private:
  std::string cluster_;
};

// The record with its signature.
wire::FleetRecordPtr sign_record(const Identity& fleet_key, const std::string& cluster,
                                 wire::FleetRecord record);

// Signed by the present key of the book; `now_s` is the wall clock, since 1970. `fleet_key` must be
// that key (Error). Nothing is taken into the book.
Result<wire::FleetRecordPtr> certify(const Identity& fleet_key, const std::string& cluster,
                                     const fleet::Book& book, const NodeId& node,
                                     const IdentityKey& key, bool may_lead, std::uint64_t now_s);
// Error too when there is no certificate of that node that counts.
Result<wire::FleetRecordPtr> revoke(const Identity& fleet_key, const std::string& cluster,
                                    const fleet::Book& book, const NodeId& node,
                                    std::uint64_t now_s);
// The word that the next key follows this one, and all that the book knows signed by it.
Result<std::vector<wire::FleetRecordPtr>> succeed(const Identity& fleet_key, const Identity& next,
                                                  const std::string& cluster,
                                                  const fleet::Book& book, std::uint64_t now_s);

// What is missing where that was broken off: signed by the present key of the book, whatever only
// keys of before have signed.
Result<std::vector<wire::FleetRecordPtr>> sign_left_over(const Identity& fleet_key,
                                                         const std::string& cluster,
                                                         const fleet::Book& book);

}  // namespace ballast::trust
