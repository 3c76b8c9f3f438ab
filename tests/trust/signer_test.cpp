// Signatures of what is gossiped, and keyed hashes of offers.
#include "ballast/trust/signer.h"

#include "common/folder.h"

namespace ballast::trust {
namespace {

// A node with its own key, in a folder with the trust file that all share.
struct Member {
  Member(const Folder& shared, const std::string& name, bool master)
      : id(name), key(Identity::fresh()) {
    REQUIRE(key.write_new(shared.at(name + ".key")).ok());
    REQUIRE(add_node(shared.at("trust"), {id, key.public_key(), master}).ok());
  }
  std::unique_ptr<TrustStore> open(const Folder& shared) const {
    auto store = TrustStore::open({shared.at(id.str() + ".key"), shared.at("trust"), {}, {}});
    REQUIRE_MESSAGE(store.ok(), store.error().message);
    return std::move(store).value();
  }
  NodeId id;
  Identity key;
};

struct Club {
  Folder folder;
  Member master{folder, "m", true};
  Member other{folder, "n", true};
  Member slave{folder, "s", false};
  std::unique_ptr<TrustStore> masters = master.open(folder);
  std::unique_ptr<TrustStore> others = other.open(folder);
  std::unique_ptr<TrustStore> slaves = slave.open(folder);
};

}  // namespace

TEST_CASE("what a master has signed is known as its, as it was, in its cluster, by everybody") {
  const Club club;
  const ItemSigner master(*club.masters, "c");
  const ItemSigner other(*club.others, "c");
  const wire::Signature signature = master.sign("text");
  CHECK(master.sign("text") == signature);
  CHECK(other.verify(NodeId("m"), "text", signature));
  CHECK_FALSE(other.verify(NodeId("n"), "text", signature));
  CHECK_FALSE(other.verify(NodeId("m"), "text ", signature));
  CHECK_FALSE(other.verify(NodeId("m"), "", signature));
  CHECK_FALSE(ItemSigner(*club.others, "d").verify(NodeId("m"), "text", signature));
  for (std::size_t byte = 0; byte < signature.size(); ++byte) {
    wire::Signature changed = signature;
    changed[byte] ^= 1;
    CHECK_FALSE(other.verify(NodeId("m"), "text", changed));
  }
}

TEST_CASE("the parts of what is signed cannot be shifted against each other") {
  const Club club;
  const ItemSigner ab(*club.masters, "ab");
  const ItemSigner a(*club.others, "a");
  CHECK_FALSE(a.verify(NodeId("m"), "btext", ab.sign("text")));
  // The bare key over the bare text is no signature of an item.
  const ItemSigner judge(*club.others, "ab");
  CHECK_FALSE(judge.verify(NodeId("m"), "text", club.master.key.sign("text")));
}

TEST_CASE("slaves, strangers and the revoked sign in vain") {
  const Club club;
  const ItemSigner judge(*club.others, "c");
  CHECK_FALSE(judge.verify(NodeId("s"), "text", ItemSigner(*club.slaves, "c").sign("text")));
  const wire::Signature of_master = ItemSigner(*club.masters, "c").sign("text");
  CHECK_FALSE(judge.verify(NodeId("nobody"), "text", of_master));
  REQUIRE(judge.verify(NodeId("m"), "text", of_master));
  REQUIRE(*revoke_node(club.folder.at("trust"), NodeId("m")));
  REQUIRE(club.others->reload_if_changed().ok());
  CHECK_FALSE(judge.verify(NodeId("m"), "text", of_master));
}

TEST_CASE("two nodes make the same hash over a text, and no third one does") {
  const Club club;
  const auto by_master = club.masters->shared_hash(NodeId("s"), "offer");
  REQUIRE(by_master.has_value());
  CHECK(club.slaves->shared_hash(NodeId("m"), "offer") == by_master);
  CHECK(club.slaves->shared_hash(NodeId("m"), "offer!") != by_master);
  CHECK(club.slaves->shared_hash(NodeId("n"), "offer") != by_master);
  CHECK(club.others->shared_hash(NodeId("s"), "offer") != by_master);
  CHECK(club.others->shared_hash(NodeId("m"), "offer") != by_master);
  CHECK_FALSE(club.slaves->shared_hash(NodeId("nobody"), "offer").has_value());
}

TEST_CASE("a node whose key was replaced shares another secret") {
  const Club club;
  const auto before = club.masters->shared_hash(NodeId("s"), "offer");
  REQUIRE(*revoke_node(club.folder.at("trust"), NodeId("s")));
  REQUIRE(club.masters->reload_if_changed().ok());
  CHECK_FALSE(club.masters->shared_hash(NodeId("s"), "offer").has_value());
  const Identity fresh = Identity::fresh();
  REQUIRE(add_node(club.folder.at("trust"), {NodeId("s"), fresh.public_key(), false}).ok());
  REQUIRE(club.masters->reload_if_changed().ok());
  CHECK(club.masters->shared_hash(NodeId("s"), "offer") != before);
}

}  // namespace ballast::trust
