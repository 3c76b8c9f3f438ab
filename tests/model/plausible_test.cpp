#include "ballast/model/plausible.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "ballast/base/limits.h"

namespace ballast {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

HostSample sample_of(double cpu_used_mhz, std::vector<double> vm_cpu_mhz) {
  HostSample sample;
  sample.capacity = {1000, 1000, unlimited};
  sample.cpu_used_mhz = cpu_used_mhz;
  sample.memory_free_mib = 10;
  for (const double cpu : vm_cpu_mhz) {
    VmSample vm;
    vm.load.cpu_mhz = cpu;
    sample.vms.push_back(vm);
  }
  return sample;
}

bool trusted(const HostSample& sample) { return distrust_of(sample, Thresholds{}).empty(); }

TEST_CASE("a host whose VMs are all idle while its CPU is busy is not trusted") {
  CHECK_FALSE(trusted(sample_of(900, {0, 0})));
  CHECK(trusted(sample_of(800, {0, 0})));
  CHECK(trusted(sample_of(900, {0, 1})));
}

TEST_CASE("a host of whose VMs most say nothing is not trusted when the others do not explain it") {
  CHECK_FALSE(trusted(sample_of(900, {0, 0, 1})));
  CHECK_FALSE(trusted(sample_of(900, {0, 0, 0, 50})));
  CHECK(trusted(sample_of(900, {0, 0, 400})));   // the one that speaks is what it is busy with
  CHECK(trusted(sample_of(900, {0, 0, 1, 1})));  // half of them speak
  CHECK(trusted(sample_of(700, {0, 0, 1})));     // it is not busy
  // Of a snapshot the host's use is not known, only its base.
  const std::vector<Resources> loads{{0, 10, 0}, {0, 10, 0}, {500, 10, 0}};
  const Resources capacity{1000, 1000, 1000};
  CHECK(distrust_of(capacity, {300, 0, 0}, 300, Thresholds{}, loads).empty());
  CHECK_FALSE(distrust_of(capacity, {900, 0, 0}, 900, Thresholds{}, loads).empty());
}

TEST_CASE("an empty host is plausible, however busy") { CHECK(trusted(sample_of(1000, {}))); }

TEST_CASE("what is not running here is not an idle VM") {
  HostSample sample = sample_of(900, {0});
  sample.vms[0].presence = Presence::incoming;
  CHECK(trusted(sample));
  sample.vms[0].presence = Presence::outgoing;
  CHECK_FALSE(trusted(sample));
}

TEST_CASE("numbers that cannot be are not trusted, wherever they stand") {
  for (const double bad : {nan, -1.0, std::numeric_limits<double>::infinity(), 1e12}) {
    CAPTURE(bad);
    const auto broken = [bad](double& (*place)(HostSample&)) {
      HostSample sample = sample_of(100, {10});
      place(sample) = bad;
      return !trusted(sample);
    };
    CHECK(broken([](HostSample& s) -> double& { return s.capacity.cpu_mhz; }));
    CHECK(broken([](HostSample& s) -> double& { return s.capacity.memory_mib; }));
    CHECK(broken([](HostSample& s) -> double& { return s.base.network_mbit; }));
    CHECK(broken([](HostSample& s) -> double& { return s.cpu_used_mhz; }));
    CHECK(broken([](HostSample& s) -> double& { return s.memory_free_mib; }));
    CHECK(broken([](HostSample& s) -> double& { return s.vms[0].load.memory_mib; }));
  }
}

TEST_CASE("a host without capacity is not trusted; a network that nobody measured is fine") {
  HostSample sample = sample_of(100, {10});
  sample.capacity.cpu_mhz = 0;
  CHECK_FALSE(trusted(sample));
  sample.capacity = {1000, 1000, 0};
  CHECK_FALSE(trusted(sample));
  sample.capacity = {1000, 1000, unlimited};
  CHECK(trusted(sample));
}

}  // namespace
}  // namespace ballast
