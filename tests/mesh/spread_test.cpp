// How fast a change is known to all, over how few links and bytes; and the same of memberlist's
// push gossip. A round is one gossip interval; counted from the publication to the last master.

#include <doctest/doctest.h>

#include <algorithm>

#include "memberlist.h"
#include "network.h"

using namespace ballast;
using namespace ballast::mesh;
using namespace ballast::mesh::testing;

namespace {

struct Measured {
  double rounds_mean = 0;
  double rounds_max = 0;
  Network::Traffic traffic;
};

// Starts a mesh, lets 5 % of its summaries change each minute, and times marked changes.
Measured measure(Network& network, double loss, int marks) {
  network.start_all(std::chrono::seconds(10));
  network.run_for(std::chrono::seconds(40));
  network.change_steadily(0.05);
  network.set_loss(loss);
  network.run_for(std::chrono::seconds(20));
  network.reset_traffic();
  Measured measured;
  for (int i = 0; i < marks; ++i) {
    const auto node = static_cast<std::size_t>(network.random().below(network.size()));
    const auto took = network.time_to_all(node, std::chrono::seconds(60));
    REQUIRE(took.has_value());
    measured.rounds_mean += seconds_of(*took) / marks;
    measured.rounds_max = std::max(measured.rounds_max, seconds_of(*took));
    network.run_for(std::chrono::seconds(2));
  }
  measured.traffic = network.traffic();
  return measured;
}

}  // namespace

TEST_CASE("three to twelve masters are all linked, and know a change within a round or two") {
  for (const std::size_t masters : {2U, 3U, 5U, 12U}) {
    CAPTURE(masters);
    Network network(masters, masters);
    const Measured measured = measure(network, 0, 4);
    CHECK(network.largest_component() == masters);
    CHECK(network.peers_mean() == doctest::Approx(static_cast<double>(masters - 1)));
    CHECK(measured.rounds_max <= 2);
    for (std::size_t i = 0; i < masters; ++i) CHECK(network.mesh(i).kept().size() == masters - 1);
  }
}

TEST_CASE("100 masters know a change within 4 rounds, with 30 % loss within 10") {
  for (const double loss : {0.0, 0.3}) {
    CAPTURE(loss);
    Network network(100, 5);
    const Measured measured = measure(network, loss, 6);
    CHECK(measured.rounds_max <= (loss > 0 ? 10 : 4));
    CHECK(network.peers_max() <= 12);
  }
}

TEST_CASE("1,000 masters know a change within 6 rounds for 5 kB/s; memberlist's rule beside it") {
  Network network(1000, 3);
  const Measured ours = measure(network, 0, 5);
  CHECK(network.largest_component() == 1000);
  CHECK(network.peers_max() <= 12);
  CHECK(ours.rounds_max <= 6);
  CHECK(ours.traffic.in_mean <= 5000);
  CHECK(ours.traffic.out_mean <= 5000);

  PushRun run;
  run.changes_per_s = 1000 * 0.05 / 60;
  run.seed = 3;
  const PushResult theirs = run_push_gossip(run);
  CHECK(theirs.spread > 0);
  CHECK(ours.rounds_mean < theirs.rounds_mean);
  MESSAGE("rounds mean ", ours.rounds_mean, " max ", ours.rounds_max, ", bytes/s in ",
          ours.traffic.in_mean, " out ", ours.traffic.out_mean, " | memberlist: rounds mean ",
          theirs.rounds_mean, " max ", theirs.rounds_max, ", bytes/s ", theirs.bytes_per_s,
          ", reached all ", theirs.spread, ", did not ", theirs.lost);
}

TEST_CASE("the same seed gives the same messages, another seed others") {
  const auto hash_of = [](std::uint64_t seed) {
    NetworkSettings settings;
    settings.loss = 0.1;
    Network network(30, seed, settings);
    network.start_all(std::chrono::seconds(5));
    network.change_steadily(0.5);
    network.run_for(std::chrono::seconds(30));
    return network.trace_hash();
  };
  CHECK(hash_of(1) == hash_of(1));
  CHECK(hash_of(1) != hash_of(2));
}

TEST_CASE("the queue of memberlist's rule sends what was sent least first, and stops in time") {
  const MemberlistSettings settings;
  CHECK(retransmit_limit(settings, 9) == 4);
  CHECK(retransmit_limit(settings, 1000) == 16);
  CHECK(retransmit_limit(settings, 10'000) == 20);
  TransmitQueue queue;
  queue.add(1);
  CHECK(queue.packet(settings, 9, 700) == std::vector<std::uint32_t>{1});
  queue.add(2);
  CHECK(queue.packet(settings, 9, 700) == std::vector<std::uint32_t>{2});  // one fits
  for (int i = 0; i < 6; ++i) CHECK(queue.packet(settings, 9, 700).size() == 1);
  CHECK(queue.empty());
}
