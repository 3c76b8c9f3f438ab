// A group under faults, then healed: safety at every step, and balance in the end. Each seed draws
// which kinds of trouble it has beside crashes, cuts and failing migrations.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "ballast/plan/planner.h"
#include "common/length.h"
#include "group_world.h"
#include "liar.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using test::GroupWorld;

struct Trouble {
  bool slow = false;       // a copy takes longer than a plan_interval
  bool guests = false;     // shut down, suspended and resumed, best in mid-move
  bool deaf = false;       // answers of hypervisors get lost
  bool tight = false;      // only swaps help
  std::size_t absent = 0;  // a host whose node dies for long; 0: none
  std::size_t liar = 0;    // a slave that lies; 0: none
};

// Hosts with many VMs, some hosts over their threshold, enough room in all.
std::shared_ptr<const Trace> random_group(Random& random) {
  for (;;) {
    std::vector<std::vector<double>> loads(4 + random.below(4));
    double total = 0;
    for (std::vector<double>& host : loads) {
      const double aim = random.chance(0.3) ? random.between(0.9, 1.3) : random.between(0.1, 0.45);
      for (double sum = 0; sum < aim; total += host.back()) {
        host.push_back(random.between(0.02, 0.2));
        sum += host.back();
      }
    }
    if (total < 0.65 * static_cast<double>(loads.size())) return test::trace_of(loads);
  }
}

// The CPU shares of one host's VMs: some between `least` and `most`, together as told.
std::vector<double> shares(Random& random, double least, double most, double from, double to) {
  for (;;) {
    std::vector<double> vms;
    double sum = 0;
    for (; sum < from; sum += vms.back()) vms.push_back(random.between(least, most));
    if (sum <= to) return vms;
  }
}

// Two hosts with three heavy VMs, one too many, and two with lighter ones and no room for a heavy
// one: balanced by exchanging VMs.
std::shared_ptr<const Trace> tight_group(Random& random) {
  for (;;) {
    std::vector<std::vector<double>> loads;
    for (int n = 0; n < 2; ++n) {
      loads.push_back(shares(random, 0.1, 0.18, 0.53, 0.6));
      loads.push_back(shares(random, 0.28, 0.33, 0.84, 0.95));
    }
    auto trace = std::make_shared<Trace>(*test::trace_of(loads));
    for (TraceVm& vm : trace->vms) vm.size.memory_mib = random.between(4096, 14000);
    const GroupWorld world(1, trace, {});
    const Plan plan = plan::make_plan(world.truth());
    const bool swaps = std::any_of(plan.migrations.begin(), plan.migrations.end(),
                                   [](const Migration& move) { return move.swap.has_value(); });
    if (swaps && plan.overloaded_after == 0) return trace;
  }
}

// The same group on a restless day: every few minutes other VMs are busy, so that something is in
// flight most of the time. In the end the loads are again what they were at the start.
std::shared_ptr<const Trace> restless(const Trace& calm, Random& random, std::size_t intervals) {
  auto trace = std::make_shared<Trace>(calm);
  trace->interval = 3min;
  for (TraceVm& vm : trace->vms) {
    const double usual = static_cast<double>(vm.cpu_percent.front());
    for (std::size_t n = 0; n < intervals; ++n) {
      const double factor = random.chance(0.2) ? random.between(1.5, 4) : random.between(0.3, 1.2);
      vm.cpu_percent.push_back(static_cast<float>(std::min(45.0, usual * factor)));
    }
    vm.cpu_percent.push_back(static_cast<float>(usual));
  }
  return trace;
}

double largest_mib(const Trace& trace) {
  double largest = 0;
  for (const TraceVm& vm : trace.vms) largest = std::max(largest, vm.size.memory_mib);
  return largest;
}

