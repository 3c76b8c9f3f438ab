// A group as its operators see it: it balances, in the mode it is told, and leaves alone what it
// should.

#include <doctest/doctest.h>

#include "group_world.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using test::GroupWorld;
using test::trace_of;

// One host far over its threshold, three with room.
std::shared_ptr<const Trace> uneven() {
  return trace_of({{0.05, 0.05}, {0.35, 0.3, 0.2, 0.15, 0.1}, {0.1, 0.2}, {0.1, 0.1}});
}

TEST_CASE("a group relieves its overloaded host with the fewest migrations") {
  GroupWorld world(1, uneven(), {});
  CHECK(overloaded_hosts(world.truth()) == 1);
  world.run_for(30min);
  CHECK(world.findings() == std::vector<std::string>{});
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(world.migrations_started() == 1);
  CHECK(world.view(0).leases.empty());
  CHECK(world.view(0).in_flight.empty());
}

TEST_CASE("nothing moves in the first two intervals") {
  GroupWorld world(2, uneven(), {});
  world.run_for(2 * Config{}.plan.plan_interval - 1s);
  CHECK(world.migrations_started() == 0);
  CHECK(world.view(0).plan->state == "recommended");
}

TEST_CASE("mode recommend explains and moves nothing") {
  GroupWorld world(3, uneven(), {}, [](Config& config) { config.plan.mode = Mode::recommend; });
  world.run_for(1h);
  CHECK(world.migrations_started() == 0);
  const auto plan = world.view(0).plan;
  REQUIRE(plan);
  REQUIRE(plan->moves.size() == 1);
  CHECK(plan->moves[0].why == "'h1' is at 110.0 % of its cpu, the threshold is 80.0 %");
  CHECK(plan->overloaded_after == 0);
}

TEST_CASE("mode approve waits for the plan's id, and a wrong one is refused") {
  GroupWorld world(4, uneven(), {}, [](Config& config) { config.plan.mode = Mode::approve; });
  world.run_for(20min);
  CHECK(world.migrations_started() == 0);
  const auto plan = world.view(0).plan;
  REQUIRE(plan);
  CHECK(plan->state == "waits for approval");
  CHECK(!world.approve("0.0").ok());
  CHECK(world.approve(plan->id).ok());
  world.run_for(5min);
  CHECK(world.migrations_started() == 1);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a plan keeps the id that it was announced with while it waits for approval") {
  GroupWorld world(11, uneven(), {}, [](Config& config) { config.plan.mode = Mode::approve; });
  world.run_for(20min);
  const auto announced = world.view(0).plan;
  REQUIRE(announced);
  REQUIRE(announced->state == "waits for approval");
  const std::uint64_t made = world.view(0).counters.at("plans_made");
  world.run_for(20min);
  CHECK(world.view(0).counters.at("plans_made") > made);
  CHECK(world.view(0).plan->id == announced->id);
  CHECK(world.approve(announced->id).ok());
}

TEST_CASE("a plan that moves more than max_moves asks first") {
  const auto two_hot = trace_of({{}, {0.4, 0.4, 0.3}, {0.4, 0.4, 0.3}, {}, {}});
  GroupWorld world(5, two_hot, {}, [](Config& config) { config.plan.max_moves = 1; });
  world.run_for(20min);
  CHECK(world.migrations_started() == 0);
  CHECK(world.view(0).plan->state == "waits for approval");
}

TEST_CASE("a mode that is changed while a plan runs stops what has not begun, and lets it go on") {
  const auto hot = trace_of({{}, {0.3, 0.3, 0.3, 0.3}, {}, {}});
  GroupWorld world(6, hot, {}, [](Config& config) { config.migrate.outgoing = 1; });
  while (world.migrations_started() == 0 && world.now() < TimePoint(24h)) world.run_for(1s);
  REQUIRE(world.migrations_started() == 1);
  CHECK(world.view(0).plan->state == "running");
  world.reload(0, [](Config& config) { config.plan.mode = Mode::recommend; });
  world.run_for(1h);
  CHECK(world.migrations_started() == 1);
  CHECK(world.view(0).plan->state == "recommended");
  world.reload(0, [](Config& config) { config.plan.mode = Mode::approve; });
  world.run_for(1min);
  const std::string id = world.view(0).plan->id;
  CHECK(world.view(0).plan->state == "waits for approval");
  world.reload(0, [](Config& config) { config.plan.mode = Mode::recommend; });
  CHECK(!world.approve(id).ok());
  world.run_for(10min);
  CHECK(world.migrations_started() == 1);
  world.reload(0, [](Config& config) { config.plan.mode = Mode::act; });
  world.run_for(10min);
  CHECK(world.migrations_started() == 2);
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(world.findings() == std::vector<std::string>{});
}

TEST_CASE("thresholds that are changed while nodes run count from the next report") {
  GroupWorld world(7, trace_of({{}, {0.35, 0.35}, {}}), {});
  world.run_for(30min);
  CHECK(world.migrations_started() == 0);
  for (std::size_t host = 0; host < world.hosts(); ++host)
    world.reload(host, [](Config& config) { config.plan.thresholds.cpu = 0.5; });
  world.run_for(30min);
  CHECK(world.view(0).hosts[1].thresholds.cpu == 0.5);
  CHECK(world.migrations_started() == 1);
}

