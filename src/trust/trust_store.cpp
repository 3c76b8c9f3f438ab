#include "ballast/trust/trust_store.h"

#include <sodium.h>
#include <sys/stat.h>

#include <chrono>
#include <utility>

#include "ballast/trust/fleet_file.h"
#include "small_file.h"

namespace ballast::trust {
namespace {

// File systems keep times no finer than a tick of the kernel.
constexpr std::int64_t tick_ns = 1'000'000'000;

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_there(const std::string& file) {
  struct stat status {};
  return lstat(file.c_str(), &status) == 0;
}

}  // namespace

TrustStore::TrustStore(const Identity& identity, TrustFiles files)
    : identity_(identity), files_(std::move(files)), verifier_(files_.cluster) {}

Result<std::unique_ptr<TrustStore>> TrustStore::open(const TrustFiles& files) {
  Result<Identity> identity = Identity::read(files.key);
  if (!identity) return identity.error();
  std::unique_ptr<TrustStore> store(new TrustStore(*identity, files));
  const bool joined = !files.fleet.empty() && has_fleet(files.fleet);
  if (joined) {
    if (const Status loaded = store->load_fleet(); !loaded) return loaded.error();
  }
  if (!joined || is_there(files.trust)) {
    if (const Status loaded = store->load_by_hand(); !loaded) return loaded.error();
  }
  store->put_together();
  return store;
}

TrustStore::Stamp TrustStore::stamp_of(const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return {};
  Stamp stamp;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.size = status.st_size;
  stamp.changed_ns = status.st_ctim.tv_sec * tick_ns + status.st_ctim.tv_nsec;
  stamp.fresh = wall_clock_ns() - stamp.changed_ns < tick_ns;
  return stamp;
}

Status TrustStore::load_by_hand() {
  // Taken before reading: what changes meanwhile is read again next time.
  const Stamp stamp = stamp_of(files_.trust);
  const Result<std::vector<TrustedNode>> nodes = read_trust(files_.trust, converted_);
  if (!nodes) return nodes.error();
  converted_.clear();
  by_hand_.clear();
  for (const TrustedNode& node : *nodes) {
    by_hand_[node.id] = {node.key, node.curve, node.master};
    converted_.emplace(node.key, node.curve);
  }
  trust_stamp_ = stamp;
  return {};
}

Status TrustStore::load_fleet() {
  const Stamp stamp = stamp_of(files_.fleet);
  const Result<FleetFile> file = read_fleet(files_.fleet);
  if (!file) return file.error();
  if (file->cluster != files_.cluster)
    return Error{files_.fleet + ": is of the cluster " + quoted(file->cluster) +
                 ", expected that of the configuration, " + quoted(files_.cluster)};
  const auto leads_here = [&] {
    if (!book_ || file->generation > book_->generation()) return false;
    if (file->key == book_->fleet_key()) return true;
    for (const wire::FleetRecordPtr& one : book_->chain())
      if (one->curve == file->key) return true;
    return false;
  };
  if (leads_here()) {
    std::vector<wire::FleetRecordPtr> news;
    for (const wire::FleetRecordPtr& one : file->records)
      if (book_->take(one, verifier_) == fleet::Heard::news) news.push_back(one);
    if (!news.empty() && !news_) news_.emplace().anew = false;
    if (news_) news_->records.insert(news_->records.end(), news.begin(), news.end());
  } else {
    // The first time, or this host has joined anew: what is not in the file is forgotten. A file
    // that was written as a whole after the key had changed says the same as ours.
    book_ = book_of(*file);
    news_ = node::FleetLoaded{true, book_->fleet_key(), book_->generation(), book_->chain(),
                              book_->records(limits::fleet_nodes_max * 2)};
  }
  fleet_stamp_ = stamp;
  return {};
}

Result<bool> TrustStore::reload_if_changed() {
  bool changed = false;
  Status good;
  const auto look = [&](const std::string& file, const Stamp& before, bool wanted,
                        Status (TrustStore::*load)()) {
    if (!wanted || !has_changed(before, stamp_of(file))) return;
    if (const Status loaded = (this->*load)(); !loaded) {
      good = Error{loaded.error().message + " (what was trusted before stays in force)"};
    } else {
      changed = true;
    }
  };
  const bool has_file = !files_.fleet.empty() && has_fleet(files_.fleet);
  look(files_.fleet, fleet_stamp_, has_file || book_, &TrustStore::load_fleet);
  look(files_.trust, trust_stamp_, !book_ || !by_hand_.empty() || is_there(files_.trust),
       &TrustStore::load_by_hand);
  if (changed) put_together();
  if (!good) return good.error();
  return changed;
}

// --- what the two sources amount to -------------------------------------------------------------

std::optional<TrustStore::Known> TrustStore::known(const NodeId& node) const {
  const auto hand = by_hand_.find(node);
  const wire::FleetRecordPtr certificate = book_ ? book_->certificate_of(node) : nullptr;
  if (hand == by_hand_.end()) {
    if (!certificate) return std::nullopt;
    return Known{certificate->identity, certificate->curve, certificate->may_lead};
  }
  if (certificate && certificate->identity == hand->second.identity)
    return Known{certificate->identity, hand->second.key,
                 certificate->may_lead || hand->second.master};
  const bool is_out = !certificate && book_ && book_->next_serial(node) > 1;
  return is_out ? std::nullopt : std::optional(hand->second);
}

void TrustStore::set(const NodeId& node) {
  ++changes_;
  if (const auto before = by_id_.find(node); before != by_id_.end()) {
    const auto key = by_key_.find(before->second.key);
    if (key != by_key_.end() && key->second == node) by_key_.erase(key);
    by_id_.erase(before);
  }
  const std::optional<Known> now = known(node);
  if (!now) return;
  by_id_.emplace(node, *now);
  by_key_.try_emplace(now->key, node);
}

void TrustStore::put_together() {
  ++changes_;
  by_id_.clear();
  by_key_.clear();
  own_ = nullptr;
  for (const auto& [node, key] : by_hand_) set(node);
  if (!book_) return;
  for (const auto& [node, member] : book_->members()) {
    set(node);
    if (member.certificate && member.certificate->identity == identity_.public_key())
      own_ = member.certificate;
  }
}

std::vector<std::string> TrustStore::notes() const {
  std::vector<std::string> all;
  if (!book_) return all;
  for (const auto& [node, hand] : by_hand_) {
    const wire::FleetRecordPtr certificate = book_->certificate_of(node);
    if (certificate && certificate->identity != hand.identity)
      all.push_back(quoted(node.str()) +
                    " stands in the trust file with another key than in its certificate: that of "
                    "the file counts here; `ballast trust revoke " +
                    node.str() + "` takes it out");
    if (!certificate && book_->next_serial(node) > 1)
      all.push_back(quoted(node.str()) +
                    " was revoked by the fleet's key, and is not trusted, though it stands in the "
                    "trust file; `ballast trust revoke " +
                    node.str() + "` takes it out");
  }
  return all;
}

bool TrustStore::learn(const std::vector<wire::FleetRecordPtr>& records) {
  if (!book_) return false;
  bool news = false;
  bool all_anew = false;
  for (const wire::FleetRecordPtr& one : records) {
    if (book_->take(one, verifier_) != fleet::Heard::news) continue;
    news = true;
    unkept_.push_back(one);
    // The next key may drop nodes that it has not spoken of.
    all_anew |= one->kind == wire::RecordKind::succession || one->generation > 1;
    if (all_anew) continue;
    set(one->node);
    if (one->kind == wire::RecordKind::certificate && one->identity == identity_.public_key())
      own_ = one;
    if (own_ && book_->is_revoked(*own_)) own_ = nullptr;
  }
  if (all_anew) put_together();
  return news;
}

Status TrustStore::keep() {
  if (unkept_.empty()) return {};
  if (const Status kept = append_to_fleet(files_.fleet, unkept_); !kept) return kept;
  unkept_.clear();
  return {};
}

std::optional<node::FleetLoaded> TrustStore::take_fleet_news() {
  return std::exchange(news_, std::nullopt);
}

std::string TrustStore::why_not_believed(const wire::FleetRecordPtr& certificate,
                                         const NodeId& sender, const port::CurveKey& shown) {
  if (!book_) return "certificates count for nothing here: keys are trusted by hand";
  if (certificate->kind != wire::RecordKind::certificate) return "what it shows is no certificate";
  if (certificate->curve != shown)
    return "the certificate is for another key than that of the connection";
  if (certificate->node != sender)
    return "the certificate is for " + quoted(certificate->node.str()) + ", not for " +
           quoted(sender.str());
  if (book_->is_revoked(*certificate)) return "the certificate was revoked";
  switch (book_->take(certificate, verifier_)) {
    case fleet::Heard::news:
      unkept_.push_back(certificate);
      set(certificate->node);
      break;
    case fleet::Heard::known: break;
    case fleet::Heard::foreign: return "the certificate is not signed by this fleet's key";
    case fleet::Heard::other_generation:
      return certificate->generation < book_->generation()
                 ? "the certificate is of a key that the fleet has replaced, and this node was not "
                   "known then: join anew"
                 : "the certificate is of a key of the fleet that is not known here yet";
    case fleet::Heard::full: return "the fleet has as many nodes as it may have";
  }
  if (key_of(sender) == shown) return {};
  return "another certificate, or the trust file, says another key of " + quoted(sender.str());
}

std::optional<NodeId> TrustStore::node_of(const port::CurveKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<port::CurveKey> TrustStore::key_of(const NodeId& node) const {
  const auto found = by_id_.find(node);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second.key);
}

bool TrustStore::may_be_master(const NodeId& node) const {
  const auto found = by_id_.find(node);
  return found != by_id_.end() && found->second.master;
}

std::shared_ptr<const std::map<NodeId, bool>> TrustStore::nodes() const {
  auto nodes = std::make_shared<std::map<NodeId, bool>>();
  for (const auto& [id, known] : by_id_) nodes->emplace_hint(nodes->end(), id, known.master);
  return nodes;
}

std::optional<IdentityKey> TrustStore::identity_of(const NodeId& node) const {
  const auto found = by_id_.find(node);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second.identity);
}

std::optional<wire::BeaconMac> TrustStore::shared_hash(const NodeId& node,
                                                       std::string_view text) const {
  const auto found = by_id_.find(node);
  if (found == by_id_.end()) return std::nullopt;
  auto secret = identity_.shared_secret(found->second.key);
  if (!secret) return std::nullopt;
  wire::BeaconMac mac{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, secret->data(), secret->size(), mac.size());
  // The secret is CURVE's too: the context keeps the two uses apart.
  constexpr std::string_view context = "ballast-beacon/1";
  for (const std::string_view part : {context, text})
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                              part.size());
  crypto_generichash_final(&state, mac.data(), mac.size());
  sodium_memzero(secret->data(), secret->size());
  return mac;
}

}  // namespace ballast::trust
