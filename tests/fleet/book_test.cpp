// The book of the fleet: whatever the order in which records come, everybody ends up with the same
// one; nothing counts that the fleet's key has not signed.
#include "ballast/fleet/book.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "ballast/base/random.h"
#include "common/fake_fleet.h"

namespace ballast::fleet {
namespace {

using wire::FleetRecordPtr;

const wire::PublicKey first = fake_key(1);
const wire::PublicKey second = fake_key(2);
const FakeVerifier verifier;

bool same(const Book& a, const Book& b) {
  if (a.generation() != b.generation() || a.hash() != b.hash() || a.buckets() != b.buckets())
    return false;
  return std::equal(a.members().begin(), a.members().end(), b.members().begin(), b.members().end(),
                    [](const auto& x, const auto& y) {
                      const auto equal = [](const FleetRecordPtr& p, const FleetRecordPtr& q) {
                        return p == q || (p && q && *p == *q);
                      };
                      return x.first == y.first &&
                             equal(x.second.certificate, y.second.certificate) &&
                             equal(x.second.revocation, y.second.revocation);
                    });
}

// What two keys have signed over a while: joins, revocations, joins anew, one change of the key.
std::vector<FleetRecordPtr> history(Random& random) {
  std::vector<FleetRecordPtr> before;
  Book book(first, 1);
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string node = "n" + std::to_string(random.below(12));
    const auto known = book.certificate_of(NodeId(node));
    before.push_back(
        known && random.chance(0.5)
            ? fake_revocation(node, known->serial, first)
            : fake_certificate(node, book.next_serial(NodeId(node)), first, random.chance(0.3)));
    REQUIRE(book.take(before.back(), verifier) == Heard::news);
  }
  return before;
}

// Takes all again and again until nothing is news, as nodes do that tell each other what they lack.
void take_all(Book& book, std::vector<FleetRecordPtr> records, Random& random) {
  for (bool news = true; news;) {
    news = false;
    for (std::size_t i = records.size(); i > 1; --i)
      std::swap(records[i - 1], records[random.below(i)]);
    for (const FleetRecordPtr& one : records) news |= book.take(one, verifier) == Heard::news;
  }
}

}  // namespace

TEST_CASE("records in any order give the same book") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<FleetRecordPtr> records = history(random);
    Book a(first, 1);
    Book b(first, 1);
    take_all(a, records, random);
    take_all(b, records, random);
    REQUIRE(same(a, b));
    REQUIRE(a.hash() != 0);
    // The next key certifies again who is in, and revokes again who is out.
    std::vector<FleetRecordPtr> after;
    std::size_t nodes = 0;
    for (const auto& [node, member] : a.members()) {
      ++nodes;
      if (member.certificate)
        after.push_back(fake_certificate(node.str(), member.certificate->serial, second,
                                         member.certificate->may_lead, 2));
      if (member.revocation)
        after.push_back(fake_revocation(node.str(), member.revocation->serial, second, 2));
    }
    after.push_back(fake_succession(second, nodes, first, 1));
    // One that was away for all of it, one that has heard half of the old records.
    Book away(first, 1);
    Book half(first, 1);
    std::vector<FleetRecordPtr> some(records.begin(), records.begin() + 20);
    take_all(half, some, random);
    take_all(a, after, random);
    take_all(away, after, random);
    take_all(half, after, random);
    REQUIRE(a.generation() == 2);
    REQUIRE(same(a, away));
    REQUIRE(same(a, half));
    for (const auto& [node, member] : a.members()) {
      if (member.certificate) REQUIRE(member.certificate->generation == 2);
      if (member.certificate && member.revocation)
        REQUIRE(member.certificate->serial > member.revocation->serial);
    }
  }
}

