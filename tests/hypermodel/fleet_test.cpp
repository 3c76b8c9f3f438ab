// One migration at a time: how long it takes, what each end says in each phase, and what a failure
// in each phase leaves behind.
#include "ballast/hypermodel/fleet.h"

#include <doctest/doctest.h>

#include "fleet_fixture.h"

namespace ballast::hypermodel {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

const HostSample& last_sample(const Rig& rig) {
  return std::get<HostSampled>(rig.events.back().event).sample;
}

// A rig whose VM v0 is on its way from h0 to h1 and fails as it enters the phase.
Rig failing(Phase phase, Failure failure) {
  Rig rig;
  rig.tell(MigrationFails{VmId("v0"), phase, failure});
  rig.migrate("v0", 0, 1);
  return rig;
}

}  // namespace

TEST_CASE("a migration takes its phases and memory / bandwidth, and ends where it should") {
  Rig rig;
  rig.migrate("v0", 0, 1);
  CHECK(rig.at(0, "v0") == Presence::outgoing);
  CHECK(rig.at(1, "v0") == Presence::absent);
  rig.wait(seconds(10));
  CHECK(rig.at(0, "v0") == Presence::outgoing);
  CHECK(rig.at(1, "v0") == Presence::incoming);
  rig.wait(milliseconds(16384 - 10000 + 230));
  CHECK(rig.ends().empty());
  rig.wait(milliseconds(10));
  CHECK(rig.ends() == Strings{"ok"});
  CHECK(rig.at(0, "v0") == Presence::absent);
  CHECK(rig.at(1, "v0") == Presence::running);
  CHECK(rig.fleet.next_deadline() == time_never);
  CHECK(rig.findings.empty());
}

TEST_CASE("memory of a VM in flight counts at both ends") {
  Rig rig;
  rig.migrate("v0", 0, 1);
  rig.wait(seconds(1));
  CHECK(rig.fleet.host(0).memory_used_mib() == 4096);
  CHECK(rig.fleet.host(1).memory_used_mib() == 1024);
  rig.wait(minutes(1));
  CHECK(rig.fleet.host(0).memory_used_mib() == 3072);
  CHECK(rig.fleet.host(1).memory_used_mib() == 1024);
}

TEST_CASE("migrations of one host share its bandwidth, and take over what others leave") {
  Rig rig;
  rig.migrate("v0", 0, 1);
  rig.migrate("v1", 0, 2);
  rig.wait(seconds(30));
  CHECK(rig.ends().empty());
  rig.wait(seconds(4));  // 2 x 16.384 s
  CHECK(rig.ends() == Strings{"ok", "ok"});
  rig.migrate("v2", 0, 1);
  rig.wait(milliseconds(8392));  // the copy is half done
  rig.migrate("v3", 0, 2);
  rig.wait(milliseconds(16384 + 1000));
  CHECK(rig.ends().size() == 3);
  rig.wait(milliseconds(8192 + 1000));
  CHECK(rig.ends().size() == 4);
}

TEST_CASE("a limit of the order is kept") {
  Rig rig;
  rig.migrate("v0", 0, 1, 10);
  rig.wait(seconds(102));
  CHECK(rig.ends().empty());
  rig.wait(seconds(2));
  CHECK(rig.ends() == Strings{"ok"});
}

TEST_CASE("a copy that does not converge ends on request") {
  Timing timing;
  timing.dirty_mib_s_per_ghz = 40;  // 80 MiB/s against 62.5
  Rig rig(small_trace(), timing);
  rig.migrate("v0", 0, 1);
  rig.wait(minutes(30));
  CHECK(rig.ends().empty());
  rig.tell(HostCommand{0, AbortMigration{VmId("v0")}});
  CHECK(rig.ends() == Strings{"aborted"});
  CHECK(rig.at(0, "v0") == Presence::running);
  CHECK(rig.at(1, "v0") == Presence::absent);
}

TEST_CASE("a copy that does not converge ends at the limit") {
  Timing timing;
  timing.dirty_mib_s_per_ghz = 40;
  Rig rig(small_trace(), timing);
  rig.migrate("v0", 0, 1);
  rig.wait(timing.perform_max + seconds(1));
  CHECK(rig.ends() == Strings{"the copy did not end in time"});
  CHECK(rig.at(0, "v0") == Presence::running);
  CHECK(rig.fleet.migrations_open() == 0);
}

TEST_CASE("a target without room refuses, unless it is told to be as careless as libvirt") {
  Trace trace = small_trace(2, 2);
  trace.hosts[1].capacity.memory_mib = 512;
  Rig strict(trace);
  strict.migrate("v0", 0, 1);
  strict.wait(minutes(1));
  REQUIRE(strict.ends().size() == 1);
  CHECK(strict.ends()[0].find("1024.000000 MiB, 512.000000 MiB are free") != std::string::npos);
  CHECK(strict.findings.empty());
  Timing careless;
  careless.refuses_overcommit = false;
  Rig loose(trace, careless);
  loose.migrate("v0", 0, 1);
  loose.wait(minutes(1));
  CHECK(loose.ends() == Strings{"ok"});
  CHECK_FALSE(loose.findings.empty());
}

