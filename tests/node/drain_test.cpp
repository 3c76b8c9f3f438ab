// Emptying a host, as its operator sees it: it is said beforehand whether it can be done, it lasts,
// it ends when it is told to; and what is answered about VMs and room.

#include <doctest/doctest.h>

#include <algorithm>

#include "drain.h"
#include "group_world.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using test::GroupWorld;
using test::trace_of;
using wire::Answered;
using wire::Subject;

// Three hosts with room for what h1 has.
std::shared_ptr<const Trace> roomy() {
  return trace_of({{0.2}, {0.2, 0.2, 0.1}, {0.2, 0.1}, {0.1}});
}

node::Question about_host(Subject subject, const char* host) {
  node::Question question;
  question.subject = subject;
  question.host = HostId(host);
  return question;
}

std::size_t vms_on(const GroupWorld& world, std::size_t host) {
  const Snapshot truth = world.truth();
  return static_cast<std::size_t>(std::count_if(truth.vms.begin(), truth.vms.end(),
                                                [&](const Vm& vm) { return vm.host == host; }));
}

bool tells(const wire::Reply& reply, const std::string& kind, const std::string& part) {
  return std::any_of(reply.facts.begin(), reply.facts.end(), [&](const wire::Fact& fact) {
    return fact.kind == kind && fact.text.find(part) != std::string::npos;
  });
}

TEST_CASE("a host is drained within its group, and no other is overloaded by it") {
  GroupWorld world(1, roomy(), {});
  world.run_for(10min);
  const wire::Reply reply = world.ask(0, about_host(Subject::drain, "h1"));
  CHECK(reply.answered == Answered::yes);
  CHECK(reply.facts.size() == 3);
  CHECK(std::all_of(reply.facts.begin(), reply.facts.end(),
                    [](const wire::Fact& fact) { return fact.kind == "move"; }));
  CHECK(world.view(0).hosts[1].state == "draining: 3 VMs left");
  world.run_for(15min);
  CHECK(vms_on(world, 1) == 0);
  CHECK(world.view(0).hosts[1].state == "drained");
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(world.findings() == std::vector<std::string>{});
  CHECK(world.migrations_started() == 3);
}

TEST_CASE("a drain that cannot be done names what has no place, with figures, and moves nothing") {
  // 0.5 of a host fits nowhere; 0.1 does.
  GroupWorld world(2, trace_of({{0.5}, {0.5, 0.1}, {0.4}}), {});
  world.run_for(10min);
  const wire::Reply reply = world.ask(0, about_host(Subject::drain, "h1"));
  CHECK(reply.answered == Answered::no);
  CHECK(reply.text == "'h1' cannot be drained: 1 VM has no other place");
  const auto stays = std::find_if(reply.facts.begin(), reply.facts.end(),
                                  [](const wire::Fact& fact) { return fact.kind == "stays"; });
  REQUIRE(stays != reply.facts.end());
  CHECK(stays->vm == VmId("v1"));
  CHECK(stays->text.find("no host of the group has the CPU for it: it needs 5000 MHz") == 0);
  CHECK(stays->text.find("the most that is left is ") != std::string::npos);
  world.run_for(30min);
  CHECK(world.migrations_started() == 0);
  CHECK(world.view(0).hosts[1].state == "ok");
}

TEST_CASE("a VM that its hypervisor holds forbids the drain, with the reason") {
  GroupWorld world(3, roomy(), {});
  world.run_for(9min);
  world.suspend(VmId("v1"), true);
  world.run_for(3min);
  const wire::Reply reply = world.ask(0, about_host(Subject::drain, "h1"));
  CHECK(reply.answered == Answered::no);
  CHECK(tells(reply, "stays", "it cannot move: it is paused"));
}

TEST_CASE("a slave passes it on, and nobody knows a host that is not there") {
  GroupWorld world(4, roomy(), {});
  world.run_for(10min);
  CHECK(world.ask(2, about_host(Subject::drain, "h1")).answered == Answered::yes);
  CHECK(world.view(1).hosts[0].state == "draining: 3 VMs left");
  const wire::Reply unknown = world.ask(3, about_host(Subject::drain, "h9"));
  CHECK(unknown.answered == Answered::no);
  CHECK(unknown.text == "no master knows host 'h9'");
}

TEST_CASE("the master's own host is drained as any other") {
  GroupWorld world(5, roomy(), {});
  world.run_for(10min);
  CHECK(world.ask(1, about_host(Subject::drain, "h0")).answered == Answered::yes);
  world.run_for(15min);
  CHECK(vms_on(world, 0) == 0);
  CHECK(world.view(0).hosts[0].state == "drained");
}

