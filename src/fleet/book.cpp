// Of each node the certificate with the highest serial that is not revoked, and the revocation with
// the highest serial: a join of two maxima, so the order in which records come does not matter. Two
// certificates of one serial are a fault of whoever has signed them; the lower signature counts.
#include "ballast/fleet/book.h"

#include <algorithm>

namespace ballast::fleet {
namespace {

using wire::FleetRecord;
using wire::FleetRecordPtr;
using wire::RecordKind;

std::uint8_t bucket_of(const NodeId& node) {
  return static_cast<std::uint8_t>(wire::key_of(node) & 0xFFU);
}

std::uint64_t hash_of(const FleetRecord& record) {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < sizeof hash; ++i) hash = hash << 8U | record.signature.at(i);
  return hash;
}

// A key that came later counts more; of one key the higher serial.
bool is_newer(const FleetRecord& record, const FleetRecordPtr& known) {
  if (!known) return true;
  if (record.generation != known->generation) return record.generation > known->generation;
  if (record.serial != known->serial) return record.serial > known->serial;
  return record.signature < known->signature;
}

bool takes_back(const FleetRecordPtr& revocation, const FleetRecord& certificate) {
  return revocation && certificate.serial <= revocation->serial;
}

}  // namespace

Book::Book(const wire::PublicKey& fleet_key, std::uint32_t generation)
    : fleet_key_(fleet_key), generation_(generation) {}

Heard Book::take(const FleetRecordPtr& record, const wire::FleetVerifier& verifier) {
  if (record->kind == RecordKind::succession) return take_succession(record, verifier);
  return take_member(record, verifier);
}

Heard Book::take_member(const FleetRecordPtr& record, const wire::FleetVerifier& verifier) {
  const auto found = members_.find(record->node);
  if (found != members_.end()) {
    const Member& member = found->second;
    const bool is_certificate = record->kind == RecordKind::certificate;
    const FleetRecordPtr& known = is_certificate ? member.certificate : member.revocation;
    if (known && *known == *record) return Heard::known;
    if (record->generation != generation_) return Heard::other_generation;
    if (!is_newer(*record, known)) return Heard::known;
    if (is_certificate && takes_back(member.revocation, *record)) return Heard::known;
  }
  if (record->generation != generation_) return Heard::other_generation;
  if (!verifier.is_signed(fleet_key_, *record)) return Heard::foreign;
  if (found == members_.end() && members_.size() >= limits::fleet_nodes_max) return Heard::full;
  Member& member = members_[record->node];
  const bool was_certified =
      (member.certificate && member.certificate->generation == generation_) ||
      (member.revocation && member.revocation->generation == generation_);
  if (record->kind == RecordKind::certificate) {
    put(member.certificate, record);
  } else {
    put(member.revocation, record);
    if (member.certificate && takes_back(record, *member.certificate))
      put(member.certificate, nullptr);
  }
  by_bucket_[bucket_of(record->node)].emplace(record->node, &member);
  if (!was_certified) ++certified_;
  drop_left_over();
  return Heard::news;
}

void Book::put(FleetRecordPtr& place, const FleetRecordPtr& record) {
  for (const FleetRecordPtr& one : {place, record}) {
    if (one && one->generation == generation_) buckets_.at(bucket_of(one->node)) ^= hash_of(*one);
  }
  place = record;
}

Heard Book::take_succession(const FleetRecordPtr& record, const wire::FleetVerifier& verifier) {
  for (const FleetRecordPtr& known : chain_)
    if (*known == *record) return Heard::known;
  if (record->generation != generation_) return Heard::other_generation;
  if (record->curve != fleet_key_ || record->identity == fleet_key_ ||
      !verifier.is_signed(fleet_key_, *record))
    return Heard::foreign;
  if (chain_.size() >= limits::fleet_chain_max) return Heard::full;
  chain_.push_back(record);
  fleet_key_ = record->identity;
  ++generation_;
  // Members stay known until the new key has spoken of as many as it said; they are not passed on.
  buckets_.fill(0);
  certified_ = 0;
  left_over_until_ = record->serial;
  drop_left_over();
  return Heard::news;
}

void Book::drop_left_over() {
  if (left_over_until_ == 0 || certified_ < left_over_until_) return;
  left_over_until_ = 0;
  for (auto at = members_.begin(); at != members_.end();) {
    for (FleetRecordPtr* one : {&at->second.certificate, &at->second.revocation}) {
      if (*one && (*one)->generation != generation_) one->reset();
    }
    if (at->second.certificate || at->second.revocation) {
      ++at;
      continue;
    }
    by_bucket_[bucket_of(at->first)].erase(at->first);
    at = members_.erase(at);
  }
}

bool Book::set_past(const std::vector<FleetRecordPtr>& chain) {
  if (chain.empty()) return true;
  std::uint32_t generation = generation_ - static_cast<std::uint32_t>(chain.size());
  if (chain.size() >= generation_ || chain.back()->identity != fleet_key_) return false;
  for (std::size_t i = 0; i < chain.size(); ++i, ++generation) {
    const FleetRecord& one = *chain[i];
    const bool follows = i == 0 || chain[i - 1]->identity == one.curve;
    if (one.kind != RecordKind::succession || one.generation != generation || !follows)
      return false;
  }
  chain_ = chain;
  return true;
}

std::vector<FleetRecordPtr> Book::chain_from(std::uint32_t generation) const {
  std::vector<FleetRecordPtr> part;
  for (const FleetRecordPtr& one : chain_)
    if (one->generation >= generation) part.push_back(one);
  return part;
}

FleetRecordPtr Book::certificate_of(const NodeId& node) const {
  const auto found = members_.find(node);
  return found == members_.end() ? nullptr : found->second.certificate;
}

bool Book::is_revoked(const FleetRecord& certificate) const {
  const auto found = members_.find(certificate.node);
  return found != members_.end() && takes_back(found->second.revocation, certificate);
}

std::uint64_t Book::next_serial(const NodeId& node) const {
  const auto found = members_.find(node);
  if (found == members_.end()) return 1;
  std::uint64_t highest = 0;
  for (const FleetRecordPtr& one : {found->second.certificate, found->second.revocation})
    if (one) highest = std::max(highest, one->serial);
  return highest + 1;
}

std::uint64_t Book::hash() const {
  std::uint64_t hash = 0;
  for (const std::uint64_t bucket : buckets_) hash ^= bucket;
  return hash;
}

std::vector<FleetRecordPtr> Book::records_in(std::size_t bucket) const {
  std::vector<FleetRecordPtr> records;
  const auto found = by_bucket_.find(static_cast<std::uint8_t>(bucket));
  if (found == by_bucket_.end()) return records;
  for (const auto& [node, member] : found->second) {
    for (const FleetRecordPtr& one : {member->revocation, member->certificate})
      if (one && one->generation == generation_) records.push_back(one);
  }
  return records;
}

std::vector<FleetRecordPtr> Book::records(std::size_t count_max) const {
  std::vector<FleetRecordPtr> all;
  for (const bool leading : {true, false}) {
    for (const auto& [node, member] : members_) {
      for (const FleetRecordPtr& one : {member.certificate, member.revocation}) {
        if (all.size() == count_max) return all;
        if (one && one->generation == generation_ && one->may_lead == leading) all.push_back(one);
      }
    }
  }
  return all;
}

}  // namespace ballast::fleet
