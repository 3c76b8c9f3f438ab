// One master that is asked for places.
#include "ballast/discovery/offerer.h"

#include <doctest/doctest.h>

#include <set>

namespace ballast::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const wire::Peer self{NodeId("m"), "tcp://m:7720", "tcp://m:7721"};
const wire::Peer other{NodeId("n"), "tcp://n:7720", "tcp://n:7721"};
const wire::BeaconAddress from{0x0A000002, 7720};
const TimePoint start{seconds(100)};

wire::Seek seek(const std::string& id, wire::Wanted wants = wire::Wanted::group) {
  return {NodeId(id), {7}, wants};
}

std::vector<wire::Offer> offers_in(const Effects& effects) {
  std::vector<wire::Offer> offers;
  for (const wire::BeaconSend& send : effects.sends)
    if (const auto* offer = std::get_if<wire::Offer>(&send.body)) {
      CHECK(send.to == from);
      offers.push_back(*offer);
    }
  return offers;
}

std::vector<wire::Offer> answers(Offerer& offerer, TimePoint now, const wire::Seek& asked) {
  offerer.take(now, {from, asked});
  return offers_in(offerer.take_effects());
}

Offerer offerer_of(std::uint32_t places) {
  Offerer offerer(start, {.self = self, .max_slaves = places}, 1);
  offerer.set_group(0, 1);
  return offerer;
}

}  // namespace

TEST_CASE("an offer names the seeker, its nonce, the master, and what is free") {
  Offerer offerer = offerer_of(64);
  offerer.set_group(4, 1);
  const auto offers = answers(offerer, start, seek("s"));
  REQUIRE(offers.size() == 1);
  CHECK(offers[0] == wire::Offer{NodeId("s"), {7}, self, 60, 4, {}});
}

TEST_CASE("any number of seekers at once get no more offers than there are places") {
  Offerer offerer = offerer_of(10);
  offerer.set_group(3, 1);
  std::size_t offers = 0;
  for (int i = 0; i < 50; ++i)
    offers += answers(offerer, start + milliseconds(i), seek("s" + std::to_string(i))).size();
  CHECK(offers == 7);
  CHECK(offerer.counters().full == 43);
  CHECK(answers(offerer, start + milliseconds(9'999), seek("late")).empty());
  CHECK(answers(offerer, start + seconds(10), seek("late")).size() == 1);
}

TEST_CASE("a place that is held is for its seeker, and for nobody else, until it is over") {
  Offerer offerer = offerer_of(2);
  offerer.set_group(1, 1);
  CHECK(offerer.has_place_for(start, NodeId("t")));
  REQUIRE(answers(offerer, start, seek("s")).size() == 1);
  CHECK(offerer.has_place_for(start, NodeId("s")));
  CHECK_FALSE(offerer.has_place_for(start, NodeId("t")));
  CHECK(offerer.has_place_for(start + seconds(10), NodeId("t")));
  offerer.attached(NodeId("s"));
  offerer.set_group(2, 1);
  CHECK_FALSE(offerer.has_place_for(start, NodeId("t")));
  offerer.set_group(1, 1);
  CHECK(offerer.has_place_for(start, NodeId("t")));
}

TEST_CASE("one seeker is answered twice a second at most, and holds one place however often") {
  Offerer offerer = offerer_of(2);
  std::size_t offers = 0;
  for (int i = 0; i < 100; ++i)
    offers += answers(offerer, start + milliseconds(10 * i), seek("s")).size();
  CHECK(offers == 2);
  CHECK(offerer.counters().too_soon == 98);
  CHECK(answers(offerer, start + seconds(1), seek("t")).size() == 1);
}

TEST_CASE(
    "one that does not take what it is offered keeps the place from others only half the time") {
  Offerer offerer = offerer_of(1);
  std::size_t offers_to_other = 0;
  std::size_t offers_to_idler = 0;
  for (int second = 0; second < 40; ++second) {
    offers_to_idler += answers(offerer, start + seconds(second), seek("idler")).size();
    if (offers_to_other == 0)
      offers_to_other += answers(offerer, start + seconds(second), seek("other")).size();
    if (second == 9) CHECK(offers_to_other == 0);
    if (second == 10) CHECK(offers_to_other == 1);
  }
  CHECK(offers_to_idler == 10 + 10);
}

TEST_CASE("a master that looks for masters gets an answer that holds no place") {
  Offerer offerer = offerer_of(1);
  const auto offers = answers(offerer, start, seek("n", wire::Wanted::masters));
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].free_places == 0);
  CHECK(answers(offerer, start, seek("n", wire::Wanted::masters)).empty());
  CHECK(answers(offerer, start, seek("s")).size() == 1);
}

TEST_CASE("where a hundred masters hear a seek, some sixteen answer") {
  std::size_t offers = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Offerer offerer(start, {.self = self}, seed);
    offerer.set_group(0, 99);
    offers += answers(offerer, start, seek("s")).size();
  }
  CHECK(offers >= 8);
  CHECK(offers <= 28);
}

