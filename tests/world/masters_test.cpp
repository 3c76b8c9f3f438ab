// Several groups and what passes between them: room is asked for and granted, VMs move and are
// exchanged, masters come and go.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <set>

#include "ballast/world/world.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using world::World;

// `groups[g][h]` lists the CPU shares (of one host) of the VMs that start on host h of group g.
std::shared_ptr<const Trace> trace_of(const std::vector<std::vector<std::vector<double>>>& groups) {
  auto trace = std::make_shared<Trace>();
  trace->interval = std::chrono::hours(24);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::vector<double>& host : groups[g]) {
      const auto index = static_cast<std::uint32_t>(trace->hosts.size());
      trace->hosts.push_back(
          {HostId("h" + std::to_string(index)), {10000, 65536, 10000}, "g" + std::to_string(g)});
      for (const double share : host) {
        TraceVm vm;
        vm.id = VmId("v" + std::to_string(trace->vms.size()));
        vm.host = index;
        vm.size = {10000, 2048, 10};
        vm.cpu_percent = {static_cast<float>(share * 100)};
        trace->vms.push_back(std::move(vm));
      }
    }
  }
  return trace;
}

world::Settings settings_with(std::uint64_t seed) {
  world::Settings settings;
  settings.seed = seed;
  settings.through_bytes = true;
  if (std::getenv("BALLAST_WORLD_LOG") != nullptr)
    settings.log = [](const std::string& line) { std::cout << line << "\n"; };
  return settings;
}

std::uint64_t counted(const World& world, const char* what) {
  std::uint64_t sum = 0;
  for (std::size_t node = 0; node < world.nodes(); ++node) {
    if (!world.is_up(node)) continue;
    const node::View view = world.view(node);
    const auto found = view.counters.find(what);
    if (found != view.counters.end()) sum += found->second;
  }
  return sum;
}

void check_clean(World& world) {
  world.audit_all();
  for (const world::Finding& finding : world.findings())
    FAIL_CHECK(finding.auditor << " at " << finding.at_s << " s: " << finding.detail);
}

TEST_CASE("what a group has no room for goes to another group") {
  World world(settings_with(1),
              trace_of({{{0.3, 0.3, 0.3, 0.3}, {0.3, 0.3, 0.2}}, {{0.1}, {0.1, 0.1}}}));
  world.run_for(15min);
  check_clean(world);
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(counted(world, "remote_migrations") >= 1);
  // The one that is 0.1 too much leaves, and no more than it takes.
  CHECK(world.migrations_started() <= 3);
}

TEST_CASE("a VM that fits nowhere is exchanged for a smaller one of another group") {
  // Group 0 is over on one host; group 1 has 0.22 of room on each host, the VM needs 0.4.
  World world(settings_with(2), trace_of({{{0.5, 0.4}, {0.5, 0.26}}, {{0.24, 0.3}, {0.24, 0.3}}}));
  world.run_for(20min);
  check_clean(world);
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(counted(world, "remote_migrations_in_swaps") == 2);
}

// Room that master `kept_by` keeps for the half of a swap that is to come.
std::optional<LeaseId> promised_by(const World& world, std::size_t kept_by) {
  for (const node::LeaseView& lease : world.view(kept_by).leases)
    if (lease.phase == "promised") return lease.lease;
  return std::nullopt;
}

bool keeps(const World& world, std::size_t master, const LeaseId& lease) {
  const std::vector<node::LeaseView> open = world.view(master).leases;
  return std::any_of(open.begin(), open.end(),
                     [&](const node::LeaseView& one) { return one.lease == lease; });
}