TEST_CASE("a drain lasts over a restart of the host's node and of its master") {
  GroupWorld world(6, roomy(), {});
  world.run_for(10min);
  REQUIRE(world.ask(0, about_host(Subject::drain, "h1")).answered == Answered::yes);
  world.crash(1);
  world.crash(0);
  world.restart(0);
  world.restart(1);
  world.run_for(1min);
  CHECK(world.view(0).hosts[1].state.substr(0, 8) == "draining");
  world.run_for(25min);
  CHECK(vms_on(world, 1) == 0);
  CHECK(world.view(0).hosts[1].state == "drained");
}

TEST_CASE("undrain ends it: what has not begun to leave stays, and the host takes VMs again") {
  GroupWorld world(7, trace_of({{}, {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, {}}), {});
  world.run_for(10min);
  REQUIRE(world.ask(0, about_host(Subject::drain, "h1")).answered == Answered::yes);
  world.run_for(15s);
  CHECK(world.ask(2, about_host(Subject::undrain, "h1")).answered == Answered::yes);
  world.run_for(30min);
  CHECK(world.migrations_started() >= 1);
  CHECK(vms_on(world, 1) >= 3);
  CHECK(world.view(0).hosts[1].state == "ok");
  CHECK(world.findings() == std::vector<std::string>{});
}

TEST_CASE("a drain does not wait until VMs have rested") {
  GroupWorld world(8, trace_of({{}, {0.4, 0.3}, {0.4, 0.45}, {0.1}}), {},
                   [](Config& config) { config.plan.cooldown = 24h; });
  world.run_for(20min);  // h2 is relieved: one of its VMs has moved, and rests
  REQUIRE(world.migrations_started() >= 1);
  const auto hosts = world.view(0).hosts;
  for (const std::size_t host : {std::size_t{0}, std::size_t{3}}) {
    if (vms_on(world, host) == 0) continue;
    const std::string id = "h" + std::to_string(host);
    REQUIRE(world.ask(0, about_host(Subject::drain, id.c_str())).answered == Answered::yes);
    world.run_for(20min);
    CHECK(vms_on(world, host) == 0);
    break;
  }
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("in mode recommend a drain is planned, and it is said that nothing moves") {
  GroupWorld world(9, roomy(), {}, [](Config& config) { config.plan.mode = Mode::recommend; });
  world.run_for(10min);
  const wire::Reply reply = world.ask(0, about_host(Subject::drain, "h1"));
  CHECK(reply.answered == Answered::yes);
  CHECK(reply.text.find("mode is \"recommend\"") != std::string::npos);
  world.run_for(10min);
  CHECK(world.migrations_started() == 0);
  CHECK(world.view(0).plan->moves.size() == 3);
}

TEST_CASE("a large VM gets the hole at home that it needs, and a small one goes out for it") {
  Snapshot snapshot;
  for (const char* id : {"h1", "h2"}) {
    Host host;
    host.id = HostId(id);
    host.capacity = {10000, 65536, 10000};
    snapshot.hosts.push_back(host);
  }
  snapshot.hosts[0].maintenance = true;
  snapshot.hosts[1].base = {3000, 0, 0};  // 5000 are left under its threshold
  for (const double mhz : {1000.0, 1000.0, 5000.0}) {
    Vm vm;
    vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
    vm.load = {mhz, 1024, 0};
    snapshot.vms.push_back(vm);
  }
  const Plan alone = plan::make_plan(snapshot);
  CHECK(node::lacks_room(snapshot, alone));
  const std::vector<node::OtherRoom> others = {
      {NodeId("m2"), HostId("x"), {2500, 8192, unlimited}}};
  const node::DrainPlan plan = node::with_others(snapshot, alone, others, {});
  CHECK(plan.plan.surplus.empty());
  REQUIRE(plan.plan.migrations.size() == 1);
  CHECK(plan.plan.migrations[0].vm == 2);
  CHECK(plan.out.size() == 2);
}

TEST_CASE("VMs of hosts that are not drained stay at home, whatever room others have") {
  Snapshot snapshot;
  for (const char* id : {"h1", "h2"}) {
    Host host;
    host.id = HostId(id);
    host.capacity = {10000, 65536, 10000};
    snapshot.hosts.push_back(host);
  }
  snapshot.hosts[0].maintenance = true;
  for (const double mhz : {4000.0, 5000.0, 5000.0}) {
    Vm vm;
    vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
    vm.host = snapshot.vms.empty() ? 0 : 1;  // h2 is over
    vm.load = {mhz, 1024, 0};
    snapshot.vms.push_back(vm);
  }
  const std::vector<node::OtherRoom> others = {{NodeId("m2"), {}, {9000, 8192, unlimited}}};
  const Plan alone = plan::make_plan(snapshot);
  const node::DrainPlan plan = node::with_others(snapshot, alone, others, {});
  REQUIRE(plan.out.size() == 1);
  CHECK(plan.out[0].vm == 0);
  REQUIRE(plan.plan.surplus.size() == 1);
  // Its one other host takes nothing.
  CHECK(plan.plan.surplus[0].reason == SurplusReason::no_target);
}

node::Question about_vm(const char* vm) {
  node::Question question;
  question.subject = Subject::why;
  question.vm = VmId(vm);
  return question;
}

TEST_CASE("why tells the chain of a VM that moved, from any node of the group") {
  GroupWorld world(10, trace_of({{0.05}, {0.5, 0.4}, {0.1}}), {},
                   [](Config& config) { config.plan.cooldown = 30min; });
  world.run_for(20min);
  REQUIRE(world.migrations_started() == 1);
  wire::Reply moved;
  for (const char* vm : {"v1", "v2"}) {
    const wire::Reply reply = world.ask(2, about_vm(vm));
    CHECK(reply.answered == Answered::yes);
    if (tells(reply, "moved", "arrived on")) moved = reply;
  }
  CHECK(tells(moved, "measurement", "and uses "));
  CHECK(tells(moved, "rule", "it moved lately and rests for"));
  CHECK(tells(moved, "plan", "'h1' is at 90.0 % of its cpu, the threshold is 80.0 %"));
  CHECK(tells(moved, "ordered", "from 'h1' to "));
}

TEST_CASE("why names the rule and the number of what was not done") {
  GroupWorld world(11, trace_of({{0.75}, {0.5, 0.5}, {0.6}}), {});
  world.run_for(20min);
  const auto plan = world.view(0).plan;
  REQUIRE(plan);
  REQUIRE(plan->surplus.size() == 1);
  const wire::Reply reply = world.ask(0, about_vm(plan->surplus[0].vm.str().c_str()));
  CHECK(tells(reply, "plan", "finds no place for it: no host of the group has the CPU for it"));
  CHECK(tells(reply, "rule", "it needs 5000 MHz"));
  const wire::Reply calm = world.ask(0, about_vm("v0"));
  CHECK(tells(calm, "plan", "its host is under its thresholds"));
  const wire::Reply unknown = world.ask(0, about_vm("v99"));
  CHECK(unknown.answered == Answered::no);
  CHECK(unknown.text == "no master knows VM 'v99'");
}

TEST_CASE("events of the group are told to whoever asks, and of the own node when that is meant") {
  GroupWorld world(12, roomy(), {});
  world.run_for(10min);
  node::Question question;
  CHECK(tells(world.ask(1, question), "start", "'h2' joined the group"));
  question.here = true;
  const wire::Reply here = world.ask(1, question);
  CHECK(tells(here, "start", "attached to master 'h0'"));
  CHECK_FALSE(tells(here, "attached", "'h2' joined the group"));
}

TEST_CASE(
    "best-host names the host that is least used with the VM on it, or says what is missing") {
  GroupWorld world(13, roomy(), {});
  world.run_for(10min);
  node::Question question;
  question.subject = Subject::best_host;
  question.load = {1000, 2048, 0};
  const wire::Reply reply = world.ask(1, question);
  CHECK(reply.answered == Answered::yes);
  REQUIRE(!reply.facts.empty());
  CHECK(reply.facts[0].host == HostId("h3"));
  question.load = {9000, 2048, 0};
  const wire::Reply none = world.ask(1, question);
  CHECK(none.answered == Answered::no);
  CHECK(none.text.find("no host has room for 9000 MHz") == 0);
}

TEST_CASE("a host in drain is no place for a new VM") {
  GroupWorld world(14, roomy(), {});
  world.run_for(10min);
  REQUIRE(world.ask(0, about_host(Subject::drain, "h3")).answered == Answered::yes);
  node::Question question;
  question.subject = Subject::best_host;
  question.load = {100, 100, 0};
  for (const wire::Fact& fact : world.ask(0, question).facts) CHECK(fact.host != HostId("h3"));
}

TEST_CASE("whoever asks too much at a time is refused, and answered again later") {
  GroupWorld world(15, roomy(), {});
  world.run_for(10min);
  wire::Message message{{"ballast", NodeId("h1"), {1, 1}}, wire::Inquiry{}};
  auto& inquiry = std::get<wire::Inquiry>(message.body);
  inquiry.subject = Subject::room;
  for (std::uint64_t n = 1; n <= 1000; ++n) {
    inquiry.number = n;
    world.inject(0, NodeId("h1"), message);
  }
  // Answers that nobody asked for change nothing.
  message.body = wire::Reply{7, Answered::yes, "so be it", {}};
  world.inject(0, NodeId("h1"), message);
  CHECK(world.view(0).counters.at("replies_unasked") == 1);
  world.run_for(1min);
  CHECK(world.ask(1, node::Question{}).answered == Answered::yes);
}

}  // namespace
}  // namespace ballast
