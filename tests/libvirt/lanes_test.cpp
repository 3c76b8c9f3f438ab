// The node's loop never waits for libvirt, whatever libvirt does. No test measures time: libvirt
// stands still at a gate that the test opens only after the loop's own calls have returned.
#include <doctest/doctest.h>

#include "fake_libvirt.h"

namespace ballast::libvirt {
namespace {

const LeaseId a_lease{HostId("master"), 1, 7};
const std::string target = "qemu+tls://h2/system";

TEST_CASE("commands and events return at once while every call to libvirt hangs") {
  FakeHost host;
  for (int n = 0; n < 100; ++n) host.add(running("vm" + std::to_string(n)));
  FakeLibvirt& libvirt = *host.libvirt;
  for (Gate* gate : {&libvirt.looks, &libvirt.questions, &libvirt.moves}) gate->shut();
  const auto hypervisor = host.open();
  for (int n = 0; n < 50; ++n) {
    hypervisor->submit(SampleHost{});
    hypervisor->submit(QueryVm{VmId("vm" + std::to_string(n))});
    hypervisor->submit(AbortMigration{VmId("vm1")});
    CHECK(hypervisor->take_events().empty());
  }
  hypervisor->submit(StartMigration{a_lease, VmId("vm1"), target, 0});
  CHECK(eventually([&] { return libvirt.looks.is_waited_at(); }));
  CHECK(eventually([&] { return libvirt.questions.is_waited_at(); }));
  CHECK(eventually([&] { return libvirt.moves.is_waited_at(); }));
  CHECK(hypervisor->take_events().empty());
  for (Gate* gate : {&libvirt.looks, &libvirt.questions, &libvirt.moves}) gate->open();
  CHECK(next<MigrationEnded>(*hypervisor)->ok);
}

TEST_CASE("a sample that hangs holds up no question and no migration") {
  FakeHost host;
  host.add(running("vm1"));
  host.libvirt->looks.shut();
  const auto hypervisor = host.open();
  hypervisor->submit(SampleHost{});
  CHECK(eventually([&] { return host.libvirt->looks.is_waited_at(); }));
  hypervisor->submit(QueryVm{VmId("vm1")});
  CHECK(next<VmQueried>(*hypervisor)->presence == Presence::running);
  hypervisor->submit(StartMigration{a_lease, VmId("vm1"), target, 0});
  CHECK(next<MigrationEnded>(*hypervisor)->ok);
  host.libvirt->looks.open();
  next<HostSampled>(*hypervisor);
}

TEST_CASE("a migration that lasts holds up neither another one nor questions, and can be aborted") {
  FakeHost host;
  host.add(running("vm1"));
  host.add(running("vm2"));
  host.libvirt->moves.shut();
  const auto hypervisor = host.open();
  for (const char* vm : {"vm1", "vm2"})
    hypervisor->submit(StartMigration{a_lease, VmId(vm), target, 0});
  CHECK(eventually([&] {
    const std::lock_guard lock(host.libvirt->mutex);
    return host.libvirt->migrations.size() == 2;
  }));
  hypervisor->submit(QueryVm{VmId("vm2")});
  CHECK(next<VmQueried>(*hypervisor)->presence == Presence::running);
  hypervisor->submit(AbortMigration{VmId("vm2")});
  CHECK(eventually([&] {
    const std::lock_guard lock(host.libvirt->mutex);
    return host.libvirt->aborts == std::vector{VmId("vm2")};
  }));
  host.libvirt->moves.open();
}

TEST_CASE("the node stops while libvirt hangs, and what hung cleans up when it comes back") {
  FakeHost host;
  host.add(running("vm1"));
  FakeLibvirt& libvirt = *host.libvirt;
  Gate* gate = nullptr;
  SUBCASE("in a look") { gate = &libvirt.looks; }
  SUBCASE("in a question") { gate = &libvirt.questions; }
  SUBCASE("in a migration") { gate = &libvirt.moves; }
  SUBCASE("while it connects") { gate = &libvirt.opens; }
  SUBCASE("while a connection is closed") { gate = &libvirt.closes; }
  auto hypervisor = host.open();
  if (gate == &libvirt.closes) {
    hypervisor->submit(SampleHost{});
    next<HostSampled>(*hypervisor);
  }
  gate->shut();
  if (gate != &libvirt.closes) {
    hypervisor->submit(SampleHost{});
    hypervisor->submit(QueryVm{VmId("vm1")});
    hypervisor->submit(StartMigration{a_lease, VmId("vm1"), target, 0});
    CHECK(eventually([&] { return gate->is_waited_at(); }));
  }
  hypervisor.reset();  // returns, though the gate is shut
  gate->open();
  CHECK(eventually([&] {
    const std::lock_guard lock(libvirt.mutex);
    return libvirt.open_now == 0;
  }));
}

// As libvirt: the first question about a domain that hangs waits for it, the next ones do not.
TEST_CASE("a domain that hangs is named, and costs no other its figures") {
  FakeHost host;
  for (const char* name : {"a", "b", "c"}) host.add(running(name));
  Options options = host.options();
  options.look_patience = std::chrono::seconds(2);  // waited for once
  const auto hypervisor = host.open(options);
  hypervisor->submit(SampleHost{});
  REQUIRE(next<HostSampled>(*hypervisor)->sample.vms.size() == 3);
  host.libvirt->hung.shut();
  host.libvirt->change([](FakeLibvirt& all) { all.hanging = "b"; });
  for (int looks = 0; looks < 3; ++looks) {
    hypervisor->submit(SampleHost{});
    const HostSample sample = next<HostSampled>(*hypervisor)->sample;
    REQUIRE(sample.vms.size() == 3);
    for (const VmSample& vm : sample.vms) {
      const bool hangs = vm.id == VmId("b");
      CHECK(vm.presence == (hangs ? Presence::unknown : Presence::running));
      CHECK(vm.movable != hangs);
      if (hangs) CHECK(vm.immovable_reason == "its QEMU does not answer");
    }
  }
  CHECK(host.libvirt->hung.is_waited_at());
  host.libvirt->change([](FakeLibvirt& all) { all.hanging.clear(); });
  host.libvirt->hung.open();
  // The question that hung comes back now, and the fake's clock with it: a look may fail by that.
  CHECK(eventually([&] {
    hypervisor->submit(SampleHost{});
    for (const HypervisorEvent& event : hypervisor->take_events()) {
      const auto* sampled = std::get_if<HostSampled>(&event);
      if (sampled == nullptr) continue;
      return std::all_of(sampled->sample.vms.begin(), sampled->sample.vms.end(),
                         [](const VmSample& vm) { return vm.presence == Presence::running; });
    }
    return false;
  }));
}

// Many domains, or a slow libvirt: all of it takes longer than a part of it may.
TEST_CASE("a look that takes long is not taken for one that hangs") {
  FakeHost host;
  for (int n = 0; n < 40; ++n) host.add(running("vm" + std::to_string(n)));
  Options options = host.options();
  options.look_patience = std::chrono::milliseconds(400);
  host.libvirt->describing = [] { ::poll(nullptr, 0, 20); };  // 800 ms in all
  const auto hypervisor = host.open(options);
  hypervisor->submit(SampleHost{});
  CHECK(next<HostSampled>(*hypervisor)->sample.vms.size() == 40);
}

TEST_CASE("a dirty rate that is waited for holds up no sample, and the others are measured") {
  FakeHost host;
  for (const char* name : {"a", "b", "c"}) host.add(running(name));
  const auto hypervisor = host.open();
  host.libvirt->rates.shut();
  // A measurement that finds no place is left out; the next look asks for the next VM.
  CHECK(eventually([&] {
    hypervisor->submit(SampleHost{});
    CHECK(next<HostSampled>(*hypervisor)->sample.vms.size() == 3);
    const std::lock_guard lock(host.libvirt->mutex);
    return std::set(host.libvirt->measured.begin(), host.libvirt->measured.end()).size() == 3;
  }));
  host.libvirt->rates.open();
}

TEST_CASE("a VM whose images a block job works on stays until it has ended") {
  FakeHost host;
  const std::string disk =
      "<disk type='network'><source protocol='rbd' name='a'/><target dev='vdb'/></disk>";
  host.add(running("a"), plain_description(disk));
  host.add(running("b"), plain_description(disk));
  const auto hypervisor = host.open();
  const auto reason_of_a = [&] {
    hypervisor->submit(SampleHost{});
    const HostSample sample = next<HostSampled>(*hypervisor)->sample;
    for (const VmSample& vm : sample.vms) {
      if (vm.id == VmId("a")) return vm.immovable_reason;
      CHECK(vm.movable);
    }
    return std::string("not there");
  };
  CHECK(reason_of_a().empty());
  const std::string uuid = [&] {
    const std::lock_guard lock(host.libvirt->mutex);
    return host.libvirt->domains.at("a").uuid;
  }();
  host.libvirt->change([&](FakeLibvirt& all) { all.block_jobs.insert({uuid, "vdb"}); });
  CHECK(eventually([&] { return reason_of_a() == "disk vdb: a block job is under way"; }));
  // A QEMU that hangs at that question holds up no sample; what is known of the job stays.
  host.libvirt->rates.shut();
  for (int looks = 0; looks < 3; ++looks)
    CHECK(reason_of_a() == "disk vdb: a block job is under way");
  host.libvirt->change([&](FakeLibvirt& all) { all.block_jobs.clear(); });
  host.libvirt->rates.open();
  CHECK(eventually([&] { return reason_of_a().empty(); }));
}

TEST_CASE("a libvirt that answers nothing is given up after a few questions, and is asked again") {
  FakeHost host;
  host.add(running("a"));
  Options options = host.options();
  options.look_patience = std::chrono::milliseconds(50);
  const auto hypervisor = host.open(options);
  host.libvirt->looks.shut();
  for (int looks = 0; looks < 5; ++looks) {
    hypervisor->submit(SampleHost{});
    CHECK(next<SampleFailed>(*hypervisor)->reason.find("does not answer") != std::string::npos);
  }
  {
    const std::lock_guard lock(host.libvirt->mutex);
    CHECK(host.libvirt->open_now <= 12);  // bounded, however long it lasts
  }
  host.libvirt->looks.open();
  CHECK(eventually([&] {
    hypervisor->submit(SampleHost{});
    for (const HypervisorEvent& event : hypervisor->take_events())
      if (std::holds_alternative<HostSampled>(event)) return true;
    return false;
  }));
}

TEST_CASE(
    "a transient VM stays one, what fails between two hosts is told apart, autostart is set") {
  FakeHost host;
  DomainLook transient = running("t");
  transient.persistent = false;
  host.add(transient);
  host.add(running("p"));
  const auto hypervisor = host.open();
  const std::string there = "qemu+tls://192.0.2.9/system";
  host.libvirt->change([&](FakeLibvirt& all) { all.hosts[there] = "far"; });
  for (const char* vm : {"t", "p"}) {
    hypervisor->submit(StartMigration{LeaseId{NodeId("m"), 1, 1}, VmId(vm), there, 0, "far"});
    CHECK(next<MigrationEnded>(*hypervisor)->ok);
  }
  REQUIRE(host.libvirt->migrations.size() == 2);
  CHECK_FALSE(host.libvirt->migrations[0].persistent);
  CHECK(host.libvirt->migrations[1].persistent);
  // Nobody listens there: that meets every VM.
  host.add(running("q"));
  hypervisor->submit(StartMigration{LeaseId{NodeId("m"), 1, 2}, VmId("q"),
                                    "qemu+tls://192.0.2.8/system", 0, "far"});
  CHECK(next<MigrationEnded>(*hypervisor)->fault == FaultOf::pair);
  host.libvirt->change([](FakeLibvirt& all) { all.migration_fails = "no bridge 'br1'"; });
  hypervisor->submit(StartMigration{LeaseId{NodeId("m"), 1, 3}, VmId("q"), there, 0, "far"});
  CHECK(next<MigrationEnded>(*hypervisor)->fault == FaultOf::vm);
  hypervisor->submit(SetAutostart{VmId("q"), true});
  CHECK(eventually([&] {
    const std::lock_guard lock(host.libvirt->mutex);
    return host.libvirt->domains["q"].autostart;
  }));
  hypervisor->submit(SampleHost{});
  CHECK(next<HostSampled>(*hypervisor)->sample.vms.front().autostart);
}

TEST_CASE("that something is not as it was here is told: a version, a network, a bridge, a key") {
  FakeHost host;
  const auto hypervisor = host.open();
  const auto environment = [&] {
    hypervisor->submit(SampleHost{});
    return next<HostSampled>(*hypervisor)->sample.environment;
  };
  const std::string first = environment();
  CHECK_FALSE(first.empty());
  CHECK(environment() == first);
  host.libvirt->change([](FakeLibvirt& all) { all.environment = "another version"; });
  const std::string second = environment();
  CHECK(second != first);
  host.write("/sys/class/net/br1/bridge/bridge_id", "8000.0");
  const std::string third = environment();
  CHECK(third != second);
  host.write("/sys/class/net/vnet7/address", "fe:54:00:00:00:01");  // comes and goes with guests
  CHECK(environment() == third);
  host.write("/etc/pki/libvirt/clientcert.pem", "a key");
  CHECK(environment() != third);
}

TEST_CASE("many samples asked for while one hangs are one more sample, not many") {
  FakeHost host;
  host.libvirt->looks.shut();
  const auto hypervisor = host.open();
  for (int n = 0; n < 1000; ++n) hypervisor->submit(SampleHost{});
  host.libvirt->looks.open();
  next<HostSampled>(*hypervisor);
}

TEST_CASE("a libvirtd that restarts is connected to again, and its events are heard again") {
  FakeHost host;
  host.add(running("vm1"));
  const auto hypervisor = host.open();
  hypervisor->submit(SampleHost{});
  next<HostSampled>(*hypervisor);
  const auto is_listening = [&] {
    const std::lock_guard lock(host.libvirt->mutex);
    return !host.libvirt->listeners.empty();
  };
  CHECK(eventually(is_listening));
  host.libvirt->cut_all();
  host.libvirt->change([](FakeLibvirt& all) { all.refuses_connections = true; });
  hypervisor->submit(SampleHost{});
  CHECK(next<SampleFailed>(*hypervisor)->reason == "nobody listens");
  hypervisor->submit(QueryVm{VmId("vm1")});
  CHECK(next<VmQueried>(*hypervisor)->presence == Presence::unknown);
  host.libvirt->change([](FakeLibvirt& all) { all.refuses_connections = false; });
  CHECK(eventually([&] {
    hypervisor->submit(SampleHost{});
    return is_listening();
  }));
  hypervisor->take_events();
  host.libvirt->tell("vm1");
  CHECK(next<VmQueried>(*hypervisor)->presence == Presence::running);
}

TEST_CASE("what libvirt tells by itself is looked up, and a name that is no id is left alone") {
  FakeHost host;
  host.add(running("vm1"));
  const auto hypervisor = host.open();
  hypervisor->submit(SampleHost{});
  next<HostSampled>(*hypervisor);
  CHECK(eventually([&] {
    const std::lock_guard lock(host.libvirt->mutex);
    return !host.libvirt->listeners.empty();
  }));
  host.libvirt->tell("");
  host.libvirt->tell("no\nid");
  host.libvirt->tell("gone");
  const auto heard = next<VmQueried>(*hypervisor);
  CHECK(heard->vm == VmId("gone"));
  CHECK(heard->presence == Presence::absent);
}

TEST_CASE("a migration is ordered as told, and its failure is told as libvirt told it") {
  FakeHost host;
  host.add(running("vm1"));
  Options options = host.options();
  options.carrier = Carrier::tcp;
  const auto hypervisor = host.open(options);
  CHECK(hypervisor->migration_uri() == "qemu+tcp://192.0.2.7/system");
  host.libvirt->change([](FakeLibvirt& all) { all.migration_fails = "the target said no"; });
  hypervisor->submit(StartMigration{a_lease, VmId("vm1"), "qemu+tcp://h2/system", 31.2});
  const auto ended = next<MigrationEnded>(*hypervisor);
  CHECK(ended->lease == a_lease);
  CHECK_FALSE(ended->ok);
  CHECK(ended->detail == "the target said no");
  const std::lock_guard lock(host.libvirt->mutex);
  REQUIRE(host.libvirt->migrations.size() == 1);
  CHECK(host.libvirt->migrations[0].connect_uri == "qemu+tcp://h2/system");
  CHECK(host.libvirt->migrations[0].data_uri == "tcp://h2");
  CHECK(host.libvirt->migrations[0].bandwidth_mib_s == 32);
  CHECK_FALSE(host.libvirt->migrations[0].encrypted);
}

TEST_CASE(
    "a migration goes to the host that it is ordered to, wherever the target's answer leads") {
  FakeHost host;
  host.add(running("vm1"));
  const auto hypervisor = host.open();
  const std::string uri = "qemu+tls://h2/system";
  const std::string uuid = "b1a4f3a0-0000-4000-8000-000000000002";
  const auto order = [&] {
    hypervisor->submit(StartMigration{a_lease, VmId("vm1"), uri, 0, uuid});
    return next<MigrationEnded>(*hypervisor);
  };
  auto ended = order();
  CHECK_FALSE(ended->ok);
  CHECK(ended->detail == "nobody listens at " + uri);
  host.libvirt->change([&](FakeLibvirt& all) { all.hosts[uri] = "of-another-host"; });
  ended = order();
  CHECK_FALSE(ended->ok);
  CHECK(ended->detail == "libvirt at '" + uri +
                             "' is that of host 'of-another-host', the order is for '" + uuid +
                             "'");
  {
    const std::lock_guard lock(host.libvirt->mutex);
    CHECK(host.libvirt->migrations.empty());
    host.libvirt->hosts[uri] = uuid;
  }
  CHECK(order()->ok);
}

TEST_CASE("a hostile address never reaches libvirt") {
  FakeHost host;
  host.add(running("vm1"));
  const auto hypervisor = host.open();
  hypervisor->submit(
      StartMigration{a_lease, VmId("vm1"), "qemu+ext://h2/system?command=/bin/sh", 0});
  const auto ended = next<MigrationEnded>(*hypervisor);
  CHECK_FALSE(ended->ok);
  CHECK(ended->detail.find("expected qemu+tls://HOST[:PORT]/system") != std::string::npos);
  const std::lock_guard lock(host.libvirt->mutex);
  CHECK(host.libvirt->migrations.empty());
  CHECK(host.libvirt->opened == 0);
}

TEST_CASE("a migration that is aborted before libvirt has it does not begin") {
  FakeHost host;
  host.add(running("vm1"));
  host.libvirt->opens.shut();
  const auto hypervisor = host.open();
  hypervisor->submit(StartMigration{a_lease, VmId("vm1"), target, 0});
  CHECK(eventually([&] { return host.libvirt->opens.is_waited_at(); }));
  hypervisor->submit(AbortMigration{VmId("vm1")});
  host.libvirt->opens.open();
  CHECK_FALSE(next<MigrationEnded>(*hypervisor)->ok);
  const std::lock_guard lock(host.libvirt->mutex);
  CHECK(host.libvirt->migrations.empty());
}

TEST_CASE("settings that cannot be are refused when the adapter is opened") {
  const auto libvirt = std::make_shared<FakeLibvirt>();
  Options options;
  options.address = "h1/system?x";
  CHECK_FALSE(LibvirtHypervisor::open(options, std::make_shared<FakeConnector>(libvirt)).ok());
  options.address = "h1";
  options.uri = "qemu+ssh://h2/system";
  CHECK_FALSE(LibvirtHypervisor::open(options, std::make_shared<FakeConnector>(libvirt)).ok());
}

}  // namespace
}  // namespace ballast::libvirt
