// Headroom for loads that swing: which VMs leave and where they go, and never more of them.
#include <doctest/doctest.h>

#include <algorithm>

#include "ballast/base/random.h"
#include "ballast/plan/planner.h"
#include "plan/audit.h"
#include "plan/random_snapshot.h"

using namespace ballast;

namespace {

// Hosts of 100 MHz and 1000 MiB: 80 and 900 may be used.
Snapshot hosts(std::size_t count) {
  Snapshot snapshot;
  for (std::size_t h = 0; h < count; ++h) {
    Host host;
    host.id = HostId("h" + std::to_string(h));
    host.capacity = {100, 1000, unlimited};
    snapshot.hosts.push_back(host);
  }
  return snapshot;
}

void put(Snapshot& snapshot, HostIndex host, double cpu, double memory, double swing) {
  Vm vm;
  vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
  vm.host = host;
  vm.load = {cpu, memory, 0};
  vm.swing = {swing, 0, 0};
  snapshot.vms.push_back(vm);
}

Snapshot swinging(Snapshot snapshot, std::uint64_t seed) {
  Random random(seed);
  for (Vm& vm : snapshot.vms)
    for (const Resource r : {Resource::cpu, Resource::network})
      vm.swing[r] = vm.load[r] * random.between(0, 1);
  return snapshot;
}

}  // namespace

TEST_CASE("of two hosts as full as each other the one whose VMs swing less is taken") {
  for (const HostIndex restless : {1U, 2U}) {
    Snapshot snapshot = hosts(3);
    put(snapshot, 0, 70, 100, 0);
    put(snapshot, 0, 20, 50, 0);
    for (const HostIndex h : {1U, 2U}) put(snapshot, h, 60 - (h == restless ? 1 : 0), 100, 0);
    snapshot.vms[restless + 1].swing = {10, 0, 0};
    const Plan plan = plan::make_plan(snapshot);
    REQUIRE(plan.migrations.size() == 1);
    CHECK(plan.migrations[0].vm == 1);
    CHECK(plan.migrations[0].to == 3 - restless);
  }
}

TEST_CASE("of VMs that would do, one whose leaving lasts goes; without a swing the least to copy") {
  for (const double swing : {0.0, 8.0}) {
    CAPTURE(swing);
    Snapshot snapshot = hosts(2);
    put(snapshot, 0, 69, 200, swing);
    put(snapshot, 0, 2, 50, 0);   // leaves the host at 79 %, right below its threshold
    put(snapshot, 0, 10, 60, 0);  // leaves it with room for its swing
    const Plan plan = plan::make_plan(snapshot);
    REQUIRE(plan.migrations.size() == 1);
    CHECK(plan.migrations[0].vm == (swing > 0 ? 2 : 1));
  }
}

TEST_CASE("no VM leaves a host that is below its thresholds, however much it swings") {
  Snapshot snapshot = hosts(2);
  put(snapshot, 0, 79, 100, 79);
  CHECK(plan::make_plan(snapshot).migrations.empty());
}

TEST_CASE("swing decides between plans that are equally good: it never costs a migration") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const Snapshot calm = test::random_snapshot(seed);
    const Snapshot restless = swinging(calm, seed);
    const Plan expected = plan::make_plan(calm);
    const Plan plan = plan::make_plan(restless);
    for (const std::string& violation : test::audit(restless, plan).violations)
      FAIL_CHECK(violation);
    CHECK(plan.overload_after <= expected.overload_after + 1e-6);
    if (plan.overload_after > expected.overload_after - 1e-6)
      CHECK(plan.migrations.size() <= expected.migrations.size());
  }
}
