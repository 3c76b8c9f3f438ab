// The conductor by itself: what it says to targets and holders, and what it keeps, news by news.

#include "conductor.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

namespace ballast::node {
namespace {

using namespace std::chrono_literals;
using wire::LeasePhase;
using wire::OutcomeKind;

const Resources small{100, 1024, 10};

struct Bench {
  void host(const std::string& name, const std::vector<std::string>& vms) {
    wire::Attach attach;
    attach.facts.capacity = {1e6, 1e7, 1e6};
    attach.sequence = 1;
    for (const std::string& id : vms) {
      wire::VmReport vm;
      vm.vm.id = VmId(id);
      vm.vm.load = small;
      vm.vm.movable = true;
      attach.report.vms.push_back(vm);
    }
    group.attach(now, NodeId(name), Epoch{1, 1}, attach, ledger);
  }

  static PlannedMove move(const char* vm, const char* from, const char* to, std::uint32_t step) {
    PlannedMove planned;
    planned.vm = VmId(vm);
    planned.from = HostId(from);
    planned.to = HostId(to);
    planned.step = step;
    planned.load = small;
    return planned;
  }

  // What was said since the last time.
  template <class Body>
  std::vector<Body> said() {
    std::vector<Body> bodies;
    for (const wire::Envelope& envelope : out.take_effects().sends) {
      if (const auto* body = std::get_if<Body>(&envelope.message.body)) bodies.push_back(*body);
    }
    return bodies;
  }

  void target_says(const char* host, const LeaseId& lease, LeasePhase phase) {
    conductor.heard(now, NodeId(host), wire::LeaseState{lease, phase, 1, {}});
  }
  void holder_says(const char* host, const LeaseId& lease, const char* vm, OutcomeKind kind) {
    conductor.heard(now, NodeId(host), wire::Outcome{lease, VmId(vm), kind, 1, "so"});
  }
  // The one move that was just told, up to where its hypervisor is at it.
  LeaseId begin(const char* vm, const char* from, const char* to) {
    const std::vector<wire::LeaseTell> told = said<wire::LeaseTell>();
    REQUIRE(told.size() == 1);
    REQUIRE(told[0].vm == VmId(vm));
    target_says(to, told[0].lease, LeasePhase::told);
    holder_says(from, told[0].lease, vm, OutcomeKind::accepted);
    target_says(to, told[0].lease, LeasePhase::begun);
    return told[0].lease;
  }

  TimePoint now{};
  Config config = with_one_stream();
  Outbox out{NodeId("m"), "ballast"};
  ledger::Ledger ledger{NodeId("m"), 1};
  Group group{config};
  Conductor conductor{config, group, ledger, out};

