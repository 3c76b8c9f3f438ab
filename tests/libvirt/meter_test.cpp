// From counters to loads: rates, what counts as what, and which figures are not believed.
#include "meter.h"

#include <doctest/doctest.h>

#include <limits>

#include "ballast/base/limits.h"
#include "ballast/model/plausible.h"
#include "fake_libvirt.h"

namespace ballast::libvirt {
namespace {

const HostShape shape{4, 2000, 16384, 10000};

// A host that was `busy` of the last `span_s` seconds of its four CPUs.
struct Scene {
  Meter meter{std::nullopt, std::nullopt};
  Look look;
  std::map<std::string, Description> described;

  Scene() {
    look.at_s = 100;
    look.host.cpu_all = 1000;
    look.host.memory_total_mib = 16384;
    look.host.memory_available_mib = 12288;
    look.host.received_mbit = 0;
    look.host.sent_mbit = 0;
  }
  void add(const DomainLook& domain) {
    look.domains.push_back(domain);
    described[domain.uuid].memory_mib = 1024;
  }
  void pass(double span_s, double busy_share) {
    look.at_s += span_s;
    look.host.cpu_all += 400 * span_s;
    look.host.cpu_busy += 400 * span_s * busy_share;
  }
  Result<HostSample> measure() { return meter.measure(look, shape, described); }
  HostSample good() {
    Result<HostSample> sample = measure();
    REQUIRE_MESSAGE(sample.ok(), (sample.ok() ? "" : sample.error().message));
    return std::move(*sample);
  }
};

TEST_CASE("CPU of a VM and of the base come from what passed between two looks") {
  Scene scene;
  scene.add(running("vm1", 50));
  CHECK(scene.meter.needs_another(scene.look));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.5);
  *scene.look.domains[0].cpu_s += 5;  // half a CPU
  CHECK_FALSE(scene.meter.needs_another(scene.look));
  const HostSample sample = scene.good();
  CHECK(sample.capacity.cpu_mhz == 8000);
  CHECK(sample.cpu_used_mhz == doctest::Approx(4000));
  REQUIRE(sample.vms.size() == 1);
  CHECK(sample.vms[0].id == VmId("vm1"));
  CHECK(sample.vms[0].movable);
  CHECK(sample.vms[0].load.cpu_mhz == doctest::Approx(1000));
  CHECK(sample.base.cpu_mhz == doctest::Approx(3000));
  CHECK(distrust_of(sample, Thresholds{}).empty());
}

TEST_CASE("a VM that has come from elsewhere is neither negative nor a spike") {
  Scene scene;
  scene.add(running("vm1", 5000));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.1);
  *scene.look.domains[0].cpu_s += 1;
  (void)scene.good();
  SUBCASE("under another id") { scene.look.domains[0].id = 9; }
  SUBCASE("under the same id") {}
  scene.look.domains[0].cpu_s = 0.25;
  scene.pass(10, 0.1);
  CHECK(scene.meter.needs_another(scene.look));
  const HostSample sample = scene.good();
  CHECK(sample.vms[0].load.cpu_mhz == 0);
  CHECK_FALSE(sample.vms[0].movable);
  CHECK(sample.vms[0].immovable_reason.find("just come") != std::string::npos);
  scene.pass(10, 0.1);
  *scene.look.domains[0].cpu_s += 10;
  const HostSample after = scene.good();
  CHECK(after.vms[0].load.cpu_mhz == doctest::Approx(2000));
  CHECK(after.vms[0].movable);
}

TEST_CASE("a counter that starts again under another id is not taken for growth") {
  Scene scene;
  scene.add(running("vm1", 1));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.1);
  scene.look.domains[0].id = 2;
  scene.look.domains[0].cpu_s = 9000;
  CHECK(scene.meter.needs_another(scene.look));
  CHECK(scene.good().vms[0].load.cpu_mhz == 0);
}

TEST_CASE("what vCPUs wait for a CPU is load, but no more than they could use") {
  Scene scene;
  scene.add(running("vm1"));  // two vCPUs
  scene.meter.keep(scene.look);
  scene.pass(10, 1);
  *scene.look.domains[0].cpu_s += 5;
  double expected = 0;
  SUBCASE("a little") {
    *scene.look.domains[0].vcpu_delay_s += 5;
    expected = 2000;
  }
  SUBCASE("endlessly") {
    *scene.look.domains[0].vcpu_delay_s += 500;
    expected = 4000;
  }
  SUBCASE("because of its own quota") {
    *scene.look.domains[0].vcpu_delay_s += 500;
    scene.described["uuid-of-vm1"].cpu_share_max = 0.25;
    expected = 1000;
  }
  SUBCASE("nobody knows") { scene.look.domains[0].vcpu_delay_s.reset(), expected = 1000; }
  const HostSample sample = scene.good();
  CHECK(sample.vms[0].load.cpu_mhz == doctest::Approx(expected));
  // What it waits for is not what it used: the rest of the host's work is the base's.
  CHECK(sample.base.cpu_mhz == doctest::Approx(8000 - 1000));
}

