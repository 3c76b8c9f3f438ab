// What every plan must be, and what the planner does in the situations that the design names.
#include "ballast/plan/planner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "plan/audit.h"
#include "plan/random_snapshot.h"

using namespace ballast;

namespace {

// Hosts of 100 MHz and 1000 MiB with the default thresholds: 80 MHz and 900 MiB may be used.
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

VmIndex put(Snapshot& snapshot, HostIndex host, double cpu, double memory) {
  Vm vm;
  vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
  vm.host = host;
  vm.load = {cpu, memory, 0};
  snapshot.vms.push_back(vm);
  return static_cast<VmIndex>(snapshot.vms.size() - 1);
}

Plan plan_and_audit(const Snapshot& snapshot, const plan::Options& options = {}) {
  REQUIRE(check(snapshot).ok());
  Plan plan = plan::make_plan(snapshot, options);
  const test::Audit found = test::audit(snapshot, plan, options.outgoing_max, options.incoming_max);
  for (const std::string& violation : found.violations) FAIL_CHECK(violation);
  return plan;
}

bool has_reason(const Plan& plan, VmIndex vm, SurplusReason reason) {
  return std::any_of(plan.surplus.begin(), plan.surplus.end(),
                     [&](const Surplus& s) { return s.vm == vm && s.reason == reason; });
}

}  // namespace

TEST_CASE("no plan breaks a rule at any instant, and planning its outcome again gives nothing") {
  for (std::uint64_t seed = 1; seed <= 160; ++seed) {
    CAPTURE(seed);
    const Snapshot snapshot = test::random_snapshot(seed);
    const Plan plan = plan_and_audit(snapshot);
    CHECK(plan.overload_after <= plan.overload_before + 1e-9);
    CHECK(plan.overloaded_after <= plan.overloaded_before);
    const Snapshot after = applied(snapshot, plan);
    CHECK(plan::make_plan(after).migrations.empty());
    CHECK(plan.overload_after == doctest::Approx(overload_of(after)));
    if (plan.overload_after < 1e-9) CHECK(plan.migrations.size() >= plan.lower_bound);
  }
}

TEST_CASE("the same snapshot gives the same plan") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const Snapshot snapshot = test::random_snapshot(seed);
    CHECK(plan::make_plan(snapshot).migrations == plan::make_plan(snapshot).migrations);
  }
}

TEST_CASE("other limits of streams are kept as well") {
  for (std::uint64_t seed = 500; seed <= 560; ++seed) {
    CAPTURE(seed);
    plan::Options options;
    options.outgoing_max = 1 + static_cast<unsigned>(seed % 3);
    options.incoming_max = 1 + static_cast<unsigned>(seed / 3 % 3);
    plan_and_audit(test::random_snapshot(seed), options);
  }
}

TEST_CASE("surplus names exactly the hosts that stay over, and would bring them under") {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    const Snapshot snapshot = test::random_snapshot(seed);
    const Plan plan = plan::make_plan(snapshot);
    const Snapshot after = applied(snapshot, plan);
    std::vector<Resources> load = loads_of(after);
    std::map<HostIndex, std::vector<Surplus>> named;
    for (const Surplus& s : plan.surplus) {
      CHECK(after.vms[s.vm].host == s.host);
      named[s.host].push_back(s);
    }
    for (HostIndex h = 0; h < after.hosts.size(); ++h) {
      const Host& host = after.hosts[h];
      const auto held = std::count_if(after.vms.begin(), after.vms.end(),
                                      [&](const Vm& vm) { return vm.host == h; });
      const bool over = is_overloaded(load[h], host.capacity, host.thresholds);
      CHECK(named.contains(h) == (host.maintenance ? held > 0 : over));
      if (host.maintenance) {
        CHECK(static_cast<std::ptrdiff_t>(named[h].size()) == held);
      } else if (over) {
        const Resources fixed = host.base;
        for (const Surplus& s : named[h]) load[h] -= after.vms[s.vm].load;
        CHECK((!is_overloaded(load[h], host.capacity, host.thresholds) ||
               is_overloaded(fixed, host.capacity, host.thresholds)));
      }
    }
  }
}

TEST_CASE("spare is the room up to the thresholds, on hosts that can take something in") {
  Snapshot snapshot = hosts(4);
  put(snapshot, 0, 30, 100);
  put(snapshot, 1, 80, 100);
  snapshot.hosts[2].maintenance = true;
  snapshot.hosts[3].usable = false;
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.spare.size() == 1);
  CHECK(plan.spare[0].host == 0);
  CHECK(plan.spare[0].room.cpu_mhz == doctest::Approx(50));
  CHECK(plan.spare[0].room.memory_mib == doctest::Approx(800));
  CHECK(plan.spare[0].room.network_mbit == unlimited);
}