TEST_CASE("an order that makes no sense fails at once and changes nothing") {
  Rig rig;
  rig.migrate("v9", 0, 1);
  rig.migrate("v0", 1, 2);
  rig.migrate("v0", 0, 0);
  rig.tell(HostCommand{0, StartMigration{{}, VmId("v0"), "model://nobody", 0}});
  rig.migrate("v0", 0, 1);
  rig.migrate("v0", 0, 2);  // is under way already
  CHECK(rig.ends().size() == 5);
  rig.wait(minutes(1));
  CHECK(rig.at(1, "v0") == Presence::running);
  CHECK(rig.findings.empty());
}

TEST_CASE("a failure before the hand-over leaves the VM at its source, and the target empty") {
  for (const Phase phase : {Phase::begin, Phase::prepare, Phase::perform})
    for (const Failure failure :
         {Failure::source_error, Failure::target_error, Failure::link_cut, Failure::source_daemon,
          Failure::target_daemon, Failure::target_host}) {
      CAPTURE(std::string(name_of(phase)));
      CAPTURE(std::string(name_of(failure)));
      Rig rig = failing(phase, failure);
      rig.wait(minutes(1));
      CHECK(rig.at(0, "v0") == Presence::running);
      CHECK(rig.at(1, "v0") == Presence::absent);
      REQUIRE(rig.ends().size() == 1);
      CHECK(rig.ends()[0] != "ok");
      CHECK(rig.fleet.migrations_open() == 0);
      CHECK(rig.findings.empty());
    }
}

TEST_CASE("a cut link is noticed by keepalive, and one that heals before that does no harm") {
  Rig cut;
  cut.migrate("v0", 0, 1);
  cut.wait(seconds(5));
  cut.tell(LinkFails{0, 1});
  cut.wait(seconds(8));
  CHECK(cut.ends().empty());
  cut.wait(seconds(1));
  CHECK(cut.ends() == Strings{"the connection to the target broke"});

  Rig healed;
  healed.migrate("v0", 0, 1);
  healed.wait(seconds(5));
  healed.tell(LinkFails{0, 1});
  healed.wait(seconds(8));
  healed.tell(LinkReturns{0, 1});
  healed.wait(seconds(20));
  CHECK(healed.ends() == Strings{"ok"});
}

TEST_CASE("a target that cannot start the VM gives it back") {
  Rig rig = failing(Phase::finish, Failure::target_error);
  rig.wait(minutes(1));
  CHECK(rig.at(0, "v0") == Presence::running);
  CHECK(rig.at(1, "v0") == Presence::absent);
  CHECK(rig.findings.empty());
}

TEST_CASE("cut off in finish, the source stands still in doubt until it can ask, then runs on") {
  for (const Failure failure : {Failure::link_cut, Failure::target_daemon, Failure::target_host}) {
    CAPTURE(std::string(name_of(failure)));
    Rig rig = failing(Phase::finish, failure);
    rig.wait(minutes(10));
    CHECK(rig.ends().size() == 1);
    CHECK(rig.at(0, "v0") == Presence::unknown);
    CHECK(rig.at(1, "v0") == Presence::absent);
    rig.tell(LinkReturns{0, 1});
    rig.tell(DaemonReturns{1});
    rig.tell(HostReturns{1});
    rig.wait(seconds(2));
    CHECK(rig.at(0, "v0") == Presence::running);
    CHECK(rig.ends().size() == 1);
    CHECK(rig.findings.empty());
  }
}

TEST_CASE(
    "cut off in confirm, the source stands still in doubt until it can ask, then is removed") {
  for (const Failure failure :
       {Failure::link_cut, Failure::target_daemon, Failure::source_daemon}) {
    CAPTURE(std::string(name_of(failure)));
    Rig rig = failing(Phase::confirm, failure);
    rig.wait(minutes(10));
    CHECK(rig.at(0, "v0") == Presence::unknown);
    CHECK(rig.at(1, "v0") == Presence::running);
    CHECK(rig.fleet.host(0).memory_used_mib() == 4096);
    rig.tell(LinkReturns{0, 1});
    rig.tell(DaemonReturns{0});
    rig.tell(DaemonReturns{1});
    rig.wait(seconds(2));
    CHECK(rig.at(0, "v0") == Presence::absent);
    CHECK(rig.at(1, "v0") == Presence::running);
    CHECK(rig.findings.empty());
  }
}

TEST_CASE("a source that cannot remove its copy keeps it paused, and removes it later") {
  Rig rig = failing(Phase::confirm, Failure::source_error);
  rig.wait(milliseconds(16384 + 600));
  CHECK(rig.at(0, "v0") == Presence::paused);
  CHECK(rig.at(1, "v0") == Presence::running);
  rig.wait(seconds(5));
  CHECK(rig.at(0, "v0") == Presence::absent);
  CHECK(rig.findings.empty());
}

