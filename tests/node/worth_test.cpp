// What does not pay is not done: the same rule that a plan keeps, seen from what a group has moved.
#include <doctest/doctest.h>

#include <map>

#include "ballast/plan/planner.h"
#include "group_world.h"
#include "plan/worth.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;

// Hosts that are over by little or by a VM that fits nowhere, with many small VMs, and hosts that
// have some room or nearly none.
std::shared_ptr<const Trace> trifling(Random& random) {
  std::vector<std::vector<double>> hosts(3 + random.below(3));
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    const bool over = h == 1 || random.chance(0.3);
    const double full = over ? 0.8 + random.between(0.001, 0.05) : random.between(0.6, 0.8);
    double used = over && random.chance(0.4) ? random.between(0.7, 0.84) : 0;
    if (used > 0) hosts[h].push_back(used);
    while (used < full && hosts[h].size() < 24) {
      const double size =
          random.chance(0.5) ? random.between(0.001, 0.006) : random.between(0.01, 0.15);
      hosts[h].push_back(size);
      used += size;
    }
  }
  return test::trace_of(hosts);
}

TEST_CASE("a group moves nothing that could have stayed for less, and leaves nothing that pays") {
  std::uint64_t moved = 0, left = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    // What people are told their thresholds are, and no less: what is aimed at below them is not
    // what is judged here.
    test::GroupWorld world(seed, trifling(random), {},
                           [](Config& config) { config.plan.target = 1; });
    const Snapshot before = world.truth();
    world.run_for(1h);
    CHECK(world.findings() == std::vector<std::string>{});
    const Snapshot after = world.truth();
    REQUIRE(after.vms.size() == before.vms.size());
    std::map<VmId, HostIndex> now_at;
    for (const Vm& vm : after.vms) now_at[vm.id] = vm.host;
    Plan done;
    for (VmIndex v = 0; v < before.vms.size(); ++v) {
      const Vm& vm = before.vms[v];
      if (now_at.at(vm.id) != vm.host)
        done.migrations.push_back(
            {.vm = v, .from = vm.host, .to = now_at.at(vm.id), .step = 1, .swap = {}});
    }
    moved += done.migrations.size();
    left += overloaded_hosts(after);
    // One by one: the halves of an exchange may come from two plans, each of which it paid for.
    for (const std::string& fault :
         test::faults_of_worth(before, done, plan::min_gain_default, test::Judged::singly))
      FAIL_CHECK(fault);
  }
  MESSAGE(moved << " VMs moved, " << left << " hosts stay over");
  CHECK(moved > 0);
  CHECK(left > 0);
}

}  // namespace
}  // namespace ballast
