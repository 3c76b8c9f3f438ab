// The fleet's key and what it signs: tokens, the file of a node, who is taken in, who is believed.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <set>

#include "ballast/trust/fleet_file.h"
#include "ballast/trust/fleet_key.h"
#include "ballast/trust/invitations.h"
#include "ballast/trust/token.h"
#include "ballast/trust/trust_store.h"
#include "common/folder.h"

namespace ballast::trust {
namespace {

constexpr std::uint64_t now_s = 1'800'000'000;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Token some_token() {
  return {"racks",
          {"10.0.0.11:7720", "192.168.1.1:7720"},
          Identity::fresh().public_key(),
          fresh_number(),
          fresh_secret()};
}

// A fleet of one host on disk, and an invitation of it.
struct Host {
  Host() {
    REQUIRE(own.write_new(folder.at("node.key")).ok());
    const fleet::Book empty(fleet_key.public_key(), 1);
    const auto certificate =
        certify(fleet_key, "racks", empty, NodeId("h1"), own.public_key(), true, now_s);
    REQUIRE(certificate.ok());
    REQUIRE(
        write_fleet(folder.at("fleet"), {"racks", fleet_key.public_key(), 1, {}, {*certificate}})
            .ok());
  }
  TrustFiles files() const {
    return {folder.at("node.key"), folder.at("trust"), folder.at("fleet"), "racks"};
  }
  std::unique_ptr<TrustStore> open() const {
    auto store = TrustStore::open(files());
    REQUIRE_MESSAGE(store.ok(), store.error().message);
    return std::move(store).value();
  }
  Token invite(std::uint32_t uses = 1, bool may_lead = false) const {
    Invitation one;
    one.number = fresh_number();
    one.secret = fresh_secret();
    one.until_s = now_s + 3600;
    one.uses = uses;
    one.may_lead = may_lead;
    REQUIRE(add_invitation(folder.at("invitations"), one, now_s).ok());
    return {"racks", {"10.0.0.11:7720"}, own.public_key(), one.number, one.secret};
  }
  static Applicant applicant(const Token& token, const std::string& node, const Identity& key) {
    const NodeId id(node);
    return {{token.invitation, id, key.public_key(), proof_of(token, id, key.public_key())},
            key.curve_public_key()};
  }
  wire::JoinAnswer ask(const Applicant& one, const fleet::Book& book, std::uint64_t at_s = now_s,
                       bool with_key = true) const {
    return answer_to(one, {folder.at("invitations"), "racks", own.public_key(), book,
                           with_key ? &fleet_key : nullptr, at_s});
  }

  Folder folder;
  Identity own = Identity::fresh();
  Identity fleet_key = Identity::fresh();
};

}  // namespace

TEST_CASE("a token is one word that says what was put into it, or nothing") {
  const Token token = some_token();
  const std::string text = text_of(token);
  CHECK(
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
      std::string::npos);
  const Result<Token> read = parse_token(text);
  REQUIRE(read.ok());
  CHECK(*read == token);
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(parse_token(text.substr(0, size)).ok());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    const Result<Token> other = parse_token(changed);
    // The last character holds bits that count for nothing.
    if (other.ok()) CHECK((at + 1 == text.size() && *other == token));
    if (!other.ok()) CHECK_FALSE(holds(other.error().message, changed.substr(12, 20)));
  }
}

TEST_CASE("a proof is good for one id, one key and one token") {
  const Token token = some_token();
  const IdentityKey key = Identity::fresh().public_key();
  const wire::PublicKey proof = proof_of(token, NodeId("h2"), key);
  CHECK(are_equal(proof, proof_of(token, NodeId("h2"), key)));
  Token other = token;
  ++other.invitation;
  CHECK_FALSE(are_equal(proof, proof_of(other, NodeId("h2"), key)));
  other = token;
  other.secret[3] ^= 1U;
  CHECK_FALSE(are_equal(proof, proof_of(other, NodeId("h2"), key)));
  other = token;
  other.cluster = "rack";
  CHECK_FALSE(are_equal(proof, proof_of(other, NodeId("h2"), key)));
  CHECK_FALSE(are_equal(proof, proof_of(token, NodeId("h3"), key)));
  CHECK_FALSE(are_equal(proof, proof_of(token, NodeId("h2"), Identity::fresh().public_key())));
}