 private:
  static Config with_one_stream() {
    Config config;
    config.migrate.outgoing = 1;
    config.migrate.incoming = 1;
    return config;
  }
};

TEST_CASE("of two that claim one hypervisor the one whose id it is counts, else the first") {
  Bench bench;
  const auto joins = [&](const char* name, const char* hypervisor) {
    wire::Attach attach;
    attach.facts.capacity = {1e6, 1e7, 1e6};
    attach.facts.hypervisor = hypervisor;
    attach.sequence = 1;
    bench.group.attach(bench.now, NodeId(name), Epoch{1, 1}, attach, bench.ledger);
  };
  const auto usable = [&](const char* name) {
    const bool open = bench.ledger.room(HostId(name)).cpu_mhz > 0;
    const bool is = bench.group.why_unusable(bench.now, *bench.group.find(HostId(name))).empty();
    CHECK(open == is);
    return is;
  };
  joins("a", "uuid-1");
  joins("b", "uuid-1");
  CHECK(usable("a"));
  CHECK_FALSE(usable("b"));
  // One who says of himself what another is loses that once the other has come.
  joins("liar", "uuid-2");
  CHECK(usable("liar"));
  joins("uuid-2", "uuid-2");
  CHECK(usable("uuid-2"));
  CHECK_FALSE(usable("liar"));
  joins("c", "uuid-3");
  CHECK(usable("c"));
  // One that tells nothing is as before.
  joins("d", "");
  CHECK(usable("d"));
}

TEST_CASE("half of a swap that is under way keeps its lease when the other half is dropped") {
  Bench bench;
  bench.host("a", {"v1"});
  bench.host("b", {"v2"});
  std::vector<PlannedMove> swap = {Bench::move("v1", "a", "b", 1), Bench::move("v2", "b", "a", 2)};
  for (PlannedMove& half : swap) half.swap = 0;
  bench.conductor.start(bench.now, swap);
  const LeaseId first = bench.begin("v1", "a", "b");
  bench.holder_says("a", first, "v1", OutcomeKind::failed);
  // The holder is done, but the target still holds room: only it can say that this is over.
  CHECK(bench.ledger.find(VmId("v2")) == nullptr);
  CHECK(bench.ledger.find(first) != nullptr);
  bench.conductor.tick(bench.now);
  const std::vector<wire::LeaseRevoke> revoked = bench.said<wire::LeaseRevoke>();
  REQUIRE(revoked.size() == 1);
  CHECK(revoked[0].lease == first);
  CHECK(revoked[0].holder_is_done);
  bench.target_says("b", first, LeasePhase::absent);
  CHECK(bench.ledger.leases().empty());
}

TEST_CASE("nobody waits for a migration of which nobody can tell how it ended") {
  Bench bench;
  bench.host("a", {"v1", "v2"});
  bench.host("b", {});
  bench.conductor.start(bench.now,
                        {Bench::move("v1", "a", "b", 1), Bench::move("v2", "a", "b", 2)});
  const LeaseId first = bench.begin("v1", "a", "b");
  bench.conductor.tick(bench.now);
  CHECK(bench.said<wire::LeaseTell>().empty());  // of an earlier step, and the only stream
  bench.holder_says("a", first, "v1", OutcomeKind::unknown);
  bench.conductor.tick(bench.now);
  const LeaseId second = bench.begin("v2", "a", "b");
  CHECK(!bench.conductor.idle());
  bench.holder_says("a", second, "v2", OutcomeKind::arrived);
  CHECK(bench.conductor.idle());
  CHECK(bench.conductor.abandoned().empty());
  REQUIRE(bench.conductor.in_flight().size() == 1);
  CHECK(bench.conductor.in_flight()[0].state == "unknown: so");
}

TEST_CASE("more revocations than have a place are told later, from what the ledger says") {
  constexpr std::size_t too_many = 10;
  Bench bench;
  std::map<LeaseId, std::string> given;  // and to which host
  for (std::size_t n = 0; n < limits::revocations_max + too_many; ++n) {
    const std::string target = "t" + std::to_string(n / limits::leases_per_host_max);
    if (n % limits::leases_per_host_max == 0) bench.host(target, {});
    const VmId vm("v" + std::to_string(n));
    const auto lease = bench.ledger.promise({vm, HostId("s"), HostId(target), {}}, time_never);
    REQUIRE(lease.ok());
    given.emplace(lease->id, target);
    bench.conductor.take_back(bench.now, lease->id, false);
  }
  CHECK(bench.out.counters().at("revocations_dropped") == too_many);
  std::set<LeaseId> told;
  for (int rounds = 0; rounds < 3; ++rounds) {
    bench.conductor.tick(bench.now);
    const std::vector<wire::LeaseRevoke> said = bench.said<wire::LeaseRevoke>();
    CHECK(said.size() <= limits::revocations_max);
    for (const wire::LeaseRevoke& one : said) {
      told.insert(one.lease);
      bench.target_says(given.at(one.lease).c_str(), one.lease, LeasePhase::absent);
    }
    bench.now += 2s;
  }
  CHECK(told.size() == given.size());
  CHECK(bench.ledger.leases().empty());
  CHECK(bench.conductor.next_deadline() == time_never);
}

TEST_CASE("a migration that failed keeps its VM from that target, and from no other") {
  Bench bench;
  bench.host("a", {"v1", "v2"});
  bench.host("b", {});
  bench.host("c", {});
  bench.conductor.start(bench.now, {Bench::move("v1", "a", "b", 1)});
  const LeaseId lease = bench.begin("v1", "a", "b");
  wire::Outcome outcome{lease, VmId("v1"), OutcomeKind::failed, 1, "no bridge 'br1'"};
  bench.conductor.heard(bench.now, NodeId("a"), outcome);
  bench.conductor.heard(bench.now, NodeId("a"), outcome);  // a late double counts once
  const Failures& failures = bench.conductor.failures();
  CHECK(failures.rests(bench.now, VmId("v1"), HostId("a"), HostId("b")));
  CHECK(!failures.rests(bench.now, VmId("v1"), HostId("a"), HostId("c")));
  CHECK(!failures.rests(bench.now, VmId("v2"), HostId("a"), HostId("b")));
  REQUIRE(failures.views(bench.now).size() == 1);
  CHECK(failures.views(bench.now)[0].times == 1);
  CHECK(failures.views(bench.now)[0].reason == "no bridge 'br1'");
  // A plan of before, or one that somebody approved late, does not go there either.
  bench.target_says("b", lease, LeasePhase::absent);
  bench.conductor.start(bench.now, {Bench::move("v1", "a", "b", 1)});
  CHECK(bench.conductor.idle());
  CHECK(bench.conductor.abandoned().find("no bridge") != std::string::npos);
  bench.conductor.start(bench.now, {Bench::move("v1", "a", "c", 1)});
  (void)bench.begin("v1", "a", "c");
}

TEST_CASE("what meets any VM between two hosts keeps all of them from that way, and is told once") {
  Bench bench;
  bench.host("a", {"v1", "v2"});
  bench.host("b", {});
  for (const char* vm : {"v1", "v2"}) {
    bench.conductor.failures().changed(HostId("c"));  // of another host: nothing ends by it
    bench.conductor.start(bench.now, {Bench::move(vm, "a", "b", 1)});
    if (bench.conductor.idle()) continue;
    const LeaseId lease = bench.begin(vm, "a", "b");
    wire::Outcome outcome{lease, VmId(vm), OutcomeKind::failed, 1, "no certificate"};
    outcome.fault = FaultOf::pair;
    bench.conductor.heard(bench.now, NodeId("a"), outcome);
    bench.target_says("b", lease, LeasePhase::absent);
  }
  const Failures& failures = bench.conductor.failures();
  CHECK(failures.rests(bench.now, VmId("v2"), HostId("a"), HostId("b")));
  CHECK(!failures.rests(bench.now, VmId("v2"), HostId("b"), HostId("a")));
  std::size_t alarms = 0;
  for (const Event& event : bench.out.recent())
    if (event.kind == EventKind::alarm) ++alarms;
  CHECK(alarms == 1);
  CHECK(bench.conductor.failures().retry(bench.now, VmId("v2"), HostId("a")) == 1);
  CHECK(!failures.rests(bench.now, VmId("v2"), HostId("a"), HostId("b")));
}

TEST_CASE("a VM that arrived paused has arrived, and an alarm says why it does not run") {
  Bench bench;
  bench.host("a", {"v1"});
  bench.host("b", {});
  bench.conductor.start(bench.now, {Bench::move("v1", "a", "b", 1)});
  const LeaseId lease = bench.begin("v1", "a", "b");
  bench.conductor.heard(bench.now, NodeId("a"),
                        wire::Outcome{lease, VmId("v1"), OutcomeKind::arrived, 1, "paused: so"});
  CHECK(bench.conductor.idle());
  CHECK(bench.conductor.done() == 1);
  bool told = false;
  for (const Event& event : bench.out.recent())
    told = told ||
           (event.kind == EventKind::alarm && event.text.find("paused: so") != event.text.npos);
  CHECK(told);
}

TEST_CASE("a node that says more to itself than fits drops the rest, counted") {
  Outbox out(NodeId("m"), "ballast");
  for (std::size_t n = 0; n < limits::own_messages_max + 2; ++n)
    out.send(NodeId("m"), {}, wire::ReportAck{Epoch{1, 1}, n});
  CHECK(out.counters().at("own_messages_dropped") == 2);
  std::size_t taken = 0;
  for (; out.has_own(); ++taken) {
    const wire::Message message = out.take_own();
    CHECK(std::get<wire::ReportAck>(message.body).sequence == taken);
  }
  CHECK(taken == limits::own_messages_max);
}

}  // namespace
}  // namespace ballast::node