TEST_CASE(
    "memory: guests hold what they may use; overhead and huge pages are base; caches are not") {
  Scene scene;
  scene.add(running("small"));  // may use 1024 MiB, 600 touched
  scene.add(running("large"));
  scene.look.domains[1].rss_mib = 1500;  // QEMU's own 476 MiB are beyond its guest
  scene.meter.keep(scene.look);
  scene.pass(10, 0);
  SUBCASE("ordinary") {
    const HostSample sample = scene.good();
    CHECK(sample.vms[0].load.memory_mib == 1024);
    CHECK(sample.vms[1].load.memory_mib == 1024);
    // Used: 4096. Guests touched 600 and 1024.
    CHECK(sample.base.memory_mib == doctest::Approx(4096 - 1624));
    CHECK(sample.memory_free_mib == doctest::Approx(16384 - (4096 - 1624) - 2048));
  }
  SUBCASE("a guest on huge pages: they are in no rss, and are its own") {
    scene.described["uuid-of-small"].huge_pages = true;
    scene.look.domains[0].rss_mib = 80;
    CHECK(scene.good().base.memory_mib == doctest::Approx(4096 - 1024 - 1024));
  }
  SUBCASE("the balloon gives some back") {
    scene.look.domains[0].balloon_mib = 512;
    CHECK(scene.good().vms[0].load.memory_mib == 512);
  }
  SUBCASE("no balloon: the description tells") {
    scene.look.domains[0].balloon_mib.reset();
    scene.described["uuid-of-small"].memory_mib = 768;
    CHECK(scene.good().vms[0].load.memory_mib == 768);
  }
  SUBCASE("free is never more than the kernel has") {
    scene.look.host.memory_available_mib = 100;
    scene.meter = Meter(std::nullopt, 0);
    scene.meter.keep(scene.look);
    scene.pass(10, 0);
    CHECK(scene.good().memory_free_mib == 100);
  }
  SUBCASE("free is never below nothing") {
    scene.look.host.memory_total_mib = 2000;
    scene.look.host.memory_available_mib = 2000;
    scene.meter = Meter(std::nullopt, 16000);
    scene.meter.keep(scene.look);
    scene.pass(10, 0);
    CHECK(scene.good().memory_free_mib == 0);
  }
  SUBCASE("a configured capacity binds what is free") {
    scene.meter = Meter(4096, 1000);
    scene.meter.keep(scene.look);
    scene.pass(10, 0);
    CHECK(scene.good().memory_free_mib == doctest::Approx(4096 - 1000 - 2048));
  }
}

TEST_CASE("network is the busier direction, and the base is what is not the VMs'") {
  Scene scene;
  scene.add(running("vm1"));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.1);
  *scene.look.domains[0].received_mbit += 1000;
  *scene.look.domains[0].sent_mbit += 3000;
  *scene.look.host.sent_mbit += 5000;
  *scene.look.domains[0].cpu_s += 1;
  const HostSample sample = scene.good();
  CHECK(sample.vms[0].load.network_mbit == doctest::Approx(300));
  CHECK(sample.base.network_mbit == doctest::Approx(200));
  // A migration's own traffic will be gone before any plan is carried out.
  scene.look.domains[0].standing.job = DomainJob::outgoing;
  scene.pass(10, 0.1);
  *scene.look.domains[0].cpu_s += 1;
  *scene.look.host.sent_mbit += 80000;
  CHECK(scene.good().base.network_mbit == doctest::Approx(200));
}

TEST_CASE("what comes in holds memory and no CPU, and needs no earlier look") {
  Scene scene;
  scene.meter.keep(scene.look);
  DomainLook coming = running("vm1");
  coming.standing = {true, true, paused_state, 2, DomainJob::incoming};
  coming.cpu_s.reset();
  scene.add(coming);
  scene.pass(10, 0.1);
  CHECK_FALSE(scene.meter.needs_another(scene.look));
  const HostSample sample = scene.good();
  CHECK(sample.vms[0].presence == Presence::incoming);
  CHECK(sample.vms[0].load.memory_mib == 1024);
  CHECK(sample.vms[0].load.cpu_mhz == 0);
}