TEST_CASE(
    "a swap whose other master dies is given up when that one is lost, not ten minutes later") {
  // As above; the third group has no part in it, but its master is the second witness.
  const std::vector<std::vector<std::vector<double>>> two{{{0.5, 0.4}, {0.5, 0.26}},
                                                          {{0.24, 0.3}, {0.24, 0.3}}};
  std::vector<std::vector<std::vector<double>>> three = two;
  three.push_back({{0.7}, {0.7}});
  constexpr std::size_t asker = 0;
  constexpr std::size_t grantor = 2;
  for (const auto& groups : {two, three}) {
    for (const std::size_t dies : {asker, grantor}) {
      CAPTURE(groups.size());
      CAPTURE(dies);
      World world(settings_with(2), trace_of(groups));
      const std::size_t stays = dies == asker ? grantor : asker;
      std::optional<LeaseId> kept;
      while (!kept && world.elapsed() < 20min) {
        world.run_for(5ms);
        kept = promised_by(world, stays);
      }
      REQUIRE(kept);
      world.crash(dies);
      const TimePoint died_at = world.now();
      while (keeps(world, stays, *kept) && world.now() - died_at < 10min) world.run_for(1s);
      CHECK(world.now() - died_at < 30s);
      world.run_for(1min);
      world.restart(dies);
      world.run_for(20min);
      check_clean(world);
      CHECK(overloaded_hosts(world.truth()) == 0);
    }
  }
}

wire::Reply ask(World& world, std::size_t node, wire::Subject subject, const char* host) {
  node::Question question;
  question.subject = subject;
  question.host = HostId(host);
  const std::uint64_t ticket = world.ask(node, question);
  for (int tries = 0; tries < 60 && !world.answer(node, ticket); ++tries) world.run_for(1s);
  REQUIRE(world.answer(node, ticket));
  return *world.answer(node, ticket);
}

std::size_t vms_on(const World& world, HostIndex host) {
  const Snapshot truth = world.truth();
  return static_cast<std::size_t>(std::count_if(truth.vms.begin(), truth.vms.end(),
                                                [&](const Vm& vm) { return vm.host == host; }));
}

TEST_CASE("a host is drained across groups, asked for at a slave of the other group") {
  // Group 0 has no room for 0.3 and 0.3; group 1 has for one on each host.
  World world(settings_with(4), trace_of({{{0.6}, {0.3, 0.3, 0.1}}, {{0.3}, {0.3}, {0.3}}}));
  world.run_for(10min);
  REQUIRE(world.migrations_started() == 0);
  const wire::Reply reply = ask(world, 4, wire::Subject::drain, "h1");
  CHECK(reply.answered == wire::Answered::yes);
  CHECK(reply.text.find("to other groups") != std::string::npos);
  world.run_for(20min);
  check_clean(world);
  CHECK(vms_on(world, 1) == 0);
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(counted(world, "remote_migrations") >= 2);
  CHECK(world.migrations_started() <= 4);
  // It is still so when its master dies and another takes its place.
  world.crash(0);
  world.run_for(1min);
  CHECK(world.view(1).master == NodeId("h2"));
  const node::View view = world.view(2);
  CHECK(std::any_of(view.hosts.begin(), view.hosts.end(), [](const node::HostView& host) {
    return host.id == HostId("h1") && host.state == "drained";
  }));
}

TEST_CASE("a drain that no group has room for says so, with figures, and moves nothing") {
  World world(settings_with(5), trace_of({{{0.6}, {0.5, 0.1}}, {{0.4}, {0.5}}}));
  world.run_for(10min);
  const wire::Reply reply = ask(world, 3, wire::Subject::drain, "h1");
  CHECK(reply.answered == wire::Answered::no);
  const auto stays = std::find_if(reply.facts.begin(), reply.facts.end(),
                                  [](const wire::Fact& fact) { return fact.kind == "stays"; });
  REQUIRE(stays != reply.facts.end());
  CHECK(stays->vm == VmId("v1"));
  CHECK(stays->text.find("it needs 5000 MHz") != std::string::npos);
  CHECK(stays->text.find("of 'h2'") != std::string::npos);
  world.run_for(15min);
  check_clean(world);
  CHECK(world.migrations_started() == 0);
}

TEST_CASE("slaves of a master that dies attach to another, and balancing goes on") {
  World world(settings_with(3), trace_of({{{0.2}, {0.2}, {0.2}}, {{0.2}, {0.5, 0.5}, {0.2}}}));
  world.run_for(20s);
  world.crash(0);
  world.run_for(10s);
  std::set<NodeId> masters;
  for (std::size_t node = 1; node < world.nodes(); ++node) masters.insert(world.view(node).master);
  CHECK(masters == std::set<NodeId>{NodeId("h3")});
  world.run_for(15min);
  check_clean(world);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

}  // namespace
}  // namespace ballast
