// VMs move between simulated hosts over loopback.
#include <doctest/doctest.h>

#include "simulated_fixture.h"

namespace ballast::simulated {

TEST_CASE("a VM moves, with its load and its memory, and can move on") {
  Hosts hosts(false);
  CHECK(hosts.sample(0).vms.size() == 3);
  CHECK(hosts.sample(0).cpu_used_mhz == doctest::Approx(6000));
  hosts.migrate("v0", 0, 1);
  const auto ended = hosts.next<MigrationEnded>(0);
  CHECK_MESSAGE(ended.ok, ended.detail);
  CHECK(ended.vm == VmId("v0"));
  CHECK(ended.lease.number == 1);
  CHECK(hosts.presence(0, "v0") == Presence::absent);
  CHECK(hosts.presence(1, "v0") == Presence::running);
  const HostSample target = hosts.sample(1);
  REQUIRE(target.vms.size() == 1);
  CHECK(target.vms[0].load.cpu_mhz == doctest::Approx(2000));
  CHECK(target.memory_free_mib == 16384 - 1024);
  REQUIRE(eventually([&] { return hosts.sample(1).vms.at(0).movable; }));
  hosts.migrate("v0", 1, 2);
  CHECK(hosts.next<MigrationEnded>(1).ok);
  CHECK(hosts.presence(2, "v0") == Presence::running);
}

TEST_CASE("in flight the VM is outgoing here, incoming there, and takes memory at both ends") {
  Hosts hosts(false);
  hosts[0].interfere(Moment::source_copied, Interference::hold);
  hosts.migrate("v0", 0, 1);
  REQUIRE(eventually([&] { return hosts[0].is_held(Moment::source_copied); }));
  CHECK(hosts.presence(0, "v0") == Presence::outgoing);
  CHECK(hosts.presence(1, "v0") == Presence::incoming);
  CHECK(hosts[0].memory_used_mib() == 3072);
  CHECK(hosts[1].memory_used_mib() == 1024);
  hosts[0].release();
  CHECK(hosts.next<MigrationEnded>(0).ok);
  CHECK(hosts[0].memory_used_mib() == 2048);
  CHECK(hosts[1].memory_used_mib() == 1024);
}

TEST_CASE("several migrations at a time all arrive") {
  Hosts hosts(false);
  hosts.migrate("v0", 0, 1);
  hosts.migrate("v1", 0, 2);
  hosts.migrate("v2", 0, 1);
  for (int i = 0; i < 3; ++i) CHECK(hosts.next<MigrationEnded>(0).ok);
  CHECK(hosts.sample(0).vms.empty());
  CHECK(hosts.sample(1).vms.size() == 2);
  CHECK(hosts.sample(2).vms.size() == 1);
}

TEST_CASE("a migration that is aborted leaves the VM where it was") {
  Hosts hosts(false);
  Options slow = hosts.options(0);
  slow.migration_speed = 0.001;
  hosts.end(0);
  hosts.start(0, slow);
  hosts.migrate("v0", 0, 1);
  REQUIRE(hosts.becomes(1, "v0", Presence::incoming));
  hosts[0].submit(AbortMigration{VmId("v0")});
  CHECK(hosts.next<MigrationEnded>(0).detail == "aborted");
  CHECK(hosts.presence(0, "v0") == Presence::running);
  CHECK(hosts.becomes(1, "v0", Presence::absent));
}

TEST_CASE("a target without room refuses, and orders that make no sense fail at once") {
  Hosts hosts(false);
  Options small = hosts.options(1);
  small.capacity = Resources{1000, 512, 100};
  hosts.end(1);
  hosts.start(1, small);
  hosts.migrate("v0", 0, 1);
  CHECK(hosts.next<MigrationEnded>(0).detail.find("512.000000 MiB are free") != std::string::npos);
  hosts.migrate("v0", 0, 0);
  CHECK_FALSE(hosts.next<MigrationEnded>(0).ok);
  hosts.migrate("v9", 0, 2);
  CHECK_FALSE(hosts.next<MigrationEnded>(0).ok);
  for (const char* uri : {"", "sim://", "sim://10.0.0.1:80", "sim://127.0.0.1:0",
                          "sim://127.0.0.1:99999", "qemu:///system"}) {
    hosts[0].submit(StartMigration{{}, VmId("v0"), uri, 0});
    CHECK_FALSE(hosts.next<MigrationEnded>(0).ok);
  }
  CHECK(hosts.presence(0, "v0") == Presence::running);
}

TEST_CASE("a VM does not go to another host than the order is for") {
  Hosts hosts(false);
  hosts[0].submit(StartMigration{{}, VmId("v0"), hosts.uri(1), 0, "h2"});
  CHECK(hosts.next<MigrationEnded>(0).detail.find("is that of 'h1', the order is for 'h2'") !=
        std::string::npos);
  CHECK(hosts.presence(0, "v0") == Presence::running);
  // The target hears that the connection has ended, and gives its room back.
  CHECK(eventually([&] { return hosts.presence(1, "v0") == Presence::absent; }));
  hosts[0].submit(StartMigration{{}, VmId("v0"), hosts.uri(1), 0, "h1"});
  CHECK(hosts.next<MigrationEnded>(0).ok);
}

TEST_CASE("the descriptor is readable while events wait, and only then") {
  Hosts hosts(false);
  pollfd ready{hosts[0].event_descriptor(), POLLIN, 0};
  CHECK(::poll(&ready, 1, 0) == 0);
  hosts[0].submit(SampleHost{});
  CHECK(::poll(&ready, 1, 0) == 1);
  CHECK(hosts[0].take_events().size() == 1);
  CHECK(::poll(&ready, 1, 0) == 0);
}

TEST_CASE("events that nobody takes are bounded") {
  Hosts hosts(false);
  for (int i = 0; i < 5000; ++i) hosts[0].submit(QueryVm{VmId("v0")});
  CHECK(hosts[0].dropped_events() > 0);
  CHECK(hosts[0].take_events().size() + hosts[0].dropped_events() == 5000);
}

TEST_CASE("loads follow the trace at its speed, from its start") {
  Hosts hosts(false);
  Trace trace = *three_hosts();
  trace.vms[0].cpu_percent = {10, 20, 30, 40};
  Options options = hosts.options(0);
  options.trace = std::make_shared<const Trace>(trace);
  options.started_unix_s = 1;  // long ago: the last interval holds
  hosts.end(0);
  hosts.start(0, options);
  CHECK(hosts.sample(0).vms.at(0).load.cpu_mhz == doctest::Approx(1600));
}

TEST_CASE("options that make no sense are errors that say why") {
  Hosts hosts(false);
  const auto message = [&](const std::function<void(Options&)>& change) {
    Options options = hosts.options(0);
    change(options);
    const auto opened = SimulatedHypervisor::open(options);
    return opened.ok() ? std::string() : opened.error().message;
  };
  CHECK(message([](Options& o) { o.host = HostId("nobody"); }).find("'nobody'") !=
        std::string::npos);
  CHECK(message([](Options& o) { o.listen = "0.0.0.0:0"; }).find("127.") != std::string::npos);
  CHECK_FALSE(message([](Options& o) { o.listen = "127.0.0.1"; }).empty());
  CHECK_FALSE(message([](Options& o) { o.secret = ""; }).empty());
  CHECK_FALSE(message([](Options& o) { o.speed = 0; }).empty());
  CHECK_FALSE(message([](Options& o) { o.trace = nullptr; }).empty());
  CHECK_FALSE(message([](Options& o) {
                o.state_file = "/nowhere/at/all";
                o.listen = "x";
              }).empty());
}

}  // namespace ballast::simulated
