// Tests that never fail prove nothing: bugs that are planted on purpose in the mesh are found, each
// within the stated number of seeds; without them the same seeds are clean.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>

#include "ballast/base/planted.h"
#include "network.h"

namespace ballast {
namespace {

using mesh::Kept;
using mesh::testing::Network;
using planted::Bug;
using namespace std::chrono_literals;

// What a scenario finds wrong; empty when all is well.
using Scenario = std::string (*)(std::uint64_t seed);

bool all_know(Network& network, std::size_t master) {
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i == master || !network.is_up(i)) continue;
    const wire::DigestEntry heard = network.mesh(i).heard_of(network.peer(master).id);
    if (heard.incarnation != network.mesh(master).incarnation() ||
        heard.version != network.mesh(master).version())
      return false;
  }
  return true;
}

std::size_t withdrawn_at(Network& network, std::size_t master) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i == master || !network.is_up(i)) continue;
    const Kept* kept = network.mesh(i).find(network.peer(master).id);
    if (kept != nullptr && kept->withdrawn) ++count;
  }
  return count;
}

void start(Network& network) {
  network.start_all(5s);
  network.run_for(20s);
}

// A change is known to all in a few rounds, over a bounded view.
std::string spread(std::uint64_t seed) {
  Network network(60, seed);
  start(network);
  if (network.peers_max() > 12) return "a master has more than 12 peers";
  if (network.largest_component() != 60) return "the masters are not one mesh";
  const auto took = network.time_to_all(seed % 60, 4s);
  return took ? "" : "a change is not known to all within 4 rounds";
}

// What many said in a storm is known soon after it.
std::string storm(std::uint64_t seed) {
  Network network(60, seed);
  start(network);
  network.set_loss(0.9);
  for (std::size_t master = seed % 5; master < 60; master += 5) network.publish(master);
  network.run_for(3s);
  network.set_loss(0);
  const auto all_is_known = [&] {
    for (std::size_t master = seed % 5; master < 60; master += 5)
      if (!all_know(network, master)) return false;
    return true;
  };
  const bool known = network.run_until(all_is_known, 20s);
  return known ? "" : "what was lost in a storm is not known to all 20 s later";
}

// A word of which nothing gets out while it is fresh, and too short a silence for links to break.
std::string lapse(std::uint64_t seed) {
  Network network(60, seed);
  start(network);
  network.set_loss(1);
  network.publish(seed % 60);
  network.run_for(2s);
  network.set_loss(0);
  const bool known = network.run_until([&] { return all_know(network, seed % 60); }, 20s);
  return known ? "" : "what was lost in a short silence is not known to all 20 s later";
}

// Both halves of a mesh that was split become one, and know what happened meanwhile.
std::string split(std::uint64_t seed) {
  Network network(40, seed);
  start(network);
  for (std::size_t i = 0; i < 20; ++i) network.set_side(i, 1);
  network.run_for(60s);
  network.publish(0);
  network.run_for(30s);
  for (std::size_t i = 0; i < 40; ++i) network.set_side(i, 0);
  const bool one = network.run_until(
      [&] { return network.largest_component() == 40 && all_know(network, 0); }, 30s);
  return one ? "" : "a split that healed is not one mesh that knows all within 30 s";
}

// Masters that crash are replaced as peers.
std::string crash(std::uint64_t seed) {
  Network network(60, seed);
  start(network);
  for (std::size_t i = 0; i < 48; ++i) network.crash(i);
  network.run_for(10s);
  if (network.largest_component() != 12) return "who was left is not one mesh after 10 s";
  for (std::size_t i = 48; i < 60; ++i)
    for (const NodeId& peer : network.mesh(i).active_peers())
      if (!network.is_up(network.index_of(peer))) return "a dead master is still a peer";
  const bool linked = network.run_until([&] { return network.peers_mean() >= 5; }, 15s);
  return linked ? "" : "links that broke are not replaced after 25 s";
}

// A dead master's spare is withdrawn; it is used again when that master is back.
std::string death(std::uint64_t seed) {
  Network network(5, seed);
  start(network);
  network.crash(2);
  if (!network.run_until([&] { return withdrawn_at(network, 2) == 4; }, 20s))
    return "a dead master's spare is not withdrawn";
  network.start(2, {0}, 2);
  if (!network.run_until([&] { return withdrawn_at(network, 2) == 0; }, 10s))
    return "a master that is back is not used again";
  return "";
}

// Two that cannot reach each other are no reason for others to withdraw anything.
std::string quarrel(std::uint64_t seed) {
  Network network(5, seed);
  start(network);
  network.block(0, 4);
  network.run_for(60s);
  for (std::size_t i = 0; i < 5; ++i)
    if (network.is_up(i) && network.mesh(i).counters().withdrawn > 0)
      return "one witness was enough";
  return "";
}

