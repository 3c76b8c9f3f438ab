// How fast a change spreads, and for how many bytes. Memberlist's
// push gossip beside it. usage: mesh_bench MASTERS [SEED]

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "memberlist.h"
#include "network.h"

using namespace ballast;
using namespace ballast::mesh::testing;

namespace {

mesh::Counters totals(Network& network) {
  mesh::Counters total;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const mesh::Counters& one = network.mesh(i).counters();
    total.items_new += one.items_new;
    total.items_known += one.items_known;
    total.items_pulled += one.items_pulled;
    total.links_broken += one.links_broken;
    total.links_lost += one.links_lost;
    total.withdrawn += one.withdrawn;
    total.republished += one.republished;
  }
  return total;
}

void measure(Network& network, double loss) {
  network.run_for(std::chrono::seconds(15));
  network.reset_traffic();
  const mesh::Counters before = totals(network);
  double sum = 0;
  double most = 0;
  constexpr int marks = 5;
  for (int i = 0; i < marks; ++i) {
    const auto node = static_cast<std::size_t>(network.random().below(network.size()));
    const auto took = network.time_to_all(node, std::chrono::seconds(30));
    const double rounds = took ? seconds_of(*took) : 999;
    sum += rounds;
    most = std::max(most, rounds);
  }
  const Network::Traffic traffic = network.traffic();
  const mesh::Counters total = totals(network);
  std::printf(
      "loss %.0f %%: rounds mean %.1f max %.1f; bytes/s in %.0f (worst master %.0f) out "
      "%.0f (%.0f); relays %zu+%zu, peers mean %.1f max %zu\n",
      loss * 100, sum / marks, most, traffic.in_mean, traffic.in_max, traffic.out_mean,
      traffic.out_max, network.mesh(0).degree().first, network.mesh(0).degree().again,
      network.peers_mean(), network.peers_max());
  std::printf("  items new %" PRIu64 " known %" PRIu64 " pulled %" PRIu64 ", links broken %" PRIu64
              " ended %" PRIu64 ", withdrawn %" PRIu64 ", republished %" PRIu64 "\n",
              total.items_new - before.items_new, total.items_known - before.items_known,
              total.items_pulled - before.items_pulled, total.links_broken - before.links_broken,
              total.links_lost - before.links_lost, total.withdrawn - before.withdrawn,
              total.republished - before.republished);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t masters = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : 1000;
  const std::uint64_t seed = argc > 2 ? static_cast<std::uint64_t>(std::atol(argv[2])) : 1;
  Network network(masters, seed);
  network.start_all(std::chrono::seconds(2));
  network.run_for(std::chrono::seconds(4));
  network.tell_all_of_all();
  network.run_for(std::chrono::seconds(20));
  std::printf("%zu masters, %zu of them one mesh, peers mean %.1f max %zu\n", masters,
              network.largest_component(), network.peers_mean(), network.peers_max());
  network.change_steadily(0.05);
  for (const double loss : {0.0, 0.3}) {
    network.set_loss(loss);
    measure(network, loss);
  }
  PushRun run;
  run.nodes = masters;
  run.changes_per_s = static_cast<double>(masters) * 0.05 / 60;
  for (const double loss : {0.0, 0.3}) {
    run.loss = loss;
    const PushResult theirs = run_push_gossip(run);
    std::printf(
        "memberlist, loss %.0f %%: rounds mean %.1f max %.1f, bytes/s %.0f, reached all "
        "%zu, did not %zu\n",
        loss * 100, theirs.rounds_mean, theirs.rounds_max, theirs.bytes_per_s, theirs.spread,
        theirs.lost);
  }
}