// A VM; one that the master has in flight, where there is one.
VmId victim(const GroupWorld& world, Random& random) {
  if (world.is_up(0)) {
    const auto moves = world.view(0).in_flight;
    if (!moves.empty()) return moves[random.below(moves.size())].vm;
  }
  return world.trace().vms[random.below(world.trace().vms.size())].id;
}

void trouble_with_guests(GroupWorld& world, Random& random) {
  const VmId vm = victim(world, random);
  if (random.chance(0.4)) {
    if (world.fleet().vms_shut_down() < world.trace().vms.size() / 4) world.shut_down(vm);
  } else {
    world.suspend(vm, random.chance(0.6));
  }
}

// One fault, of any kind, somewhere.
void make_trouble(GroupWorld& world, Random& random, const Trouble& kinds) {
  const std::size_t host = random.below(world.hosts());
  const VmId vm = world.trace().vms[random.below(world.trace().vms.size())].id;
  switch (random.below(6)) {
    case 0: world.crash(host); break;
    case 1: world.cut(host); break;
    case 2: world.heal(host); break;
    case 3: world.hypervisor_daemon(host, random.chance(0.7)); break;
    default:
      world.fail_migration(vm, static_cast<hypermodel::Phase>(random.below(5)),
                           static_cast<hypermodel::Failure>(random.below(2)));
  }
  if (kinds.guests) trouble_with_guests(world, random);
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    if (!world.is_up(h) && random.chance(0.5) && (kinds.absent == 0 || h != kinds.absent))
      world.restart(h);
  }
}

// What must hold once everything has come to rest. A host whose node is away can be neither source
// nor target, and what is open with it stays open.
void check_settled(const GroupWorld& world, std::size_t absent) {
  const std::size_t away = absent == 0 ? 0 : 1;
  const HostId nobody = absent == 0 ? HostId{} : world.trace().hosts[absent].id;
  const node::View view = world.view(0);
  Snapshot truth = world.truth();
  CHECK(truth.vms.size() == world.trace().vms.size() - world.fleet().vms_shut_down());
  // A host that is away is shown as lost by a master that has known it, and no other is.
  const auto lost = std::count_if(view.hosts.begin(), view.hosts.end(), [](const auto& host) {
    return host.state.starts_with("lost: ");
  });
  CHECK(static_cast<std::size_t>(lost) <= away);
  CHECK(view.hosts.size() == world.hosts() - away + static_cast<std::size_t>(lost));
  for (const node::LeaseView& lease : view.leases) {
    if (lease.from != nobody && lease.to != nobody)
      FAIL_CHECK("lease of " << lease.vm.str() << " " << lease.from.str() << " -> "
                             << lease.to.str() << " " << lease.phase);
    for (Vm& vm : truth.vms) vm.movable &= vm.id != lease.vm;
  }
  for (const node::MoveView& move : view.in_flight) {
    if (move.from != nobody && move.to != nobody)
      FAIL_CHECK(move.vm.str() << " " << move.from.str() << " -> " << move.to.str() << " "
                               << move.state);
  }
  if (absent != 0) truth.hosts[absent].usable = false;
  const Plan best = plan::make_plan(truth);
  CHECK(best.overloaded_before == best.overloaded_after);  // nothing left that could be relieved
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    if (absent != 0 && h == absent) continue;
    CHECK(world.view(h).master == world.trace().hosts[0].id);
    for (const node::LeaseView& lease : world.view(h).leases)
      CHECK((lease.from == nobody || lease.to == nobody));
  }
}

Trouble trouble_of(Random& random) {
  Trouble kinds;
  kinds.slow = random.chance(0.3);
  kinds.guests = random.chance(0.4);
  kinds.deaf = random.chance(0.3);
  kinds.tight = random.chance(0.25);
  if (random.chance(0.3)) kinds.absent = 1 + random.below(3);
  if (random.chance(0.25)) kinds.liar = 1 + random.below(3);
  if (kinds.liar == kinds.absent || kinds.tight) kinds.absent = 0;
  return kinds;
}

