// Masters that crash, are cut off, come back without their past, join late, or are only suspected.

#include <doctest/doctest.h>

#include "network.h"

using namespace ballast;
using namespace ballast::mesh;
using namespace ballast::mesh::testing;

namespace {

// All that are up know this master at the version that it published last.
bool all_know(Network& network, std::size_t master) {
  const NodeId id = network.peer(master).id;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i == master || !network.is_up(i)) continue;
    const wire::DigestEntry heard = network.mesh(i).heard_of(id);
    if (heard.incarnation != network.mesh(master).incarnation() ||
        heard.version != network.mesh(master).version())
      return false;
  }
  return true;
}

bool all_withdraw(Network& network, std::size_t master, bool withdrawn) {
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i == master || !network.is_up(i)) continue;
    const Kept* kept = network.mesh(i).find(network.peer(master).id);
    if (!kept || kept->withdrawn != withdrawn) return false;
  }
  return true;
}

bool none_withdrawn(Network& network) {
  for (std::size_t i = 0; i < network.size(); ++i)
    for (const Kept& kept : network.mesh(i).kept())
      if (kept.withdrawn) return false;
  return true;
}

}  // namespace

TEST_CASE("when 80 % crash at once, 99 % of the rest are one mesh again within 10 s") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    Network network(300, seed);
    network.start_all(std::chrono::seconds(10));
    network.run_for(std::chrono::seconds(40));
    REQUIRE(network.largest_component() == 300);
    for (std::size_t up = 300; up > 60;) {
      const auto node = static_cast<std::size_t>(network.random().below(300));
      if (!network.is_up(node)) continue;
      network.crash(node);
      --up;
    }
    network.run_for(std::chrono::seconds(10));
    CHECK(network.largest_component() * 100 >= 60 * 99);
    CHECK(network.peers_max() <= 12);
    const auto took = network.time_to_all(
        [&] {
          std::size_t node = 0;
          while (!network.is_up(node)) ++node;
          return node;
        }(),
        std::chrono::seconds(20));
    CHECK(took.has_value());
  }
}

TEST_CASE("masters that start at once become one mesh, and none is left outside a full clique") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const std::size_t masters : {14U, 20U, 40U}) {
      CAPTURE(seed);
      CAPTURE(masters);
      Network network(masters, seed);
      network.start_all(std::chrono::seconds(seed % 5));
      CHECK(network.run_until([&] { return network.largest_component() == masters; },
                              std::chrono::seconds(15)));
      network.run_for(std::chrono::seconds(30));
      CHECK(network.largest_component() == masters);
    }
  }
}

TEST_CASE("a broken connection is replaced as soon as the peer does not answer") {
  Network network(60, 4);
  network.start_all(std::chrono::seconds(5));
  network.run_for(std::chrono::seconds(20));
  for (std::size_t i = 0; i < 20; ++i) network.crash(i, true);
  network.run_for(std::chrono::seconds(4));
  CHECK(network.largest_component() == 40);
  for (std::size_t i = 20; i < 60; ++i)
    for (const NodeId& peer : network.mesh(i).active_peers())
      CHECK(network.is_up(network.index_of(peer)));
}

TEST_CASE("a split that heals becomes one mesh again, small or large") {
  for (const std::size_t masters : {4U, 100U}) {
    CAPTURE(masters);
    Network network(masters, 11);
    network.start_all(std::chrono::seconds(5));
    network.run_for(std::chrono::seconds(30));
    for (std::size_t i = 0; i < masters / 2; ++i) network.set_side(i, 1);
    network.run_for(std::chrono::seconds(90));
    CHECK(network.largest_component() == masters / 2);
    network.publish(0);
    network.run_for(std::chrono::seconds(10));
    CHECK_FALSE(all_know(network, 0));
    for (std::size_t i = 0; i < masters; ++i) network.set_side(i, 0);
    CHECK(network.run_until(
        [&] { return network.largest_component() == masters && all_know(network, 0); },
        std::chrono::seconds(30)));
    CHECK(network.run_until([&] { return none_withdrawn(network); }, std::chrono::seconds(30)));
  }
}