TEST_CASE("who was in stays in while the next key speaks of one after the other") {
  Book book(first, 1);
  book.take(fake_certificate("h1", 1, first), verifier);
  book.take(fake_certificate("h2", 1, first), verifier);
  CHECK(book.take(fake_succession(second, 2, first, 1), verifier) == Heard::news);
  CHECK(book.certificate_of(NodeId("h2")));
  CHECK(book.records(10).empty());
  book.take(fake_certificate("h1", 1, second, false, 2), verifier);
  CHECK(book.certificate_of(NodeId("h2")));
  book.take(fake_certificate("h3", 1, second, false, 2), verifier);
  // As many as the new key has certified at once are known: h2 was not among them.
  CHECK_FALSE(book.certificate_of(NodeId("h2")));
}

TEST_CASE("what the fleet's key has not signed, and what an old one signs, is not believed") {
  Book book(first, 1);
  CHECK(book.take(fake_certificate("h1", 1, second), verifier) == Heard::foreign);
  CHECK(book.take(fake_certificate("h1", 1, first, false, 2), verifier) == Heard::other_generation);
  CHECK(book.take(fake_succession(fake_key(9), 0, second, 1), verifier) == Heard::foreign);
  CHECK(book.members().empty());
  REQUIRE(book.take(fake_succession(second, 0, first, 1), verifier) == Heard::news);
  CHECK(book.take(fake_certificate("h1", 1, first), verifier) == Heard::other_generation);
  // Who has the old key cannot name another successor any more.
  CHECK(book.take(fake_succession(fake_key(9), 0, first, 1), verifier) == Heard::other_generation);
  CHECK(book.fleet_key() == second);
}

TEST_CASE("what is known costs no look at its signature") {
  Book book(first, 1);
  const FakeVerifier counting;
  const FleetRecordPtr record = fake_certificate("h1", 2, first);
  CHECK(book.take(record, counting) == Heard::news);
  CHECK(book.take(record, counting) == Heard::known);
  CHECK(book.take(fake_certificate("h1", 1, first), counting) == Heard::known);
  CHECK(counting.asked == 1);
}

TEST_CASE("a revoked certificate does not come back, a newer one does") {
  Book book(first, 1);
  const FleetRecordPtr old = fake_certificate("h1", 1, first);
  book.take(old, verifier);
  CHECK(book.take(fake_revocation("h1", 1, first), verifier) == Heard::news);
  CHECK(book.is_revoked(*old));
  CHECK_FALSE(book.certificate_of(NodeId("h1")));
  CHECK(book.take(old, verifier) == Heard::known);
  CHECK_FALSE(book.certificate_of(NodeId("h1")));
  CHECK(book.next_serial(NodeId("h1")) == 2);
  CHECK(book.take(fake_certificate("h1", 2, first), verifier) == Heard::news);
  CHECK(book.certificate_of(NodeId("h1")));
}

TEST_CASE("one that joined late knows the keys of before, if they lead to its own") {
  Book old(first, 1);
  old.take(fake_succession(second, 0, first, 1), verifier);
  old.take(fake_succession(fake_key(3), 0, second, 2), verifier);
  Book late(fake_key(3), 3);
  CHECK(late.set_past(old.chain()));
  CHECK(late.chain_from(2).size() == 1);
  Book stray(fake_key(4), 3);
  CHECK_FALSE(stray.set_past(old.chain()));
  Book young(fake_key(3), 2);
  CHECK_FALSE(young.set_past(old.chain()));
}

TEST_CASE("a bucket holds what its hash is of") {
  Random random(7);
  Book book(first, 1);
  for (int i = 0; i < 300; ++i)
    book.take(fake_certificate("node-" + std::to_string(i), 1, first), verifier);
  std::size_t count = 0;
  for (std::size_t bucket = 0; bucket < limits::fleet_buckets; ++bucket) {
    count += book.records_in(bucket).size();
    CHECK((book.buckets().at(bucket) == 0) == book.records_in(bucket).empty());
  }
  CHECK(count == 300);
}

}  // namespace ballast::fleet