TEST_CASE("one move is enough where one VM can go") {
  Snapshot snapshot = hosts(3);
  put(snapshot, 0, 50, 200);
  const VmIndex light = put(snapshot, 0, 35, 100);
  put(snapshot, 1, 50, 200);
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 1);
  CHECK(plan.migrations[0].vm == light);
  CHECK(plan.migrations[0].to == 2);
  CHECK(plan.lower_bound == 1);
  CHECK(plan.overload_after == 0);
}

TEST_CASE("of two targets the one that is less full afterwards is taken, against its own limit") {
  Snapshot snapshot = hosts(3);
  put(snapshot, 0, 70, 100);
  const VmIndex leaves = put(snapshot, 0, 20, 100);
  snapshot.hosts[1].thresholds.cpu = 0.5;
  put(snapshot, 1, 20, 100);  // 40 of 50 with what leaves
  put(snapshot, 2, 40, 100);  // 60 of 80
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 1);
  CHECK(plan.migrations[0].vm == leaves);
  CHECK(plan.migrations[0].to == 2);
}

TEST_CASE("a small host is not filled to spread what a large one takes with ease") {
  Snapshot snapshot = hosts(3);
  snapshot.hosts[2].capacity = {10, 100, unlimited};
  for (int i = 0; i < 2; ++i) put(snapshot, 0, 8, 40);
  put(snapshot, 0, 80, 800);
  snapshot.vms.back().movable = false;
  snapshot.hosts[2].base.memory_mib = 40;  // with one of them 80 of 90, and all of its CPU
  put(snapshot, 1, 30, 500);               // with both 580 of 900
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 2);
  for (const Migration& m : plan.migrations) CHECK(m.to == 1);
}

TEST_CASE("of VMs that would do, the one with the least to copy leaves") {
  Snapshot snapshot = hosts(2);
  put(snapshot, 0, 40, 300);
  const VmIndex least = put(snapshot, 0, 40, 200);
  const VmIndex busy = put(snapshot, 0, 15, 190);
  snapshot.vms[busy].dirty_rate_mib_s = 50;
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 1);
  CHECK(plan.migrations[0].vm == least);
}

TEST_CASE("a swap exchanges a heavy VM for a lighter one where no move fits") {
  Snapshot snapshot = hosts(2);
  const VmIndex heavy = put(snapshot, 0, 50, 100);
  put(snapshot, 0, 35, 200);
  const VmIndex light = put(snapshot, 1, 40, 100);
  put(snapshot, 1, 29, 200);
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 2);
  CHECK(plan.overload_after == 0);
  REQUIRE(plan.migrations[0].swap);
  CHECK(plan.migrations[0].swap == plan.migrations[1].swap);
  CHECK(plan.migrations[0].vm == light);
  CHECK(plan.migrations[1].vm == heavy);
  CHECK(plan.migrations[1].step == plan.migrations[0].step + 1);
}

TEST_CASE(
    "the heavy half of a swap goes first where the overloaded host has no memory for the light") {
  Snapshot snapshot = hosts(2);
  const VmIndex heavy = put(snapshot, 0, 50, 500);
  const VmIndex first = put(snapshot, 0, 35, 400);
  const VmIndex light = put(snapshot, 1, 40, 200);
  const VmIndex second = put(snapshot, 1, 29, 150);
  snapshot.vms[first].movable = false;
  snapshot.vms[second].movable = false;
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 2);
  CHECK(plan.migrations[0].vm == heavy);
  CHECK(plan.migrations[1].vm == light);
  CHECK(plan.overload_after == 0);
}

TEST_CASE("a chain makes room where the VM that must go fits nowhere") {
  Snapshot snapshot = hosts(3);
  put(snapshot, 0, 45, 100);
  put(snapshot, 0, 45, 100);
  put(snapshot, 1, 30, 100);
  put(snapshot, 1, 15, 100);
  put(snapshot, 2, 62, 100);
  const Plan plan = plan_and_audit(snapshot);
  CHECK(plan.overload_after == 0);
  CHECK(plan.migrations.size() == 2);
}

TEST_CASE("a host in maintenance is emptied, two at a time, and takes nothing in") {
  Snapshot snapshot = hosts(6);
  snapshot.hosts[0].maintenance = true;
  for (int i = 0; i < 5; ++i) put(snapshot, 0, 10, 100);
  const Plan plan = plan_and_audit(snapshot);
  CHECK(plan.migrations.size() == 5);
  CHECK(plan.lower_bound == 5);
  CHECK(plan.migrations.back().step == 3);
  CHECK(plan.overload_after == 0);
}