TEST_CASE("a VM whose arrival is not confirmed does not move on, so that doubt can be settled") {
  Rig rig = failing(Phase::confirm, Failure::link_cut);
  rig.wait(minutes(1));
  rig.migrate("v0", 1, 2);
  REQUIRE(rig.ends().size() == 2);
  CHECK(rig.ends()[1].find("not confirmed") != std::string::npos);
  rig.tell(HostCommand{1, SampleHost{}});
  REQUIRE(last_sample(rig).vms.size() == 1);
  CHECK_FALSE(last_sample(rig).vms[0].movable);
  rig.tell(LinkReturns{0, 1});
  rig.wait(seconds(2));
  rig.migrate("v0", 1, 2);
  rig.wait(minutes(1));
  CHECK(rig.at(2, "v0") == Presence::running);
  CHECK(rig.findings.empty());
}

TEST_CASE("a source host that dies takes the VM with it, but for one that the target runs") {
  for (const Phase phase :
       {Phase::begin, Phase::prepare, Phase::perform, Phase::finish, Phase::confirm}) {
    CAPTURE(std::string(name_of(phase)));
    Rig rig = failing(phase, Failure::source_host);
    rig.wait(minutes(1));
    const bool arrived = phase == Phase::confirm;
    CHECK(rig.at(1, "v0") == (arrived ? Presence::running : Presence::absent));
    CHECK(rig.fleet.vms_died() == (arrived ? 3 : 4));
    CHECK(rig.fleet.migrations_open() == 0);
    CHECK(rig.ends().empty());
    CHECK(rig.findings.empty());
  }
}

TEST_CASE("a target host that dies with the VM it just started gives the source's copy back") {
  Rig rig = failing(Phase::confirm, Failure::target_host);
  rig.wait(minutes(1));
  CHECK(rig.at(0, "v0") == Presence::unknown);
  rig.tell(HostReturns{1});
  rig.wait(seconds(2));
  CHECK(rig.at(0, "v0") == Presence::running);
  CHECK(rig.fleet.vms_died() == 0);
  CHECK(rig.findings.empty());
}

TEST_CASE("a sample shows capacity, loads of that moment and what is free") {
  Rig rig;
  rig.tell(HostCommand{0, SampleHost{}});
  const HostSample first = last_sample(rig);
  CHECK(first.capacity.memory_mib == 16384);
  CHECK(first.memory_free_mib == 12288);
  CHECK(first.cpu_used_mhz == doctest::Approx(4 * 2000));
  REQUIRE(first.vms.size() == 4);
  CHECK(first.vms[0].load.cpu_mhz == doctest::Approx(2000));
  rig.wait(minutes(6));
  rig.tell(HostCommand{0, SampleHost{}});
  CHECK(last_sample(rig).vms[0].load.cpu_mhz == doctest::Approx(4000));
}

TEST_CASE("a dead daemon fails samples and answers no questions; a dead host is silent") {
  Rig rig;
  rig.tell(DaemonFails{0});
  rig.tell(HostCommand{0, SampleHost{}});
  rig.tell(HostCommand{0, QueryVm{VmId("v0")}});
  REQUIRE(rig.events.size() == 1);
  CHECK(std::holds_alternative<SampleFailed>(rig.events[0].event));
  rig.tell(HostFails{0});
  rig.tell(HostCommand{0, SampleHost{}});
  CHECK(rig.events.size() == 1);
  rig.tell(HostReturns{0});
  rig.tell(HostCommand{0, QueryVm{VmId("v0")}});
  REQUIRE(rig.events.size() == 2);
  CHECK(std::get<VmQueried>(rig.events[1].event).presence == Presence::absent);
}

TEST_CASE("a guest that shuts down in mid-move ends the migration, and nobody misses it") {
  Rig rig;
  rig.migrate("v0", 0, 1);
  rig.wait(seconds(10));
  rig.tell(GuestShutsDown{VmId("v0")});
  CHECK(rig.ends() == Strings{"the guest was shut down"});
  CHECK(rig.at(0, "v0") == Presence::absent);
  CHECK(rig.at(1, "v0") == Presence::absent);
  CHECK(rig.fleet.vms_shut_down() == 1);
  CHECK(rig.findings.empty());
}

TEST_CASE("a guest that is suspended in mid-move arrives suspended") {
  Rig rig;
  rig.migrate("v0", 0, 1);
  rig.wait(seconds(10));
  rig.tell(GuestSuspends{VmId("v0")});
  CHECK(rig.at(0, "v0") == Presence::outgoing);
  rig.wait(minutes(1));
  CHECK(rig.at(0, "v0") == Presence::absent);
  CHECK(rig.at(1, "v0") == Presence::paused);
  rig.tell(GuestSuspends{VmId("v0"), false});
  CHECK(rig.at(1, "v0") == Presence::running);
  CHECK(rig.findings.empty());
}

}  // namespace ballast::hypermodel