TEST_CASE("it says that it is there each 5 s, and calls for masters while it knows none") {
  Offerer offerer = offerer_of(1);
  std::size_t hellos = 0;
  std::size_t calls = 0;
  const auto run = [&](TimePoint until) {
    while (offerer.next_deadline() <= until) {
      offerer.tick(offerer.next_deadline());
      for (const wire::BeaconSend& send : offerer.take_effects().sends) {
        CHECK_FALSE(send.to.has_value());
        if (const auto* hello = std::get_if<wire::Hello>(&send.body)) {
          CHECK(hello->master == self);
          ++hellos;
        } else {
          CHECK(std::get<wire::Seek>(send.body).wants == wire::Wanted::masters);
          ++calls;
        }
      }
    }
  };
  run(start + seconds(60));
  CHECK(hellos >= 11);
  CHECK(hellos <= 15);
  CHECK(calls == 0);
  offerer.set_group(0, 0);
  run(start + seconds(120));
  CHECK(calls >= 10);
}

TEST_CASE("a master that calls is asked where it called from, and believed when it offers") {
  Offerer offerer = offerer_of(1);
  offerer.set_group(0, 3);
  const wire::Peer forged{other.id, "tcp://192.0.2.66:1", "tcp://192.0.2.66:2"};
  offerer.take(start, {from, wire::Hello{self}});
  CHECK(offerer.take_effects().sends.empty());
  offerer.take(start, {from, wire::Hello{forged}});
  const Effects asked = offerer.take_effects();
  CHECK(asked.masters.empty());
  REQUIRE(asked.sends.size() == 1);
  CHECK(asked.sends[0].to == from);
  const wire::Nonce nonce = std::get<wire::Seek>(asked.sends[0].body).nonce;
  CHECK(nonce != wire::Nonce{});
  // Neither again at once, nor without end.
  std::size_t sends = 0;
  for (int i = 0; i < 1000; ++i) {
    offerer.take(
        start,
        {from, wire::Hello{{NodeId("m" + std::to_string(i)), forged.endpoint, forged.feed}}});
    offerer.take(start, {from, wire::Hello{forged}});
    sends += offerer.take_effects().sends.size();
  }
  CHECK(sends < 100);
  offerer.take(start, {from, wire::Offer{self.id, nonce, other, 0, 0, {}}});
  CHECK(offerer.take_effects().masters == std::vector<wire::Peer>{other});
}

TEST_CASE("masters that answer its own call are told") {
  Offerer offerer = offerer_of(1);
  offerer.set_group(0, 0);
  offerer.tick(start);
  wire::Nonce nonce{};
  for (const wire::BeaconSend& send : offerer.take_effects().sends)
    if (const auto* asked = std::get_if<wire::Seek>(&send.body)) nonce = asked->nonce;
  offerer.take(start, {from, wire::Offer{NodeId("m"), nonce, other, 0, 0, {}}});
  offerer.take(start, {from, wire::Offer{NodeId("m"), {9}, other, 0, 0, {}}});
  CHECK(offerer.take_effects().masters == std::vector<wire::Peer>{other});
}

}  // namespace ballast::discovery
