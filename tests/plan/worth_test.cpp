// What does not pay is not planned: Options::min_gain.
#include <doctest/doctest.h>

#include <algorithm>

#include "ballast/plan/planner.h"
#include "plan/audit.h"
#include "plan/random_snapshot.h"
#include "plan/worth.h"

using namespace ballast;

namespace {

constexpr double min_gain = plan::min_gain_default;

// Hosts of 1000 MHz and 1000 MiB: 800 and 900 may be used, and 5 of either is worth a migration.
Snapshot hosts(std::size_t count) {
  Snapshot snapshot;
  for (std::size_t h = 0; h < count; ++h) {
    Host host;
    host.id = HostId("h" + std::to_string(h));
    host.capacity = {1000, 1000, unlimited};
    snapshot.hosts.push_back(host);
  }
  return snapshot;
}

void put(Snapshot& snapshot, HostIndex host, double cpu, double memory, bool movable = true) {
  Vm vm;
  vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
  vm.host = host;
  vm.load = {cpu, memory, 0};
  vm.movable = movable;
  snapshot.vms.push_back(vm);
}

Plan judged_plan(const Snapshot& snapshot, double gain = min_gain) {
  plan::Options options;
  options.min_gain = gain;
  Plan plan = plan::make_plan(snapshot, options);
  for (const std::string& violation : test::audit(snapshot, plan).violations) FAIL_CHECK(violation);
  for (const std::string& fault : test::faults_of_worth(snapshot, plan, gain)) FAIL_CHECK(fault);
  return plan;
}

std::size_t with_reason(const Plan& plan, SurplusReason reason) {
  return static_cast<std::size_t>(
      std::count_if(plan.surplus.begin(), plan.surplus.end(),
                    [&](const Surplus& s) { return s.reason == reason; }));
}

}  // namespace

TEST_CASE("no migration could be left out for less than it must gain, and none that pays is") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    judged_plan(test::random_snapshot(seed));
    judged_plan(test::trifling_snapshot(seed));
  }
}

TEST_CASE("with nothing to gain at least, whatever lowers overload is done") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Snapshot snapshot = test::trifling_snapshot(seed);
    const Plan all = judged_plan(snapshot, 0);
    const Plan worth = judged_plan(snapshot);
    CHECK(all.migrations.size() >= worth.migrations.size());
    CHECK(all.overload_after <= worth.overload_after + 1e-9);
  }
}

TEST_CASE("a host over by its own load gives nothing for CPU, and is told") {
  Snapshot snapshot = hosts(2);
  snapshot.hosts[0].base.cpu_mhz = 850;
  for (int i = 0; i < 3; ++i) put(snapshot, 0, 50, 100);
  const Plan plan = judged_plan(snapshot);
  CHECK(plan.migrations.empty());
  CHECK(plan.lower_bound == 0);
  CHECK(plan.overload_after > 0.19);
  CHECK(with_reason(plan, SurplusReason::own_load) == 3);

  SUBCASE("for memory it does") {
    for (int i = 0; i < 3; ++i) put(snapshot, 0, 0, 250);
    const Plan more = judged_plan(snapshot);
    REQUIRE(more.migrations.size() == 1);
    CHECK(snapshot.vms[more.migrations[0].vm].load.memory_mib >= 150);
  }
  SUBCASE("in maintenance it is emptied all the same") {
    snapshot.hosts[0].maintenance = true;
    CHECK(judged_plan(snapshot).migrations.size() == 3);
  }
}

TEST_CASE("what takes half a point off a host that stays over goes, what takes less stays") {
  Snapshot snapshot = hosts(2);
  put(snapshot, 0, 900, 100, false);
  put(snapshot, 0, 5, 10);
  put(snapshot, 0, 4, 10);
  const Plan plan = judged_plan(snapshot);
  REQUIRE(plan.migrations.size() == 1);
  CHECK(plan.migrations[0].vm == 1);
  CHECK(with_reason(plan, SurplusReason::not_worth) == 1);
  CHECK(with_reason(plan, SurplusReason::immovable) == 1);
}

TEST_CASE("many small VMs go when together they bring the host under, and stay when they do not") {
  Snapshot snapshot = hosts(2);
  put(snapshot, 0, 790, 100, false);
  for (int i = 0; i < 8; ++i) put(snapshot, 0, 2, 10);
  CHECK(judged_plan(snapshot).migrations.size() == 3);  // from 806 to 800

  put(snapshot, 1, 797, 100);  // room for one of them, where three are needed
  const Plan plan = judged_plan(snapshot);
  CHECK(plan.migrations.empty());
  CHECK(with_reason(plan, SurplusReason::not_worth) == 3);
}