TEST_CASE("a host that is not heard of is neither source nor target") {
  GroupWorld world(6, uneven(), {});
  world.run_for(2min);
  world.cut(1);  // the overloaded one
  world.run_for(20min);
  CHECK(world.migrations_started() == 0);
  const auto hosts = world.view(0).hosts;
  CHECK(hosts[1].state.starts_with("lost: not heard of for "));
  world.heal(1);
  world.run_for(20min);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a hypervisor that stops answering leaves its host alone, with the reason") {
  GroupWorld world(7, uneven(), {});
  world.run_for(2min);
  world.hypervisor_daemon(1, false);
  world.run_for(1h);
  CHECK(world.migrations_started() == 0);
  world.hypervisor_daemon(1, true);
  world.run_for(20min);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a hypervisor that hangs is noticed: its host is left alone until it answers again") {
  GroupWorld world(12, uneven(), {});
  world.run_for(2min);
  world.faults.answer_loss = 1;
  world.run_for(1h);
  CHECK(world.migrations_started() == 0);
  for (const auto& host : world.view(0).hosts) {
    CAPTURE(host.id);
    CHECK(host.state == "stale: no samples from the hypervisor: it does not answer");
  }
  world.faults.answer_loss = 0;
  world.run_for(20min);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a VM that moved rests, and does not come back") {
  GroupWorld world(8, trace_of({{}, {0.45, 0.45}, {0.4}, {0.38}}), {});
  world.run_for(3h);
  CHECK(world.findings() == std::vector<std::string>{});
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(world.migrations_started() <= 1);
}

TEST_CASE("what no plan can place is surplus, with a reason") {
  GroupWorld world(9, trace_of({{0.75}, {0.5, 0.5}, {0.6}}), {});
  world.run_for(30min);
  CHECK(world.migrations_started() == 0);
  const auto plan = world.view(0).plan;
  REQUIRE(plan);
  REQUIRE(plan->surplus.size() == 1);
  CHECK(plan->surplus[0].host == HostId("h1"));
  CHECK(plan->surplus[0].reason == "no host of the group has the CPU for it");
}

node::Question why_vm(const VmId& vm) {
  node::Question question;
  question.subject = wire::Subject::why;
  question.vm = vm;
  return question;
}

// As uneven(), but what h1 uses without any VM is above its threshold.
TEST_CASE("a host over by its own load keeps its VMs, and says so") {
  GroupWorld world(11, trace_of({{0.05, 0.05}, {0.05, 0.05}, {0.1}}), {});
  world.tamper = [](const NodeId& from, wire::Envelope& envelope) {
    auto* report = std::get_if<wire::Report>(&envelope.message.body);
    if (from != NodeId("h1") || report == nullptr) return false;
    report->report.base.cpu_mhz = 8500;
    report->report.over_samples = 9;
    return true;
  };
  world.run_for(30min);
  CHECK(world.migrations_started() == 0);
  const node::View view = world.view(0);
  CHECK(std::any_of(view.hosts.begin(), view.hosts.end(), [](const node::HostView& host) {
    return host.id == HostId("h1") && host.state == "over by its own load";
  }));
  REQUIRE(view.plan);
  CHECK(view.plan->surplus.size() == 2);
  for (const node::SurplusView& one : view.plan->surplus) {
    CHECK(one.left);
    const wire::Reply reply = world.ask(0, why_vm(one.vm));
    CHECK(std::any_of(reply.facts.begin(), reply.facts.end(), [](const wire::Fact& fact) {
      return fact.text.find("leaves it: its host is over its CPU threshold by its own load") !=
             std::string::npos;
    }));
  }
}

// What stays on h1 is above target x threshold, so that no plan could reach that: it aims at the
// threshold, for which four of the small VMs have to go.
TEST_CASE("a host that cannot reach the target is brought under its threshold all the same") {
  GroupWorld world(12, trace_of({{0.05}, {0.78, 0.012, 0.012, 0.012, 0.012, 0.012}, {0.1}}), {});
  world.tamper = [](const NodeId& from, wire::Envelope& envelope) {
    auto* report = std::get_if<wire::Report>(&envelope.message.body);
    if (from != NodeId("h1") || report == nullptr) return false;
    for (wire::VmReport& vm : report->report.vms) {
      if (vm.vm.load.cpu_mhz < 5000) continue;
      vm.vm.movable = false;
      vm.vm.immovable_reason = "pinned";
    }
    return true;
  };
  world.run_for(30min);
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(world.migrations_started() == 4);  // all five would not reach it
}

TEST_CASE("a full master refuses one more slave") {
  GroupWorld world(10, uneven(), {}, [](Config& config) { config.limits.max_slaves = 2; });
  world.run_for(5min);
  CHECK(world.view(0).hosts.size() == 3);
}

}  // namespace
}  // namespace ballast