TEST_CASE("one domain without figures is told as such, and the others are measured") {
  Scene scene;
  scene.add(running("vm1"));
  scene.add(running("vm2"));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.5);
  scene.look.domains[0].cpu_s.reset();
  *scene.look.domains[1].cpu_s += 10;
  const HostSample sample = scene.good();
  CHECK(sample.vms[0].presence == Presence::unknown);
  CHECK_FALSE(sample.vms[0].movable);
  CHECK(sample.vms[0].load.memory_mib == 1024);
  CHECK(sample.vms[1].load.cpu_mhz == doctest::Approx(2000));
}

// Its QEMU was there before, waiting: what it used since is of a part of the time alone.
TEST_CASE("the first figures of a VM that has come are of a whole look") {
  Scene scene;
  DomainLook coming = running("vm1", 0);
  coming.standing = {true, true, paused_state, 2, DomainJob::incoming};
  scene.add(coming);
  scene.meter.keep(scene.look);
  scene.pass(10, 0.1);
  (void)scene.good();
  scene.pass(10, 0.5);
  scene.look.domains[0].standing = running("vm1").standing;
  *scene.look.domains[0].cpu_s += 4;  // it has run for four of the ten seconds, on a whole CPU
  REQUIRE(scene.meter.needs_another(scene.look));
  scene.meter.keep(scene.look);
  scene.pass(1, 0.5);
  *scene.look.domains[0].cpu_s += 1;
  CHECK_FALSE(scene.meter.needs_another(scene.look));
  CHECK(scene.good().vms[0].load.cpu_mhz == doctest::Approx(2000));
}

TEST_CASE("figures that cannot be fail the sample, and say which") {
  Scene scene;
  scene.add(running("vm1"));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.5);
  *scene.look.domains[0].cpu_s += 1;
  const char* expected = "";
  SUBCASE("a CPU time that no CPU can give") {
    *scene.look.domains[0].cpu_s += 1e6;
    expected = "CPU time of VM 'vm1' rose";
  }
  SUBCASE("no number for its memory") {
    scene.look.domains[0].balloon_mib = std::numeric_limits<double>::quiet_NaN();
    expected = "memory of VM 'vm1'";
  }
  SUBCASE("absurd memory") {
    scene.look.domains[0].balloon_mib = 1e18;
    expected = "memory of VM 'vm1'";
  }
  SUBCASE("a host whose time stands still") {
    scene.look.host.cpu_all = 1000;
    expected = "do not go on";
  }
  SUBCASE("a host that was busier than it could be") {
    scene.look.host.cpu_busy = 1e9;
    expected = "make no sense";
  }
  SUBCASE("a clock that stands still") {
    scene.look.at_s = 100;
    expected = "do not go on";
  }
  const Result<HostSample> sample = scene.measure();
  REQUIRE_FALSE(sample.ok());
  CHECK(sample.error().message.find(expected) != std::string::npos);
}

TEST_CASE("what libvirt would not move now is known before it is asked") {
  Scene scene;
  scene.add(running("vm1"));
  scene.meter.keep(scene.look);
  scene.pass(10, 0.1);
  DomainLook& vm = scene.look.domains[0];
  const char* expected = "";
  SUBCASE("a job") {
    vm.standing.job = DomainJob::other;
    expected = "job is running";
  }
  SUBCASE("snapshots") {
    vm.snapshots = 1;
    expected = "has snapshots";
  }
  SUBCASE("its end") {
    vm.standing.state = 4;
    expected = "shutting down";
  }
  SUBCASE("its description, told in no more bytes than a report has for it") {
    scene.described[vm.uuid].immovable = "disk vda is local: " + std::string(500, 'x') + "\n";
    expected = "disk vda is local: xxx";
  }
  const HostSample sample = scene.good();
  CHECK_FALSE(sample.vms[0].movable);
  CHECK(sample.vms[0].immovable_reason.find(expected) != std::string::npos);
  CHECK(is_clean_text(sample.vms[0].immovable_reason, limits::vm_text_bytes_max));
}

TEST_CASE("an absurd dirty rate is not told") {
  Scene scene;
  scene.add(running("vm1"));
  scene.meter.keep(scene.look);
  for (const auto& [found, told] : {std::pair{12.0, 12.0}, {-1.0, 0.0}, {1e99, 0.0}}) {
    scene.look.domains[0].dirty_rate_mib_s = found;
    scene.pass(10, 0.1);
    CHECK(scene.good().vms[0].dirty_rate_mib_s == told);
  }
}

TEST_CASE("a name that cannot be an id gives way to the UUID") {
  DomainLook domain = running("vm1");
  CHECK(id_of(domain) == VmId("vm1"));
  domain.name = "two\nlines";
  CHECK(id_of(domain) == VmId("uuid-of-vm1"));
  domain.name = std::string(400, 'x');
  CHECK(id_of(domain) == VmId("uuid-of-vm1"));
}

}  // namespace
}  // namespace ballast::libvirt
