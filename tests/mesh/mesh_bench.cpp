// How fast a change spreads, and for how many bytes. usage: mesh_bench MASTERS [LOSS] [SEED]

#include <cstdio>
#include <cstdlib>

#include "network.h"

using namespace ballast;
using namespace ballast::mesh::testing;

namespace {

mesh::Counters totals(Network& network) {
  mesh::Counters total;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (!network.is_up(i)) continue;
    const mesh::Counters& c = network.mesh(i).counters();
    total.items_new += c.items_new;
    total.items_known += c.items_known;
    total.items_pulled += c.items_pulled;
    total.links_broken += c.links_broken;
    total.links_lost += c.links_lost;
    total.news_dropped += c.news_dropped;
    total.over_rate += c.over_rate;
    total.wanted_dropped += c.wanted_dropped;
    total.strangers += c.strangers;
    total.joins_refused += c.joins_refused;
    total.withdrawn += c.withdrawn;
    total.republished += c.republished;
    total.not_served += c.not_served;
  }
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t masters = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : 1000;
  NetworkSettings settings;
  const double loss = argc > 2 ? std::atof(argv[2]) : 0;
  const std::uint64_t seed = argc > 3 ? static_cast<std::uint64_t>(std::atol(argv[3])) : 1;
  Network network(masters, seed, settings);
  network.start_all(std::chrono::seconds(20));
  std::printf("started: %zu in one mesh, peers mean %.1f max %zu, messages %lu\n",
              network.largest_component(), network.peers_mean(), network.peers_max(),
              static_cast<unsigned long>(network.messages()));
  std::fflush(stdout);
  network.run_for(std::chrono::seconds(60));
  network.change_steadily(0.05);
  network.set_loss(loss);
  network.run_for(std::chrono::seconds(40));
  std::printf(
      "settled: %zu in one mesh, peers mean %.1f max %zu, masters known to 0: %zu, degree "
      "%zu+%zu\n",
      network.largest_component(), network.peers_mean(), network.peers_max(),
      network.mesh(0).masters(), network.mesh(0).degree().first, network.mesh(0).degree().again);
  network.reset_traffic();
  const mesh::Counters before = totals(network);
  const TimePoint measured_from = network.now();
  double sum = 0;
  double most = 0;
  const int marks = 6;
  for (int i = 0; i < marks; ++i) {
    const std::size_t node = static_cast<std::size_t>(network.random().below(masters));
    const auto time = network.time_to_all(node, std::chrono::seconds(60));
    const double s = time ? seconds_of(*time) : 999;
    std::printf("  mark %d: %.1f s\n", i, s);
    sum += s;
    most = s > most ? s : most;
  }
  const Network::Traffic traffic = network.traffic();
  std::printf(
      "rounds mean %.1f max %.1f; bytes/s in %.0f (max %.0f) out %.0f (max %.0f); degree "
      "%zu+%zu, one mesh %zu, peers mean %.1f\n",
      sum / marks, most, traffic.in_mean, traffic.in_max, traffic.out_mean, traffic.out_max,
      network.mesh(0).degree().first, network.mesh(0).degree().again, network.largest_component(),
      network.peers_mean());
  const mesh::Counters total = totals(network);
  std::printf(
      "new %lu known %lu pulled %lu broken %lu lost %lu news_dropped %lu over_rate %lu "
      "wanted_dropped %lu strangers %lu refused %lu withdrawn %lu republished %lu not_served %lu\n",
      total.items_new - before.items_new, total.items_known - before.items_known,
      total.items_pulled - before.items_pulled, total.links_broken - before.links_broken,
      total.links_lost - before.links_lost, total.news_dropped - before.news_dropped,
      total.over_rate - before.over_rate, total.wanted_dropped - before.wanted_dropped,
      total.strangers - before.strangers, total.joins_refused - before.joins_refused,
      total.withdrawn - before.withdrawn, total.republished - before.republished,
      total.not_served - before.not_served);
  const auto kinds = network.bytes_by_kind();
  for (std::size_t k = 0; k < kinds.size(); ++k)
    std::printf("kind%%8=%zu %.0f B/s per master\n", k,
                static_cast<double>(kinds[k]) / static_cast<double>(masters) /
                    seconds_of(network.now() - measured_from));
}
