// The word of the fleet's key reaches everybody: who has joined, who is revoked, which key is next.
// Masters with their slaves, messages lost and doubled, nodes that are away and come back.

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/planted.h"
#include "ballast/fleet/book.h"
#include "ballast/world/world.h"
#include "common/fake_fleet.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using wire::FleetRecordPtr;
using world::World;

const wire::PublicKey first = fake_key(1);
const wire::PublicKey second = fake_key(2);
const FakeVerifier verifier;

constexpr std::size_t groups = 3;
constexpr std::size_t hosts_of_group = 4;
constexpr std::size_t hosts = groups * hosts_of_group;

std::string name_of(std::size_t host) { return "h" + std::to_string(host); }

std::shared_ptr<const Trace> quiet_groups() {
  auto trace = std::make_shared<Trace>();
  trace->interval = std::chrono::hours(24 * 7);
  for (std::size_t h = 0; h < hosts; ++h) {
    trace->hosts.push_back({HostId(name_of(h)),
                            {10000, 65536, 10000},
                            std::string(1, static_cast<char>('a' + h / hosts_of_group))});
    TraceVm vm;
    vm.id = VmId("v" + std::to_string(h));
    vm.host = static_cast<std::uint32_t>(h);
    vm.size = {10000, 2048, 10};
    vm.cpu_percent = {20};
    trace->vms.push_back(std::move(vm));
  }
  return trace;
}

node::FleetLoaded in_files(const std::vector<FleetRecordPtr>& records, bool anew = false) {
  node::FleetLoaded loaded;
  loaded.anew = anew;
  loaded.fleet_key = first;
  loaded.records = records;
  return loaded;
}

// Every host knows itself and its inviter, which is the first one: as after a join.
World fresh_fleet(std::uint64_t seed, bool with_faults) {
  world::Settings settings;
  settings.seed = seed;
  settings.through_bytes = true;
  settings.fleet = &verifier;
  World world(std::move(settings), quiet_groups());
  if (with_faults) {
    world::MessageFaults faults;
    faults.loss = 0.05;
    faults.doubling = 0.1;
    world.set_faults(faults);
  }
  for (std::size_t h = 0; h < hosts; ++h)
    world.load_fleet(h, in_files({fake_certificate("h0", 1, first, true),
                                  fake_certificate(name_of(h), 1, first, h == 0)},
                                 true));
  return world;
}

// What a node believes, from its files alone: as it would after a restart.
std::unique_ptr<fleet::Book> book_of(const World& world, std::size_t host) {
  const node::FleetLoaded& files = world.fleet_files(host);
  auto book = std::make_unique<fleet::Book>(files.fleet_key, files.generation);
  for (const FleetRecordPtr& one : files.records) book->take(one, verifier);
  return book;
}

template <class Holds>
bool holds_at_all(const World& world, const Holds& holds) {
  for (std::size_t h = 0; h < hosts; ++h)
    if (world.is_up(h) && !holds(*book_of(world, h))) return false;
  return true;
}

// All that was said came through the wire, and nothing else went wrong.
void check_findings(const World& world) {
  for (const world::Finding& finding : world.findings()) FAIL_CHECK(finding.detail);
}

bool knows_all(const fleet::Book& book) { return book.members().size() == hosts; }
bool has_no_h5(const fleet::Book& book) { return !book.certificate_of(NodeId("h5")); }

}  // namespace

TEST_CASE("who joins is known to all, and a revocation reaches all within one report interval") {
  World world = fresh_fleet(1, false);
  world.run_for(60s);
  REQUIRE(holds_at_all(world, knows_all));
  // Told at a slave of the first group; h5 is of the second one.
  world.load_fleet(2, in_files({fake_revocation("h5", 1, first)}));
  world.run_for(10s);
  CHECK(holds_at_all(world, has_no_h5));
  const node::View view = world.view(5);
  CHECK(std::any_of(view.events.begin(), view.events.end(), [](const node::Event& event) {
    return event.kind == node::EventKind::alarm &&
           event.text.find("certificate was revoked") != std::string::npos;
  }));
  check_findings(world);
}

TEST_CASE("messages that are lost or doubled, nodes that are away: it reaches all in the end") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    World world = fresh_fleet(seed, true);
    world.run_for(240s);
    REQUIRE(holds_at_all(world, knows_all));
    world.crash(7);
    world.set_side(9, 1);
    world.load_fleet(seed % hosts_of_group, in_files({fake_revocation("h5", 1, first)}));
    world.run_for(130s);
    CHECK(!has_no_h5(*book_of(world, 9)));
    world.unblock_all();
    world.restart(7);
    world.run_for(180s);
    CHECK(holds_at_all(world, has_no_h5));
    check_findings(world);
  }
}

TEST_CASE("the key is replaced while one is away, which still gets in") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    World world = fresh_fleet(seed, seed % 2 == 0);
    world.run_for(240s);
    REQUIRE(holds_at_all(world, knows_all));
    world.crash(6);
    std::vector<FleetRecordPtr> next = {fake_succession(second, hosts, first, 1)};
    for (std::size_t h = 0; h < hosts; ++h)
      next.push_back(fake_certificate(name_of(h), 1, second, h == 0, 2));
    world.load_fleet(0, in_files(next));
    world.run_for(180s);
    const auto follows = [](const fleet::Book& book) {
      return book.generation() == 2 && book.fleet_key() == second && knows_all(book) &&
             std::all_of(book.members().begin(), book.members().end(), [](const auto& one) {
               return one.second.certificate && one.second.certificate->generation == 2;
             });
    };
    CHECK(holds_at_all(world, follows));
    world.restart(6);
    world.run_for(180s);
    CHECK(holds_at_all(world, follows));
    // What the old key signs now is believed by nobody.
    world.load_fleet(3, in_files({fake_certificate("h99", 1, first, true)}));
    world.run_for(70s);
    CHECK(holds_at_all(
        world, [](const fleet::Book& book) { return !book.certificate_of(NodeId("h99")); }));
  }
}

TEST_CASE("another fleet's key gets nothing in, and nothing is said for ever") {
  World world = fresh_fleet(3, false);
  world.run_for(60s);
  const std::uint64_t before = world.messages();
  world.run_for(600s);
  const std::uint64_t calm = world.messages() - before;
  // One that tells of a key that ours does not lead to.
  node::FleetLoaded stray;
  stray.fleet_key = fake_key(7);
  stray.generation = 3;
  stray.records = {fake_certificate("h2", 1, fake_key(7), true, 3),
                   fake_certificate("h66", 1, fake_key(7), true, 3)};
  world.load_fleet(2, stray);
  world.run_for(600s);
  CHECK(world.messages() - before - calm < calm + calm / 10);
  for (std::size_t h = 0; h < hosts; ++h)
    if (h != 2) CHECK(!book_of(world, h)->certificate_of(NodeId("h66")));
}

}  // namespace ballast