void heal(GroupWorld& world, const Trouble& kinds) {
  world.faults = {};
  for (const TraceVm& vm : world.trace().vms) world.suspend(vm.id, false);
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    world.heal(h);
    world.hypervisor_daemon(h, true);
    if (!world.is_up(h) && (kinds.absent == 0 || h != kinds.absent)) world.restart(h);
  }
}

std::uint64_t run_chaos(std::uint64_t seed) {
  Random random(seed * 7919);
  const Trouble kinds = trouble_of(random);
  CAPTURE(seed);
  CAPTURE(kinds.slow);
  CAPTURE(kinds.guests);
  CAPTURE(kinds.deaf);
  CAPTURE(kinds.tight);
  CAPTURE(kinds.absent);
  CAPTURE(kinds.liar);
  hypermodel::Timing timing;
  timing.refuses_overcommit = false;  // so that an order that does not fit is found, not forgiven
  const std::shared_ptr<const Trace> calm =
      kinds.tight ? tight_group(random) : random_group(random);
  const auto trace = restless(*calm, random, kinds.slow ? 20 : 10);
  // The largest VM alone takes that long; two leave a host at a time.
  if (kinds.slow) timing.link_mib_s = largest_mib(*trace) / random.between(180, 400);
  GroupWorld world(seed, trace, timing, [&](Config& config) {
    config.plan.cooldown = 5min;
    config.plan.target = 1;
    config.migrate.timeout = kinds.slow ? 15min : 5min;
    if (kinds.absent != 0) config.sample.report_interval = 20s;
  });
  world.faults = {random.between(0, 0.3), random.between(0, 0.3), 1ms,
                  duration_of_seconds(random.between(0.01, 8)),
                  kinds.deaf ? random.between(0, 0.5) : 0};
  test::Liar liar(trace, seed);
  if (kinds.liar != 0)
    world.tamper = [&](const NodeId& from, wire::Envelope& envelope) {
      return from == trace->hosts[kinds.liar].id && liar.twist(envelope);
    };
  for (int n = 0; n < 60; ++n) {
    world.run_for(duration_of_seconds(random.between(1, kinds.slow ? 120 : 60)));
    make_trouble(world, random, kinds);
    if (n == 20 && kinds.absent != 0 && world.is_up(kinds.absent)) world.crash(kinds.absent);
  }
  heal(world, kinds);
  world.run_for(5min);
  world.demand_leases();
  world.run_for(kinds.slow ? 4h : 90min);
  if (kinds.liar == 0) check_settled(world, kinds.absent);
  if (kinds.liar != 0 || kinds.absent != 0) {
    // The absent node comes back, the liar is replaced by an honest one.
    world.tamper = {};
    for (const std::size_t h : {kinds.absent, kinds.liar}) {
      if (h == 0) continue;
      if (world.is_up(h)) world.crash(h);
      world.restart(h);
    }
    world.run_for(kinds.slow ? 4h : 90min);
    check_settled(world, 0);
  }
  for (const std::string& finding : world.findings()) {
    // Memory is checked against what a host says of its VMs.
    if (kinds.liar == 0 || finding.find("memory over capacity") == std::string::npos)
      FAIL_CHECK(finding);
  }
  return world.hash();
}

TEST_CASE("under every fault no VM is lost or runs twice, and after healing the group balances") {
  // BALLAST_SEED=N runs that seed alone.
  if (const char* one = std::getenv("BALLAST_SEED"); one != nullptr) {
    run_chaos(std::strtoull(one, nullptr, 10));
    return;
  }
  const std::uint64_t last = test::of_length(4, 30, 300);
  for (std::uint64_t seed = 1; seed <= last; ++seed) run_chaos(seed);
}

TEST_CASE("the same seed gives the same run") { CHECK(run_chaos(4711) == run_chaos(4711)); }

}  // namespace
}  // namespace ballast
