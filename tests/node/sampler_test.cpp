// What a host makes of the looks at its hypervisor: figures of VMs that have just come, and VMs
// that give none.

#include "sampler.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace ballast::node {
namespace {

using namespace std::chrono_literals;

struct Bench {
  Bench() {
    config.node.id = NodeId("h");
    config.sample.sample_interval = 10s;
    config.sample.report_interval = 30s;
  }

  static VmSample vm(const std::string& id, double mhz, Presence presence = Presence::running) {
    VmSample made;
    made.id = VmId(id);
    made.presence = presence;
    made.load = {mhz, 1024, 0};
    return made;
  }
  void look(const std::vector<VmSample>& vms) {
    now += 10s;
    HostSample sample;
    sample.capacity = {10000, 65536, 10000};
    sample.memory_free_mib = 32768;
    sample.vms = vms;
    for (const VmSample& one : vms) sample.cpu_used_mhz += one.load.cpu_mhz;
    (void)sampler.take(now, sample, out);
  }
  double told_mhz(const std::string& id, bool as_seen = false) const {
    const wire::HostReport report = sampler.report(now, as_seen);
    for (const wire::VmReport& one : report.vms)
      if (one.vm.id == VmId(id)) return one.vm.load.cpu_mhz;
    return -1;
  }
  std::size_t events(EventKind kind, const std::string& text = "") const {
    return static_cast<std::size_t>(
        std::count_if(out.recent().begin(), out.recent().end(), [&](const Event& event) {
          return event.kind == kind && event.text.find(text) != std::string::npos;
        }));
  }

  Config config;
  TimePoint now = TimePoint(1h);
  Outbox out{NodeId("h"), "ballast"};
  Sampler sampler{now, config, StoredState{}};
};

TEST_CASE("a VM that has just come has the load that its source told, until a look of its own") {
  for (const bool was_seen_coming : {false, true}) {
    Bench bench;
    bench.look({});
    if (was_seen_coming) {
      bench.look({Bench::vm("v", 0, Presence::incoming)});
      bench.look({Bench::vm("v", 0, Presence::incoming)});
    }
    bench.sampler.arrived(bench.now, VmId("v"), {2000, 1024, 0}, {300, 0, 0}, Presence::running);
    CHECK(bench.sampler.swing_of(VmId("v")).cpu_mhz == doctest::Approx(300));
    CHECK(bench.told_mhz("v") == doctest::Approx(2000));
    CHECK(bench.told_mhz("v", true) == doctest::Approx(2000));
    bench.look({Bench::vm("v", 1996)});
    CHECK(bench.told_mhz("v") == doctest::Approx(2000).epsilon(0.01));
  }
}

TEST_CASE("a VM without figures keeps those it had, is named once, and once when it is back") {
  Bench bench;
  bench.look({Bench::vm("a", 1000), Bench::vm("b", 1000)});
  VmSample silent = Bench::vm("b", 0, Presence::unknown);
  silent.movable = false;
  silent.immovable_reason = "its QEMU does not answer";
  bench.look({Bench::vm("a", 1500), silent});
  CHECK(bench.events(EventKind::alarm) == 0);  // one look may come at a bad moment
  for (int looks = 0; looks < 12; ++looks) bench.look({Bench::vm("a", 3000), silent});
  CHECK(bench.events(EventKind::alarm, "its QEMU does not answer") == 1);
  CHECK(bench.sampler.trusted());
  CHECK(bench.told_mhz("a") == doctest::Approx(3000));
  CHECK(bench.told_mhz("b") == doctest::Approx(1000));
  bench.look({Bench::vm("a", 3000), Bench::vm("b", 1000)});
  CHECK(bench.events(EventKind::recovered, "answers again") == 1);
  // One that ends meanwhile is silent no more, and is not told to be back.
  for (int looks = 0; looks < 3; ++looks) bench.look({Bench::vm("a", 3000), silent});
  bench.look({Bench::vm("a", 3000)});
  bench.look({Bench::vm("a", 3000), Bench::vm("b", 1000)});
  CHECK(bench.events(EventKind::recovered) == 1);
  CHECK(bench.events(EventKind::alarm) == 2);
}

TEST_CASE("figures that are back are told") {
  Bench bench;
  bench.look({Bench::vm("a", 1000)});
  for (int missed = 0; missed < 5; ++missed) {
    bench.now += 10s;
    bench.sampler.failed(bench.now, "it hangs", bench.out);
  }
  CHECK(bench.events(EventKind::alarm, "it hangs") == 1);
  bench.look({Bench::vm("a", 1000)});
  CHECK(bench.events(EventKind::recovered, "it hangs") == 1);
  bench.look({Bench::vm("a", 1000)});
  CHECK(bench.events(EventKind::recovered) == 1);
}

TEST_CASE("a VM that is gone takes its rest along: who comes by its name has not moved") {
  Bench bench;
  const auto rest_of_v = [&] {
    for (const wire::VmReport& one : bench.sampler.report(bench.now, false).vms)
      if (one.vm.id == VmId("v")) return one.rest;
    return Duration(0);
  };
  bench.look({Bench::vm("v", 100)});
  bench.sampler.rest(bench.now, VmId("v"), 15min);
  bench.look({});  // a look that was under way when it came
  bench.look({Bench::vm("v", 100)});
  CHECK(rest_of_v() > 14min);
  bench.look({});
  bench.look({});
  bench.look({Bench::vm("v", 100)});
  CHECK(rest_of_v() == Duration(0));
}

}  // namespace
}  // namespace ballast::node
