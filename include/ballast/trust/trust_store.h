// The trust of a running node: its own identity, the trust file that people keep by hand, and what
// the fleet's key has certified. Both files are looked at again when they change.
//
// A node stands in one of the two or in both with one key. Where the two differ nothing is mixed:
// a node that the fleet's key has revoked is out, whatever the trust file says; one that the trust
// file knows by another key than its certificate is known by that of the file alone. Either is told
// (notes()).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/fleet/book.h"
#include "ballast/node/node.h"
#include "ballast/port/trust.h"
#include "ballast/trust/fleet_key.h"
#include "ballast/trust/keys.h"
#include "ballast/trust/trust_file.h"

namespace ballast::trust {

struct TrustFiles {
  std::string key;
  std::string trust;
  std::string fleet;    // empty: certificates do not count
  std::string cluster;  // that of the fleet must be the same
};

class TrustStore final : public port::Trust {
 public:
  // Reads the files. Errors as those of Identity::read, read_trust and read_fleet. Of trust and
  // fleet one may be missing, not both.
  static Result<std::unique_ptr<TrustStore>> open(const TrustFiles& files);

  // Reads again what has changed since the last time; call it once an interval. True when what is
  // trusted may have changed. On an error the last good state stays in force, and each call says so
  // again until the file is mended.
  Result<bool> reload_if_changed();

  const port::CurveKey& public_key() const override { return identity_.curve_public_key(); }
  const port::CurveKey& secret_key() const override { return identity_.curve_secret_key(); }
  std::optional<NodeId> node_of(const port::CurveKey& key) const override;
  std::optional<port::CurveKey> key_of(const NodeId& node) const override;
  bool may_be_master(const NodeId& node) const override;
  wire::FleetRecordPtr certificate() const override { return own_; }
  bool takes_strangers() const override { return book_ != nullptr; }
  std::string why_not_believed(const wire::FleetRecordPtr& certificate, const NodeId& sender,
                               const port::CurveKey& shown) override;
  std::optional<wire::BeaconMac> shared_hash(const NodeId& node,
                                             std::string_view text) const override;

  // The identity that this node signs with.
  std::optional<IdentityKey> identity_of(const NodeId& node) const;

  const Identity& identity() const { return identity_; }
  std::size_t size() const { return by_id_.size(); }
  // Each node that is trusted, and whether it may be master. A copy.
  std::shared_ptr<const std::map<NodeId, bool>> nodes() const;
  // Nodes that are known from the trust file.
  bool is_by_hand(const NodeId& node) const { return by_hand_.contains(node); }
  std::size_t by_hand() const { return by_hand_.size(); }
  // Where the two sources differ, one line each, for people.
  std::vector<std::string> notes() const;

  // Null where keys are trusted by hand alone.
  const fleet::Book* book() const { return book_.get(); }
  const RecordVerifier& verifier() const { return verifier_; }
  // Rises with whatever changes who is trusted.
  std::uint64_t changes() const { return changes_; }
  // Records that others have told of: what is news is trusted, and kept by keep(). True when it was
  // any.
  bool learn(const std::vector<wire::FleetRecordPtr>& records);
  // Writes what has been learned since the last time, if anything.
  Status keep();
  bool has_unkept() const { return !unkept_.empty(); }
  // What the files say of the fleet, for the node: all of it at first, then what has changed there.
  std::optional<node::FleetLoaded> take_fleet_news();

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

  TrustStore(const Identity& identity, TrustFiles files);
  static Stamp stamp_of(const std::string& file);
  static bool has_changed(const Stamp& before, const Stamp& now) {
    return !(before == now) || now.fresh;
  }
  Status load_by_hand();
  Status load_fleet();
  void put_together();
  // As the two sources say of this node.
  std::optional<Known> known(const NodeId& node) const;
  void set(const NodeId& node);

  Identity identity_;
  TrustFiles files_;
  RecordVerifier verifier_;
  Stamp trust_stamp_;
  Stamp fleet_stamp_;
  std::map<NodeId, Known> by_hand_;
  std::unique_ptr<fleet::Book> book_;
  wire::FleetRecordPtr own_;
  std::map<NodeId, Known> by_id_;
  std::map<port::CurveKey, NodeId> by_key_;
  CurveKeys converted_;  // by the last reading, so that the next costs only what is new
  std::vector<wire::FleetRecordPtr> unkept_;
  std::uint64_t changes_ = 0;
  std::optional<node::FleetLoaded> news_;
};

}  // namespace ballast::trust
