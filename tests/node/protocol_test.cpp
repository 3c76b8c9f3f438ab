// Messages that come twice, late, out of order, from the wrong one or from a life before: the group
// goes on, and nothing is done that should not be.

#include <doctest/doctest.h>

#include <algorithm>

#include "ballast/base/limits.h"
#include "group_world.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using test::GroupWorld;
using test::trace_of;

std::shared_ptr<const Trace> uneven() {
  return trace_of({{0.2, 0.2}, {0.35, 0.3, 0.2, 0.15, 0.1}, {0.1, 0.2}, {0.1, 0.1}});
}

wire::Message from_master(const GroupWorld& world, wire::Body body) {
  const HostId master = world.trace().hosts[0].id;
  return wire::Message{wire::Header{"ballast", master, world.view(0).epoch}, std::move(body)};
}

wire::Order order_for(const GroupWorld& world, const Epoch& epoch) {
  wire::Order order;
  order.lease = LeaseId{world.trace().hosts[0].id, 1, 999};
  order.holder_epoch = epoch;
  order.vm = VmId("v2");
  order.target = HostId("h2");
  order.target_endpoint = "tcp://h2:1";
  order.target_hypervisor = "h2";
  return order;
}

TEST_CASE("an order from an old epoch is refused") {
  GroupWorld world(1, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(2min);
  const Epoch now = world.view(1).epoch;
  const HostId master = world.trace().hosts[0].id;
  world.inject(1, master,
               from_master(world, order_for(world, {now.incarnation, now.attachment - 1})));
  world.inject(1, master, from_master(world, order_for(world, {now.incarnation - 1, 5})));
  CHECK(world.view(1).in_flight.empty());
  CHECK(world.view(1).counters.at("orders_refused") == 2);
}

TEST_CASE("an order from a node that is not this slave's master is refused") {
  GroupWorld world(2, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(2min);
  wire::Message message = from_master(world, order_for(world, world.view(1).epoch));
  message.header.sender = HostId("h3");
  world.inject(1, HostId("h3"), message);
  CHECK(world.view(1).in_flight.empty());
  CHECK(world.view(1).counters.at("orders_refused") == 1);
}

TEST_CASE("an order that the target knows nothing of moves nothing") {
  GroupWorld world(3, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(2min);
  world.inject(1, world.trace().hosts[0].id,
               from_master(world, order_for(world, world.view(1).epoch)));
  world.run_for(1min);
  CHECK(world.migrations_started() == 0);
  CHECK(world.view(2).counters.at("begins_refused") >= 1);
  CHECK(world.view(1).in_flight.empty());
}

TEST_CASE("every message doubled and out of order: each VM still moves once") {
  GroupWorld world(4, uneven(), {});
  world.faults = {0, 1.0, 1ms, 3s};
  world.run_for(40min);
  for (const std::string& finding : world.findings()) FAIL_CHECK(finding);
  CHECK(overloaded_hosts(world.truth()) == 0);
  CHECK(world.migrations_started() == 1);
  CHECK(world.view(0).leases.empty());
}

TEST_CASE("half of all messages lost: the group balances all the same") {
  GroupWorld world(5, uneven(), {});
  world.faults = {0.5, 0, 1ms, 5ms};
  world.run_for(90min);
  for (const std::string& finding : world.findings()) FAIL_CHECK(finding);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a slave that vanishes and returns takes part again") {
  GroupWorld world(6, uneven(), {});
  world.run_for(3min);
  world.crash(1);
  world.run_for(30min);
  CHECK(world.migrations_started() == 0);
  const std::uint64_t before = world.view(0).events.back().number;
  world.restart(1);
  world.run_for(20min);
  CHECK(world.view(0).events.back().number > before);
  CHECK(world.view(1).epoch.incarnation == 2);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

// Runs until the first migration is under way at its source.
void until_first_migration(GroupWorld& world) {
  for (int n = 0; n < 100000 && world.migrations_started() == 0; ++n) world.run_for(100ms);
  REQUIRE(world.migrations_started() == 1);
}

TEST_CASE("a master that restarts in mid-migration adopts the lease and does not order again") {
  GroupWorld world(7, uneven(), {});
  until_first_migration(world);
  world.crash(0);
  world.restart(0);
  world.run_for(2s);
  CHECK(world.view(0).leases.size() == 1);
  world.run_for(30min);
  for (const std::string& finding : world.findings()) FAIL_CHECK(finding);
  CHECK(world.view(0).leases.empty());
  CHECK(world.migrations_started() == 1);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a holder that restarts in mid-migration leaves it to its hypervisor, and it arrives") {
  GroupWorld world(8, uneven(), {});
  until_first_migration(world);
  world.crash(1);
  world.restart(1);
  world.run_for(30min);
  for (const std::string& finding : world.findings()) FAIL_CHECK(finding);
  CHECK(world.view(0).leases.empty());
  CHECK(world.view(0).in_flight.empty());
  CHECK(world.migrations_started() == 1);
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("a target that restarts in mid-migration still takes the VM in, once") {
  GroupWorld world(9, uneven(), {});
  until_first_migration(world);
  const HostId target = world.view(0).in_flight.at(0).to;
  for (std::size_t h = 1; h < world.hosts(); ++h) {
    if (world.trace().hosts[h].id != target) continue;
    world.crash(h);
    world.restart(h);
  }
  world.run_for(30min);
  for (const std::string& finding : world.findings()) FAIL_CHECK(finding);
  CHECK(world.view(0).leases.empty());
  CHECK(overloaded_hosts(world.truth()) == 0);
}

TEST_CASE("figures that cannot be true leave the host alone") {
  GroupWorld world(10, uneven(), {}, [](Config& config) {
    // As if the sensor of h1 saw nothing of its VMs but the host's CPU busy: see the next test for
    // the sensor; here the capacity is set to nothing.
    if (config.node.id == HostId("h1")) config.host.cpu_mhz = 0;
  });
  world.run_for(1h);
  CHECK(world.migrations_started() == 0);
  const auto hosts = world.view(0).hosts;
  const auto h1 = std::find_if(hosts.begin(), hosts.end(),
                               [](const auto& host) { return host.id == HostId("h1"); });
  REQUIRE(h1 != hosts.end());
  CHECK(h1->state == "stale: its capacity is zero or not a sensible number");
}

// Host h3 looks empty, and its CPU is busy: its sensor is broken, and so is its own judgement.
bool claim_idle_vms(const NodeId& from, wire::Envelope& envelope) {
  const auto twist = [](wire::HostReport& report) {
    for (wire::VmReport& vm : report.vms) vm.vm.load.cpu_mhz = 0;
    report.cpu_used_mhz = 9'000;
    report.distrust.clear();
  };
  if (from != HostId("h3")) return false;
  auto* report = std::get_if<wire::Report>(&envelope.message.body);
  auto* attach = std::get_if<wire::Attach>(&envelope.message.body);
  if (report != nullptr) twist(report->report);
  if (attach != nullptr) twist(attach->report);
  return report != nullptr || attach != nullptr;
}

TEST_CASE("figures that a slave trusts and should not are judged by its master, too") {
  GroupWorld world(13, uneven(), {});
  world.tamper = claim_idle_vms;
  world.run_for(30min);
  const auto hosts = world.view(0).hosts;
  REQUIRE(hosts.size() == 4);
  CHECK(hosts[3].state == "stale: all its VMs report no CPU use while the host's CPU is busy");
  for (const node::Event& event : world.view(0).events) {
    if (event.kind == node::EventKind::ordered) CHECK(event.host != HostId("h3"));
  }
  CHECK(overloaded_hosts(world.truth()) == 0);
}

bool alarmed_about_two_hosts(const GroupWorld& world) {
  const auto events = world.view(0).events;
  return std::any_of(events.begin(), events.end(), [](const node::Event& event) {
    return event.kind == node::EventKind::alarm &&
           event.text.find("reported as running by two hosts") != std::string::npos &&
           event.text.find("'v2' by 'h1' and 'h3'") != std::string::npos;
  });
}

// Host h3 says what runs there; v2 runs on h1 in truth.
void h3_reports(GroupWorld& world, std::uint64_t sequence, bool with_v2) {
  wire::Report report;
  report.sequence = sequence;
  report.report.base = {100, 100, 0};
  wire::VmReport vm;
  vm.vm.id = VmId("v2");
  vm.vm.load = {3500, 2048, 10};
  if (with_v2) report.report.vms.push_back(vm);
  world.inject(0, HostId("h3"),
               {wire::Header{"ballast", HostId("h3"), world.view(3).epoch}, report});
}

void until_next_plan(GroupWorld& world) {
  const std::uint64_t made = world.view(0).counters.at("plans_made");
  for (int n = 0; n < 10000 && world.view(0).counters.at("plans_made") == made; ++n)
    world.run_for(100ms);
}

bool plans_to_move(const GroupWorld& world, const VmId& vm) {
  const auto plan = world.view(0).plan;
  return plan && std::any_of(plan->moves.begin(), plan->moves.end(),
                             [&](const auto& move) { return move.vm == vm; });
}

TEST_CASE(
    "two hosts that claim to run one VM: an alarm, and nothing is done until both are heard") {
  GroupWorld world(11, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(3min);
  h3_reports(world, 1000, true);
  world.run_for(200s);
  CHECK(alarmed_about_two_hosts(world));
  CHECK(!plans_to_move(world, VmId("v2")));
}

TEST_CASE("two hosts that claim one VM for one plan alone: no alarm, but no plan with it either") {
  GroupWorld world(14, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(3min);
  REQUIRE(plans_to_move(world, VmId("v2")));
  until_next_plan(world);
  h3_reports(world, 1000, true);
  until_next_plan(world);
  CHECK(!plans_to_move(world, VmId("v2")));
  h3_reports(world, 1001, false);
  until_next_plan(world);
  until_next_plan(world);
  CHECK(!alarmed_about_two_hosts(world));
  CHECK(plans_to_move(world, VmId("v2")));
}

TEST_CASE("once both were asked, a VM is left with the host that had it first") {
  GroupWorld world(14, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(3min);
  REQUIRE(plans_to_move(world, VmId("v2")));
  until_next_plan(world);
  h3_reports(world, 1000, true);
  until_next_plan(world);
  CHECK(!plans_to_move(world, VmId("v2")));
  // It goes on to claim it: an alarm, but the VM is balanced as before.
  h3_reports(world, 1001, true);
  until_next_plan(world);
  until_next_plan(world);
  CHECK(alarmed_about_two_hosts(world));
  CHECK(plans_to_move(world, VmId("v2")));
}

TEST_CASE("who asks without end is heard no more, and takes no other's place") {
  GroupWorld world(15, uneven(), {}, [](Config& c) { c.plan.mode = Mode::recommend; });
  world.run_for(2min);
  std::map<NodeId, int> answered;
  world.on_send = [&](const NodeId& from, const wire::Envelope& envelope) {
    if (from == HostId("h1") && std::holds_alternative<wire::SettleAnswer>(envelope.message.body))
      ++answered[envelope.to];
  };
  const auto ask = [&](const char* who, std::uint64_t number) {
    const wire::Settle settle{{HostId("h0"), 1, number}, VmId("v2")};
    world.inject(1, HostId(who), {wire::Header{"ballast", HostId(who), {1, 1}}, settle});
  };
  constexpr std::uint64_t without_end = 200;
  for (std::uint64_t number = 1; number <= without_end; ++number) ask("h3", number);
  ask("h2", 1);
  world.run_for(1s);
  CHECK(answered[HostId("h2")] == 1);
  CHECK(answered[HostId("h3")] == limits::questions_of_node_max);
  CHECK(world.view(1).counters.at("questions_dropped") ==
        without_end - limits::questions_of_node_max);
}

class NoSigner final : public wire::Signer {
 public:
  wire::Signature sign(std::string_view) const override { return {}; }
  bool verify(const NodeId&, std::string_view, const wire::Signature&) const override {
    return true;
  }
};

TEST_CASE("a slave that attaches over and over takes one place") {
  const NoSigner signer;
  const TimePoint now = TimePoint(1h);
  Config config;
  config.node.id = HostId("m");
  config.node.role = Role::master;
  config.limits.max_slaves = 2;
  node::StoredState stored;
  stored.incarnation = 1;
  node::Node node(now, config, "tcp://10.0.0.1:7720", "model://m", stored, 1,
                  {"tcp://10.0.0.1:7721", &signer});
  node.step(now, node::Tick{});
  const auto attaches = [&](const char* who) {
    wire::Attach attach;
    attach.facts.capacity = {10'000, 65'536, 10'000};
    attach.facts.endpoint = "tcp://10.0.0.2:7720";
    attach.sequence = 1;
    const NodeId from(who);
    const node::Effects effects =
        node.step(now, wire::TransportEvent(
                           wire::Delivered{from, {wire::Header{"ballast", from, {1, 1}}, attach}}));
    return std::any_of(effects.sends.begin(), effects.sends.end(), [&](const auto& envelope) {
      const auto* answer = std::get_if<wire::AttachAnswer>(&envelope.message.body);
      return envelope.to == from && answer != nullptr && answer->accepted;
    });
  };
  for (int n = 0; n < 5; ++n) CHECK(attaches("s1"));
  CHECK(attaches("s2"));
  CHECK_FALSE(attaches("s3"));
}

TEST_CASE("a transcript of one move reads as the design tells it") {
  GroupWorld world(12, uneven(), {});
  world.faults.delay_max = world.faults.delay_min;  // so that the order is one of cause alone
  std::vector<std::string> spoken;
  world.on_send = [&](const NodeId& from, const wire::Envelope& envelope) {
    const std::string what = wire::name_of(envelope.message.body);
    const bool routine = what == "Report" || what == "ReportAck" || what == "ReportAsk" ||
                         what == "Attach" || what == "AttachAnswer";
    if (!routine) spoken.push_back(from.str() + " -> " + envelope.to.str() + " " + what);
  };
  world.run_for(30min);
  std::string all;
  for (const std::string& line : spoken) all += line + "\n";
  CAPTURE(all);
  CHECK(spoken == std::vector<std::string>{
                      "h0 -> h3 LeaseTell",
                      "h3 -> h0 LeaseState",  // told
                      "h0 -> h1 Order",
                      "h1 -> h0 Outcome",  // accepted
                      "h1 -> h3 Begin",
                      "h0 -> h1 OutcomeAck",
                      "h3 -> h0 LeaseState",  // begun
                      "h3 -> h1 BeginAnswer",
                      "h1 -> h3 Settle",
                      "h3 -> h1 SettleAnswer",
                      "h3 -> h0 LeaseState",  // arrived
                      "h1 -> h0 Outcome",     // arrived
                      "h0 -> h3 LeaseStateAck",
                      "h0 -> h1 OutcomeAck",
                  });
}

}  // namespace
}  // namespace ballast
