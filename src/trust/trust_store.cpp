#include "ballast/trust/trust_store.h"

#include <sodium.h>
#include <sys/stat.h>

#include <chrono>
#include <utility>

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

}  // namespace

TrustStore::TrustStore(const Identity& identity, std::string trust_file)
    : identity_(identity), file_(std::move(trust_file)) {}

Result<std::unique_ptr<TrustStore>> TrustStore::open(const std::string& key_file,
                                                     const std::string& trust_file) {
  Result<Identity> identity = Identity::read(key_file);
  if (!identity) return identity.error();
  std::unique_ptr<TrustStore> store(new TrustStore(*identity, trust_file));
  if (const Status loaded = store->load(); !loaded) return loaded.error();
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

Status TrustStore::load() {
  // Taken before reading: what changes meanwhile is read again next time.
  const Stamp stamp = stamp_of(file_);
  const Result<std::vector<TrustedNode>> nodes = read_trust(file_, converted_);
  if (!nodes) return nodes.error();
  converted_.clear();
  by_id_.clear();
  by_key_.clear();
  for (const TrustedNode& node : *nodes) {
    by_id_[node.id] = {node.key, node.curve, node.master};
    by_key_[node.curve] = node.id;
    converted_.emplace(node.key, node.curve);
  }
  stamp_ = stamp;
  return {};
}

Result<bool> TrustStore::reload_if_changed() {
  const Stamp now = stamp_of(file_);
  if (now == stamp_ && !now.fresh) return false;
  if (const Status loaded = load(); !loaded) {
    return Error{loaded.error().message + " (what was trusted before stays in force)"};
  }
  return true;
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
