// The trust of a running node: its own identity and the trust file, looked at again when it
// changes.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "ballast/base/result.h"
#include "ballast/port/trust.h"
#include "ballast/trust/keys.h"
#include "ballast/trust/trust_file.h"

namespace ballast::trust {

class TrustStore final : public port::Trust {
 public:
  // Reads both files. Errors as those of Identity::read and read_trust.
  static Result<std::unique_ptr<TrustStore>> open(const std::string& key_file,
                                                  const std::string& trust_file);

  // Reads the trust file again when it has changed since the last time; call it once an interval.
  // True when what is trusted may have changed. On an error the last good state stays in force, and
  // each call says so again until the file is mended.
  Result<bool> reload_if_changed();

  const port::CurveKey& public_key() const override { return identity_.curve_public_key(); }
  const port::CurveKey& secret_key() const override { return identity_.curve_secret_key(); }
  std::optional<NodeId> node_of(const port::CurveKey& key) const override;
  std::optional<port::CurveKey> key_of(const NodeId& node) const override;
  bool may_be_master(const NodeId& node) const override;
  std::optional<wire::BeaconMac> shared_hash(const NodeId& node,
                                             std::string_view text) const override;

  // The identity that this node signs with.
  std::optional<IdentityKey> identity_of(const NodeId& node) const;

  const Identity& identity() const { return identity_; }
  std::size_t size() const { return by_id_.size(); }
  // Each node that is trusted, and whether it may be master. A copy.
  std::shared_ptr<const std::map<NodeId, bool>> nodes() const;

 private:
  // What tells one state of a file from another.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    // Changed so shortly before we looked that a later change could carry the same time.
    bool fresh = true;
    bool operator==(const Stamp&) const = default;
  };
  struct Known {
    IdentityKey identity{};
    port::CurveKey key{};
    bool master = false;
  };

  TrustStore(const Identity& identity, std::string trust_file);
  static Stamp stamp_of(const std::string& file);
  Status load();

  Identity identity_;
  std::string file_;
  Stamp stamp_;
  std::map<NodeId, Known> by_id_;
  std::map<port::CurveKey, NodeId> by_key_;
  CurveKeys converted_;  // by the last reading, so that the next costs only what is new
};

}  // namespace ballast::trust
