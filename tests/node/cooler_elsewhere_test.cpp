// Which VMs of a plan ask other groups for a cooler host first.
#include "cooler_elsewhere.h"

#include <doctest/doctest.h>

#include "ballast/base/limits.h"
#include "ballast/model/heat.h"

namespace ballast {
namespace {

// Hosts of 1000 MHz and 1000 MiB: 800 and 900 may be used. A VM of 100 MHz is to go from the first
// to the second, which carries `busy` without it.
struct Case {
  Snapshot snapshot;
  Plan plan;
  std::vector<Resources> limits;

  explicit Case(double busy, double swing = 0) {
    for (const char* id : {"full", "next"}) {
      Host host;
      host.id = HostId(id);
      host.capacity = {1000, 1000, unlimited};
      snapshot.hosts.push_back(host);
      limits.push_back(limit_of(host.capacity, host.thresholds));
    }
    snapshot.hosts[0].base.cpu_mhz = 750;
    snapshot.hosts[1].base.cpu_mhz = busy;
    Vm vm;
    vm.id = VmId("v");
    vm.load = {100, 100, 0};
    vm.swing = {swing, 0, 0};
    snapshot.vms.push_back(vm);
    Migration migration;
    migration.vm = 0;
    migration.from = 0;
    migration.to = 1;
    migration.step = 1;
    plan.migrations.push_back(migration);
  }
  std::vector<node::Elsewhere> ask(const std::vector<Resources>& holes,
                                   const std::set<VmId>& at_home = {}) const {
    market::Seller seller;
    seller.master = NodeId("m");
    seller.holes = holes;
    return node::cooler_elsewhere(snapshot, plan, limits, {seller}, at_home);
  }
};

TEST_CASE("what would make a host hot asks for a cooler one where there is much more room") {
  const auto found = Case(600).ask({{300, 500, 1000}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].vm == 0);
  // 700 of 800 MHz at home, and 7 % less elsewhere.
  CHECK(found[0].heat_max == doctest::Approx(0.805));
  CHECK(Case(600, 40).ask({{300, 500, 1000}})[0].heat_max == doctest::Approx(0.83));
}

TEST_CASE("a swing that cannot be makes no want that could not be told") {
  Case lie(100, limits::cpu_mhz_max);
  for (Resources& limit : lie.limits) limit.cpu_mhz = 1;
  lie.snapshot.hosts[1].base.cpu_mhz = 0;
  const auto found = lie.ask({{800, 500, 1000}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].heat_max <= limits::heat_max);
}

TEST_CASE("what stays at ease at home does not, nor what would gain too little, nor without room") {
  CHECK(Case(450).ask({{800, 500, 1000}}).empty());  // 550 of 800 MHz
  CHECK(Case(600).ask({{250, 500, 1000}}).empty());  // 150 MHz left there, 100 at home
  CHECK(Case(600).ask({{800, 50, 1000}}).empty());   // no memory
  CHECK(Case(600).ask({}).empty());
  CHECK(Case(600).ask({{800, 500, 1000}}, {VmId("v")}).empty());  // it has asked in vain
}

TEST_CASE("one room is not asked for twice, and what is left at home gets cooler by who goes") {
  Case both(500);
  both.snapshot.vms.push_back(both.snapshot.vms[0]);
  both.snapshot.vms[1].id = VmId("w");
  both.plan.migrations.push_back(both.plan.migrations[0]);
  both.plan.migrations[1].vm = 1;
  // With both the host is at 700 of 800 MHz; without one it is at ease.
  CHECK(both.ask({{300, 500, 1000}, {300, 500, 1000}}).size() == 1);
  both.snapshot.hosts[1].base.cpu_mhz = 650;
  CHECK(both.ask({{300, 500, 1000}}).size() == 1);
  CHECK(both.ask({{300, 500, 1000}, {300, 500, 1000}}).size() == 2);
}

TEST_CASE("a plan that makes room, or exchanges, comes about as it is; so does a drain") {
  Case later(600);
  later.plan.migrations[0].step = 2;
  CHECK(later.ask({{800, 500, 1000}}).empty());
  Case swap(600);
  swap.plan.migrations[0].swap = 1;
  CHECK(swap.ask({{800, 500, 1000}}).empty());
  Case drain(600);
  drain.snapshot.hosts[0].maintenance = true;
  CHECK(drain.ask({{800, 500, 1000}}).empty());
}

}  // namespace
}  // namespace ballast