// One that has lost its past is heard again.
std::string amnesia(std::uint64_t seed) {
  Network network(10, seed);
  network.start_all(2s);
  network.run_for(10s);
  network.crash(1);
  network.start(1, {0}, 7);
  network.run_for(10s);
  network.crash(1);
  network.start(1, {0}, 1);
  network.run_for(2s);
  network.publish(1);
  const bool heard = network.run_until([&] { return all_know(network, 1); }, 10s);
  return heard ? "" : "a master that lost its past is not heard";
}

// One that comes late has the picture at once.
std::string late(std::uint64_t seed) {
  Network network(60, seed);
  network.start_all(5s);
  network.run_for(10s);
  network.crash(59);
  network.run_for(30s);
  network.start(59, {5}, 2);
  network.run_for(2s);
  return network.mesh(59).kept().size() >= 58 ? "" : "a newcomer lacks the picture after 2 s";
}

// One that is gone for long is forgotten.
std::string gone(std::uint64_t seed) {
  Network network(4, seed);
  network.start_all(1s);
  network.run_for(10s);
  network.crash(3);
  network.run_for(10min);
  return network.mesh(0).masters() == 3 ? "" : "a master that is gone for long is still known";
}

// Nobody speaks for another, and of two words on pausing the higher stamp counts.
std::string words(std::uint64_t seed) {
  Network network(10, seed);
  network.start_all(1s);
  network.run_for(5s);
  wire::Summary summary;
  summary.self = network.peer(3);
  const mesh::testing::HashSigner thief(network.peer(4).id);
  const NodeId peer = network.mesh(0).active_peers().front();
  network.deliver(0, peer, wire::Gossip{{wire::make_item(9, 9, summary, thief)}, {}});
  if (network.mesh(0).heard_of(network.peer(3).id).incarnation == 9) return "a forgery is believed";
  summary.pause_stamp = 4;
  summary.paused = true;
  network.mesh(1).publish(network.now(), summary);
  network.run_for(5s);
  network.publish(2);  // has heard of no pause
  network.run_for(5s);
  for (std::size_t i = 0; i < 10; ++i)
    if (!network.mesh(i).pause().paused) return "an older word on pausing wins";
  return "";
}

struct Known {
  Bug bug;
  Scenario scenario;
  std::uint64_t seeds_max;  // within so many seeds it is found
};

constexpr std::array<Known, 16> known = {{
    {Bug::mesh_relays_nothing, spread, 3},
    {Bug::mesh_takes_everyone, spread, 3},
    {Bug::mesh_forgets_who_asked, spread, 3},
    {Bug::mesh_never_pulls, lapse, 3},
    {Bug::mesh_digests_nothing_old, storm, 3},
    {Bug::mesh_forgets_the_lost, split, 3},
    {Bug::mesh_replaces_no_link, crash, 3},
    {Bug::mesh_watches_no_link, crash, 3},
    {Bug::mesh_never_withdraws, death, 3},
    {Bug::mesh_keeps_withdrawn, death, 3},
    {Bug::mesh_believes_one_witness, quarrel, 3},
    {Bug::mesh_ignores_own_past, amnesia, 3},
    {Bug::mesh_sends_no_picture, late, 3},
    {Bug::mesh_forgets_nobody, gone, 3},
    {Bug::mesh_takes_forgeries, words, 3},
    {Bug::mesh_takes_any_pause, words, 3},
}};

std::string find(Bug bug, Scenario scenario, std::uint64_t seeds_max) {
  planted::plant(bug);
  std::string found;
  for (std::uint64_t seed = 1; found.empty() && seed <= seeds_max; ++seed) {
    found = scenario(seed);
    if (!found.empty()) found = "seed " + std::to_string(seed) + ": " + found;
  }
  planted::plant(Bug::none);
  return found;
}

TEST_CASE("bugs that are planted in the mesh are found") {
  for (const Known& one : known) {
    const std::string found = find(one.bug, one.scenario, one.seeds_max);
    MESSAGE(std::string(planted::name_of(one.bug)) << ": " << found);
    CHECK_MESSAGE(!found.empty(), planted::name_of(one.bug));
  }
}

TEST_CASE("without them the same seeds are clean") {
  for (const Scenario scenario :
       {spread, storm, lapse, split, crash, death, quarrel, amnesia, late, gone, words})
    CHECK(find(Bug::none, scenario, 3) == "");
}

}  // namespace
}  // namespace ballast
