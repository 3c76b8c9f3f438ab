// Trust while a node runs: what is added or revoked counts at the next look.
#include "ballast/trust/trust_store.h"

#include "common/folder.h"

namespace ballast::trust {
namespace {

struct Home {
  Home() {
    REQUIRE(own.write_new(folder.at("node.key")).ok());
    REQUIRE(add_node(folder.at("trust"), {NodeId("m"), master.public_key(), true}).ok());
    REQUIRE(add_node(folder.at("trust"), {NodeId("s"), own.public_key(), false}).ok());
  }
  std::unique_ptr<TrustStore> open() const {
    auto store = TrustStore::open({folder.at("node.key"), folder.at("trust"), {}, {}});
    REQUIRE_MESSAGE(store.ok(), store.error().message);
    return std::move(store).value();
  }
  Folder folder;
  Identity own = Identity::fresh();
  Identity master = Identity::fresh();
};

}  // namespace

TEST_CASE("a store knows its own pair, whose key is whose, and who may be master") {
  const Home home;
  const auto store = home.open();
  CHECK(store->public_key() == home.own.curve_public_key());
  CHECK(store->secret_key() == home.own.curve_secret_key());
  CHECK(store->size() == 2);
  CHECK(store->node_of(home.master.curve_public_key()) == NodeId("m"));
  CHECK(store->key_of(NodeId("m")) == home.master.curve_public_key());
  CHECK(store->may_be_master(NodeId("m")));
  CHECK_FALSE(store->may_be_master(NodeId("s")));
  CHECK_FALSE(store->may_be_master(NodeId("nobody")));
  CHECK_FALSE(store->node_of(Identity::fresh().curve_public_key()).has_value());
  CHECK_FALSE(store->key_of(NodeId("nobody")).has_value());
}

TEST_CASE("what is revoked or added counts from the next look on") {
  const Home home;
  const auto store = home.open();
  const Identity late = Identity::fresh();
  REQUIRE(*revoke_node(home.folder.at("trust"), NodeId("m")));
  REQUIRE(add_node(home.folder.at("trust"), {NodeId("l"), late.public_key(), true}).ok());
  const Result<bool> changed = store->reload_if_changed();
  REQUIRE(changed.ok());
  CHECK(*changed);
  CHECK_FALSE(store->may_be_master(NodeId("m")));
  CHECK_FALSE(store->node_of(home.master.curve_public_key()).has_value());
  CHECK(store->may_be_master(NodeId("l")));
}

TEST_CASE("a change of the same size in the same instant is seen") {
  const Home home;
  const auto store = home.open();
  std::string text = home.folder.read("trust");
  text.replace(text.find("m "), 2, "n ");
  home.folder.write("trust", text);
  REQUIRE(store->reload_if_changed().ok());
  CHECK(store->may_be_master(NodeId("n")));
}

TEST_CASE("while the file is broken or missing the last good state stays, and each look says so") {
  const Home home;
  const auto store = home.open();
  home.folder.write("trust", "what is this\n");
  for (int look = 0; look < 2; ++look) {
    const Result<bool> changed = store->reload_if_changed();
    REQUIRE_FALSE(changed.ok());
    CHECK(holds(changed.error().message, "trust:1: roles: found 'this'"));
    CHECK(holds(changed.error().message, "what was trusted before stays in force"));
  }
  std::filesystem::remove(home.folder.at("trust"));
  CHECK_FALSE(store->reload_if_changed().ok());
  CHECK(store->may_be_master(NodeId("m")));
  home.folder.write("trust", "");
  CHECK(store->reload_if_changed().ok());
  CHECK(store->size() == 0);
}

TEST_CASE("a store without key file or trust file is an error that names it") {
  const Home home;
  const auto no_key =
      TrustStore::open({home.folder.at("nothing"), home.folder.at("trust"), {}, {}});
  REQUIRE_FALSE(no_key.ok());
  CHECK(holds(no_key.error().message, home.folder.at("nothing")));
  const auto no_trust =
      TrustStore::open({home.folder.at("node.key"), home.folder.at("nothing"), {}, {}});
  REQUIRE_FALSE(no_trust.ok());
  CHECK(holds(no_trust.error().message, home.folder.at("nothing")));
}

}  // namespace ballast::trust