TEST_CASE("who has the token is taken in as often as it says, and asked again gets the same") {
  const Host host;
  const auto store = host.open();
  const Token token = host.invite(2, true);
  const Identity key = Identity::fresh();
  const wire::JoinAnswer first = host.ask(Host::applicant(token, "h2", key), *store->book());
  REQUIRE(first.refusal.empty());
  REQUIRE(first.certificate.size() == 1);
  CHECK(first.certificate[0]->node == NodeId("h2"));
  CHECK(first.certificate[0]->identity == key.public_key());
  CHECK(first.certificate[0]->may_lead);
  CHECK(first.others.size() == 1);
  CHECK(store->learn(first.certificate));
  const wire::JoinAnswer again = host.ask(Host::applicant(token, "h2", key), *store->book());
  REQUIRE(again.refusal.empty());
  CHECK(*again.certificate[0] == *first.certificate[0]);
  const Identity third = Identity::fresh();
  CHECK(host.ask(Host::applicant(token, "h3", third), *store->book()).refusal.empty());
  const Identity fourth = Identity::fresh();
  CHECK(holds(host.ask(Host::applicant(token, "h4", fourth), *store->book()).refusal,
              "used already, by 'h3'"));
  struct stat status {};
  REQUIRE(stat(host.folder.at("invitations").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
}

TEST_CASE("who has no good token is refused, and nothing is used up by it") {
  const Host host;
  const auto store = host.open();
  const Token token = host.invite();
  const Identity key = Identity::fresh();
  const Applicant good = Host::applicant(token, "h2", key);
  const auto refusal = [&](const Applicant& one, std::uint64_t at_s = now_s, bool with = true) {
    return host.ask(one, *store->book(), at_s, with).refusal;
  };
  Applicant bad = good;
  bad.shown = Identity::fresh().curve_public_key();  // a capture, played from elsewhere
  CHECK(holds(refusal(bad), "not the one that is to be certified"));
  bad = good;
  bad.ask.proof[0] ^= 1U;
  CHECK(holds(refusal(bad), "does not know this token"));
  bad = good;
  ++bad.ask.invitation;
  CHECK(holds(refusal(bad), "does not know this token"));
  bad = good;
  bad.ask.node = NodeId("h9");  // the proof is for another id
  CHECK(holds(refusal(bad), "does not know this token"));
  bad = good;
  bad.ask.identity = {};  // no key at all
  CHECK(holds(refusal(bad), "not the one that is to be certified"));
  CHECK(holds(refusal(Host::applicant(token, "h1", key)), "another key already"));
  CHECK(holds(refusal(Host::applicant(token, "h7", host.own)), "in the fleet as 'h1' already"));
  CHECK(holds(refusal(good, now_s + 3601), "expired 0 min ago"));
  CHECK(holds(refusal(good, now_s, false), "key is not on the inviter"));
  CHECK(refusal(good).empty());
}

TEST_CASE("invitations are many, and not without end") {
  const Host host;
  for (std::size_t i = 0; i < limits::invitations_max; ++i) (void)host.invite();
  Invitation more;
  more.number = 1;
  more.until_s = now_s + 10;
  CHECK_FALSE(add_invitation(host.folder.at("invitations"), more, now_s).ok());
  CHECK(add_invitation(host.folder.at("invitations"), more, now_s + 3601).ok());
}

TEST_CASE("a store learns from certificates, keeps what it has learned, and forgets the revoked") {
  const Host host;
  const Identity late = Identity::fresh();
  wire::FleetRecordPtr certificate;
  {
    const auto store = host.open();
    CHECK(store->certificate()->node == NodeId("h1"));
    CHECK(store->takes_strangers());
    certificate = *certify(host.fleet_key, "racks", *store->book(), NodeId("h2"), late.public_key(),
                           false, now_s);
    CHECK_FALSE(store->key_of(NodeId("h2")));
    CHECK(store->why_not_believed(certificate, NodeId("h2"), late.curve_public_key()).empty());
    CHECK(store->node_of(late.curve_public_key()) == NodeId("h2"));
    CHECK(store->identity_of(NodeId("h2")) == late.public_key());
    CHECK_FALSE(store->may_be_master(NodeId("h2")));
    CHECK(store->keep().ok());
  }
  const auto store = host.open();
  CHECK(store->key_of(NodeId("h2")) == late.curve_public_key());
  REQUIRE(store->take_fleet_news());
  // A command takes it back.
  const auto word = revoke(host.fleet_key, "racks", *store->book(), NodeId("h2"), now_s);
  REQUIRE(word.ok());
  REQUIRE(append_to_fleet(host.folder.at("fleet"), {*word}).ok());
  const Result<bool> changed = store->reload_if_changed();
  REQUIRE(changed.ok());
  CHECK(*changed);
  CHECK_FALSE(store->key_of(NodeId("h2")));
  const auto news = store->take_fleet_news();
  REQUIRE(news);
  CHECK_FALSE(news->anew);
  CHECK(news->records.size() == 1);
  CHECK(holds(store->why_not_believed(certificate, NodeId("h2"), late.curve_public_key()),
              "revoked"));
}

TEST_CASE("a certificate is believed of its owner alone") {
  const Host host;
  const auto store = host.open();
  const Identity late = Identity::fresh();
  const auto good = *certify(host.fleet_key, "racks", *store->book(), NodeId("h2"),
                             late.public_key(), false, now_s);
  const auto why_not = [&](const wire::FleetRecordPtr& one, const char* sender,
                           const Identity& shown) {
    return store->why_not_believed(one, NodeId(sender), shown.curve_public_key());
  };
  CHECK(holds(why_not(good, "h2", Identity::fresh()), "for another key"));
  CHECK(holds(why_not(good, "h3", late), "for 'h2', not for 'h3'"));
  const Identity other_key = Identity::fresh();
  const fleet::Book other(other_key.public_key(), 1);
  CHECK(holds(
      why_not(*certify(other_key, "racks", other, NodeId("h2"), late.public_key(), true, now_s),
              "h2", late),
      "not signed by this fleet's key"));
  // Of a fleet of another name with the same key.
  CHECK(holds(why_not(*certify(host.fleet_key, "rack", *store->book(), NodeId("h2"),
                               late.public_key(), true, now_s),
                      "h2", late),
              "not signed by this fleet's key"));
  wire::FleetRecord leads = *good;
  leads.may_lead = true;
  CHECK(holds(why_not(std::make_shared<const wire::FleetRecord>(leads), "h2", late),
              "not signed by this fleet's key"));
  CHECK(store->size() == 1);
  CHECK(why_not(good, "h2", late).empty());
}

TEST_CASE("the trust file and the fleet's key are not mixed silently") {
  const Host host;
  const Identity by_hand = Identity::fresh();
  const Identity other = Identity::fresh();
  REQUIRE(add_node(host.folder.at("trust"), {NodeId("h2"), by_hand.public_key(), true}).ok());
  const auto store = host.open();
  CHECK(store->notes().empty());
  CHECK(store->key_of(NodeId("h2")) == by_hand.curve_public_key());
  // Another key of the same node: that of the file counts, and it is told.
  const auto certificate = *certify(host.fleet_key, "racks", *store->book(), NodeId("h2"),
                                    other.public_key(), false, now_s);
  CHECK(store->learn({certificate}));
  CHECK(store->key_of(NodeId("h2")) == by_hand.curve_public_key());
  REQUIRE(store->notes().size() == 1);
  CHECK(holds(store->notes()[0], "another key than in its certificate"));
  // Revoked: out, though it stands in the file.
  CHECK(store->learn({*revoke(host.fleet_key, "racks", *store->book(), NodeId("h2"), now_s)}));
  CHECK_FALSE(store->key_of(NodeId("h2")));
  CHECK_FALSE(store->may_be_master(NodeId("h2")));
  REQUIRE(store->notes().size() == 1);
  CHECK(holds(store->notes()[0], "was revoked by the fleet's key"));
}

TEST_CASE("the next key is followed on disk as on the wire") {
  const Host host;
  const auto store = host.open();
  const Identity next = Identity::fresh();
  const auto records = succeed(host.fleet_key, next, "racks", *store->book(), now_s);
  REQUIRE(records.ok());
  REQUIRE(append_to_fleet(host.folder.at("fleet"), *records).ok());
  REQUIRE(*store->reload_if_changed());
  CHECK(store->book()->generation() == 2);
  CHECK(store->certificate()->generation == 2);
  CHECK(store->key_of(NodeId("h1")) == host.own.curve_public_key());
  CHECK_FALSE(certify(host.fleet_key, "racks", *store->book(), NodeId("x"),
                      Identity::fresh().public_key(), false, now_s)
                  .ok());
  const auto again = host.open();
  CHECK(again->book()->generation() == 2);
  CHECK(again->book()->chain().size() == 1);
}

TEST_CASE("a change of the key that was broken off is brought to its end") {
  const Host host;
  const auto store = host.open();
  for (const char* node : {"h2", "h3", "h4"})
    CHECK(store->learn({*certify(host.fleet_key, "racks", *store->book(), NodeId(node),
                                 Identity::fresh().public_key(), false, now_s)}));
  CHECK(store->learn({*revoke(host.fleet_key, "racks", *store->book(), NodeId("h4"), now_s)}));
  REQUIRE(store->keep().ok());
  const Identity next = Identity::fresh();
  const auto records = *succeed(host.fleet_key, next, "racks", *store->book(), now_s);
  REQUIRE(records.size() == 5);
  for (std::size_t written = 1; written < records.size(); ++written) {
    host.folder.write("fleet-cut", host.folder.read("fleet"));
    const std::string file = host.folder.at("fleet-cut");
    REQUIRE(append_to_fleet(
                file, {records.begin(), records.begin() + static_cast<std::ptrdiff_t>(written)})
                .ok());
    const auto left = sign_left_over(next, "racks", *book_of(*read_fleet(file)));
    REQUIRE(left.ok());
    CHECK(left->size() == records.size() - written);
    REQUIRE(append_to_fleet(file, *left).ok());
    const auto book = book_of(*read_fleet(file));
    CHECK(sign_left_over(next, "racks", *book)->empty());
    CHECK(book->records(10).size() == 4);
    CHECK(book->certificate_of(NodeId("h3")));
    CHECK_FALSE(book->certificate_of(NodeId("h4")));
  }
}

TEST_CASE("a fleet file that was cut by a crash is whole again with the next line") {
  const Host host;
  const std::string whole = host.folder.read("fleet");
  const auto record = book_of(*read_fleet(host.folder.at("fleet")))->records(1).front();
  for (std::size_t cut = 1; cut < 60; cut += 7) {
    host.folder.write("fleet", whole + "record " + std::string(cut, 'A'));
    Result<FleetFile> read = read_fleet(host.folder.at("fleet"));
    REQUIRE_MESSAGE(read.ok(), read.error().message);
    CHECK(read->records.size() == 1);
    REQUIRE(append_to_fleet(host.folder.at("fleet"), {record}).ok());
    read = read_fleet(host.folder.at("fleet"));
    REQUIRE_MESSAGE(read.ok(), read.error().message);
    CHECK(read->records.size() == 2);
  }
  host.folder.write("fleet", whole + "nonsense\n");
  const auto bad = read_fleet(host.folder.at("fleet"));
  REQUIRE_FALSE(bad.ok());
  CHECK(holds(bad.error().message, "fleet:5: found 'nonsense'"));
}

TEST_CASE("a key of the fleet is not taken for a node's, nor the other way round") {
  const Folder folder;
  REQUIRE(Identity::fresh().write_new(folder.at("fleet.key"), KeyKind::fleet).ok());
  CHECK(Identity::read(folder.at("fleet.key"), KeyKind::fleet).ok());
  CHECK_FALSE(Identity::read(folder.at("fleet.key")).ok());
  REQUIRE(Identity::fresh().write_new(folder.at("node.key")).ok());
  CHECK_FALSE(Identity::read(folder.at("node.key"), KeyKind::fleet).ok());
}

}  // namespace ballast::trust