TEST_CASE("affine VMs leave together, one step after the other") {
  Snapshot snapshot = hosts(2);
  snapshot.hosts[0].maintenance = true;
  std::vector<VmIndex> vms;
  for (int i = 0; i < 3; ++i) vms.push_back(put(snapshot, 0, 10, 100));
  snapshot.rules.push_back({.type = RuleType::affinity, .vms = vms, .hosts = {}});
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 3);
  CHECK(plan.migrations[2].step == plan.migrations[0].step + 2);
}

TEST_CASE("affinity that was broken is mended where a VM must move anyway") {
  Snapshot snapshot = hosts(4);
  snapshot.hosts[0].maintenance = true;
  const VmIndex alone = put(snapshot, 0, 10, 100);
  const VmIndex other = put(snapshot, 2, 30, 100);
  snapshot.rules.push_back({.type = RuleType::affinity, .vms = {alone, other}, .hosts = {}});
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.migrations.size() == 1);
  CHECK(plan.migrations[0].to == 2);
}

TEST_CASE("what cannot be trusted is neither source nor target") {
  Snapshot snapshot = hosts(3);
  const VmIndex stale = put(snapshot, 0, 90, 100);
  snapshot.hosts[0].usable = false;
  put(snapshot, 1, 45, 120);
  const VmIndex wants = put(snapshot, 1, 44, 100);
  snapshot.hosts[2].usable = false;
  const Plan plan = plan_and_audit(snapshot);
  CHECK(plan.migrations.empty());
  CHECK(has_reason(plan, stale, SurplusReason::stale));
  CHECK(has_reason(plan, wants, SurplusReason::no_target));
}

TEST_CASE("a VM that stays is told with the first true obstacle") {
  Snapshot snapshot = hosts(2);
  const VmIndex large = put(snapshot, 0, 85, 100);
  const VmIndex full = put(snapshot, 1, 60, 850);
  SUBCASE("it may not move") {
    snapshot.vms[large].movable = false;
    CHECK(has_reason(plan_and_audit(snapshot), large, SurplusReason::immovable));
  }
  SUBCASE("CPU is short everywhere") {
    snapshot.vms[full].load.memory_mib = 100;
    CHECK(has_reason(plan_and_audit(snapshot), large, SurplusReason::no_cpu));
  }
  SUBCASE("memory is short everywhere") {
    snapshot.vms[full].load.cpu_mhz = 1;
    snapshot.vms[large].load = {81, 500, 0};
    snapshot.hosts[1].capacity.cpu_mhz = 200;
    snapshot.vms[full].movable = false;
    CHECK(has_reason(plan_and_audit(snapshot), large, SurplusReason::no_memory));
  }
  SUBCASE("a rule forbids the only host with room") {
    snapshot.vms[full].load = {1, 1, 0};
    snapshot.hosts[1].capacity.cpu_mhz = 200;
    snapshot.rules.push_back({.type = RuleType::anti_affinity, .vms = {large, full}, .hosts = {}});
    snapshot.vms[full].movable = false;
    CHECK(has_reason(plan_and_audit(snapshot), large, SurplusReason::rule));
  }
}

TEST_CASE("what failed lately is named as surplus only where the others are not enough") {
  Snapshot snapshot = hosts(1);
  const VmIndex heavy = put(snapshot, 0, 30, 100);
  for (int i = 0; i < 4; ++i) put(snapshot, 0, 20, 100);
  snapshot.hosts[0].thresholds.cpu = 0.85;
  CHECK(plan_and_audit(snapshot).surplus.size() == 1);
  snapshot.vms[heavy].failed_lately = true;
  const Plan plan = plan_and_audit(snapshot);
  REQUIRE(plan.surplus.size() == 2);
  for (const Surplus& one : plan.surplus) CHECK(one.vm != heavy);
  for (VmIndex v = 0; v < 4; ++v) snapshot.vms[v].movable = v == heavy;
  snapshot.vms[4].movable = false;
  CHECK(plan_and_audit(snapshot).surplus[0].vm == heavy);
}

TEST_CASE("nothing to plan is no plan") {
  CHECK(plan::make_plan({}).migrations.empty());
  CHECK(plan::make_plan(hosts(3)).migrations.empty());
  CHECK(plan::make_plan(hosts(3)).spare.size() == 3);
}