TEST_CASE("a master that lost its state is not shadowed by its own past") {
  for (const std::size_t masters : {3U, 50U}) {
    CAPTURE(masters);
    Network network(masters, 12);
    network.start_all(std::chrono::seconds(5));
    network.run_for(std::chrono::seconds(20));
    network.crash(1);
    network.run_for(std::chrono::seconds(1));
    network.start(1, {0}, 7);
    network.run_for(std::chrono::seconds(10));
    for (int i = 0; i < 5; ++i) {
      network.publish(1);
      network.run_for(std::chrono::seconds(2));
    }
    REQUIRE(network.run_until([&] { return all_know(network, 1); }, std::chrono::seconds(10)));
    REQUIRE(network.mesh(1).incarnation() == 7);
    network.crash(1);
    network.run_for(std::chrono::seconds(1));
    network.start(1, {0}, 1);
    network.run_for(std::chrono::seconds(2));
    network.publish(1);
    CHECK(network.run_until([&] { return all_know(network, 1); }, std::chrono::seconds(10)));
    CHECK(network.mesh(1).incarnation() >= 7);
    CHECK(network.mesh(1).counters().republished > 0);
  }
}

TEST_CASE("a late joiner has the whole picture within two seconds, and all know of it") {
  Network network(100, 13);
  network.start_all(std::chrono::seconds(5));
  network.run_for(std::chrono::seconds(20));
  network.crash(99);
  network.run_for(std::chrono::seconds(60));
  network.start(99, {5}, 2);
  network.run_for(std::chrono::seconds(2));
  CHECK(network.mesh(99).kept().size() >= 98);
  CHECK(network.mesh(99).active_peers().size() >= 4);
  CHECK(network.run_until([&] { return all_know(network, 99); }, std::chrono::seconds(5)));
}

TEST_CASE("two witnesses withdraw a dead master's summary, until a newer one is heard") {
  for (const std::size_t masters : {3U, 5U}) {  // of three, both that are left have to say so
    CAPTURE(masters);
    Network network(masters, 14);
    network.start_all(std::chrono::seconds(2));
    network.run_for(std::chrono::seconds(20));
    REQUIRE(all_withdraw(network, 2, false));
    network.crash(2);
    CHECK(network.run_until([&] { return all_withdraw(network, 2, true); },
                            std::chrono::seconds(20)));
    network.run_for(std::chrono::minutes(1));
    CHECK(all_withdraw(network, 2, true));
    network.start(2, {0}, 2);
    CHECK(network.run_until([&] { return all_withdraw(network, 2, false); },
                            std::chrono::seconds(10)));
  }
}

TEST_CASE("who has nothing new to say is not forgotten, who is gone for long is") {
  Network network(6, 17);
  network.start_all(std::chrono::seconds(2));
  network.run_for(std::chrono::minutes(10));
  CHECK(network.mesh(0).masters() == 6);
  network.crash(3);
  network.run_for(std::chrono::minutes(10));
  CHECK(network.mesh(0).masters() == 5);
  CHECK(network.mesh(0).find(network.peer(3).id) == nullptr);
  for (std::size_t i = 1; i < 6; ++i)
    if (i != 3) CHECK(network.mesh(0).find(network.peer(i).id) != nullptr);
}

TEST_CASE("one witness alone withdraws nothing, and a master that is suspected defends itself") {
  Network network(5, 15);
  network.start_all(std::chrono::seconds(2));
  network.run_for(std::chrono::seconds(20));
  network.block(0, 4);  // these two cannot reach each other, all others can
  network.run_for(std::chrono::minutes(2));
  for (std::size_t i = 1; i < 5; ++i) CHECK(network.mesh(i).counters().withdrawn == 0);
  CHECK(none_withdrawn(network));
  // Whichever of the two speaks first, the other one defends itself.
  CHECK(network.mesh(0).counters().republished + network.mesh(4).counters().republished > 0);
}

TEST_CASE("the pause with the highest stamp is known to all, whatever else they keep") {
  Network network(20, 16);
  network.start_all(std::chrono::seconds(2));
  network.run_for(std::chrono::seconds(10));
  wire::Summary summary;
  summary.pause_stamp = 3;
  summary.paused = true;
  network.mesh(7).publish(network.now(), summary);
  network.run_for(std::chrono::seconds(5));
  for (std::size_t i = 0; i < 20; ++i) CHECK(network.mesh(i).pause() == Pause{3, true});
  summary.pause_stamp = 4;
  summary.paused = false;
  network.mesh(2).publish(network.now(), summary);
  network.run_for(std::chrono::seconds(5));
  for (std::size_t i = 0; i < 20; ++i) CHECK(network.mesh(i).pause() == Pause{4, false});
}
