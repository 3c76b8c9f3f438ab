#include "ballast/trust/fleet_key.h"

#include <utility>

namespace ballast::trust {
namespace {

using wire::FleetRecord;
using wire::FleetRecordPtr;
using wire::RecordKind;

constexpr std::string_view record_context = "ballast-fleet/1";

// The zero bytes keep the parts apart: neither a context nor a cluster's name holds one.
std::string signed_record(const std::string& cluster, const FleetRecord& record) {
  std::string all(record_context);
  all += '\0';
  all += cluster;
  all += '\0';
  all += wire::bytes_of(record);
  return all;
}

Status is_key_of(const Identity& fleet_key, const fleet::Book& book) {
  if (fleet_key.public_key() == book.fleet_key()) return {};
  return Error{"this is not the fleet's present key (number " + std::to_string(book.generation()) +
               "): its public half is " + text_of(fleet_key.public_key()) + ", expected " +
               text_of(book.fleet_key()) +
               "; a key that was replaced by `ballast init --rotate` is of no use any more"};
}

// The same word by another key of the fleet.
FleetRecordPtr signed_again(const FleetRecord& record, const Identity& key,
                            const std::string& cluster, std::uint32_t generation) {
  FleetRecord again = record;
  again.generation = generation;
  return sign_record(key, cluster, std::move(again));
}

}  // namespace

bool RecordVerifier::is_signed(const wire::PublicKey& fleet_key, const FleetRecord& record) const {
  return is_signed_by(fleet_key, signed_record(cluster_, record), record.signature);
}

FleetRecordPtr sign_record(const Identity& fleet_key, const std::string& cluster,
                           FleetRecord record) {
  record.signature = fleet_key.sign(signed_record(cluster, record));
  return std::make_shared<const FleetRecord>(std::move(record));
}

Result<FleetRecordPtr> certify(const Identity& fleet_key, const std::string& cluster,
                               const fleet::Book& book, const NodeId& node, const IdentityKey& key,
                               bool may_lead, std::uint64_t now_s) {
  if (const Status good = is_key_of(fleet_key, book); !good) return good.error();
  FleetRecord record;
  record.generation = book.generation();
  record.node = node;
  record.identity = key;
  record.curve = curve_key_of(key);
  record.may_lead = may_lead;
  record.serial = book.next_serial(node);
  record.issued_s = now_s;
  return sign_record(fleet_key, cluster, std::move(record));
}

Result<FleetRecordPtr> revoke(const Identity& fleet_key, const std::string& cluster,
                              const fleet::Book& book, const NodeId& node, std::uint64_t now_s) {
  if (const Status good = is_key_of(fleet_key, book); !good) return good.error();
  const FleetRecordPtr certificate = book.certificate_of(node);
  if (!certificate)
    return Error{"no node " + quoted(node.str()) +
                 " with a certificate of this fleet: `ballast fleet` lists them"};
  FleetRecord record;
  record.kind = RecordKind::revocation;
  record.generation = book.generation();
  record.node = node;
  record.serial = certificate->serial;
  record.issued_s = now_s;
  return sign_record(fleet_key, cluster, std::move(record));
}

Result<std::vector<FleetRecordPtr>> succeed(const Identity& fleet_key, const Identity& next,
                                            const std::string& cluster, const fleet::Book& book,
                                            std::uint64_t now_s) {
  if (const Status good = is_key_of(fleet_key, book); !good) return good.error();
  FleetRecord word;
  word.kind = RecordKind::succession;
  word.generation = book.generation();
  word.identity = next.public_key();
  word.curve = fleet_key.public_key();
  word.issued_s = now_s;
  std::vector<FleetRecordPtr> records = {nullptr};
  for (const auto& [node, member] : book.members()) {
    for (const FleetRecordPtr& one : {member.revocation, member.certificate}) {
      if (!one) continue;
      records.push_back(signed_again(*one, next, cluster, book.generation() + 1));
    }
    ++word.serial;
  }
  records.front() = sign_record(fleet_key, cluster, std::move(word));
  return records;
}

Result<std::vector<FleetRecordPtr>> sign_left_over(const Identity& fleet_key,
                                                   const std::string& cluster,
                                                   const fleet::Book& book) {
  if (const Status good = is_key_of(fleet_key, book); !good) return good.error();
  std::vector<FleetRecordPtr> records;
  for (const auto& [node, member] : book.members()) {
    for (const FleetRecordPtr& one : {member.revocation, member.certificate})
      if (one && one->generation != book.generation())
        records.push_back(signed_again(*one, fleet_key, cluster, book.generation()));
  }
  return records;
}

}  // namespace ballast::trust
