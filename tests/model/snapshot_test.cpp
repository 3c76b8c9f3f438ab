// The measures that everything is judged by: overload as the design defines it, and the check that
// stands between a snapshot from outside and the planner.
#include "ballast/model/snapshot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ballast/model/plan.h"

using namespace ballast;

namespace {

const double infinity = std::numeric_limits<double>::infinity();

// Two hosts of 1000 MHz, 1000 MiB and 1000 Mbit/s; a VM on each.
Snapshot two_hosts() {
  Snapshot snapshot;
  for (const char* id : {"h1", "h2"}) {
    Host host;
    host.id = HostId(id);
    host.capacity = {1000, 1000, 1000};
    snapshot.hosts.push_back(host);
  }
  for (const HostIndex host : {0U, 1U}) {
    Vm vm;
    vm.id = VmId("v" + std::to_string(host + 1));
    vm.host = host;
    vm.load = {100, 100, 100};
    snapshot.vms.push_back(vm);
  }
  return snapshot;
}

bool is_refused(const std::function<void(Snapshot&)>& spoil, const std::string& expected_word) {
  Snapshot snapshot = two_hosts();
  spoil(snapshot);
  const Status status = check(snapshot);
  if (status.ok()) return false;
  INFO(status.error().message);
  CHECK(status.error().message.find(expected_word) != std::string::npos);
  CHECK(status.error().message.find('\n') == std::string::npos);
  return true;
}

}  // namespace

TEST_CASE("excess is what is over the threshold, as a share of capacity") {
  CHECK(excess_of(900, 1000, 0.8) == doctest::Approx(0.1));
  CHECK(excess_of(800, 1000, 0.8) == 0);
  CHECK(excess_of(0, 1000, 0.8) == 0);
  CHECK(excess_of(1e12, unlimited, 0.8) == 0);
  CHECK(excess_of(2000, 1000, 1.0) == doctest::Approx(1.0));
}

TEST_CASE("a host is overloaded when its excess is more than rounding") {
  const Thresholds thresholds{0.8, 0.9, 0.8};
  const Resources capacity{1000, 1000, unlimited};
  CHECK_FALSE(is_overloaded({800, 900, 5000}, capacity, thresholds));
  CHECK_FALSE(is_overloaded({800.0005, 900, 0}, capacity, thresholds));
  CHECK(is_overloaded({800.01, 900, 0}, capacity, thresholds));
  CHECK(is_overloaded({0, 901, 0}, capacity, thresholds));
}

TEST_CASE("overload is summed over hosts and resources") {
  Snapshot snapshot = two_hosts();
  CHECK(overload_of(snapshot) == 0);
  CHECK(overloaded_hosts(snapshot) == 0);
  snapshot.hosts[0].base = {800, 0, 750};  // with v1: 0.1 of CPU and 0.05 of network too much
  snapshot.vms[1].load.memory_mib = 950;   // 0.05 of memory
  CHECK(overload_of(snapshot) == doctest::Approx(0.20));
  CHECK(overloaded_hosts(snapshot) == 2);
  snapshot.hosts[0].thresholds = {1, 1, 1};
  CHECK(overload_of(snapshot) == doctest::Approx(0.05));
}

TEST_CASE("a VM on a host in maintenance counts one more, and the host is not an overloaded one") {
  Snapshot snapshot = two_hosts();
  snapshot.hosts[0].base.cpu_mhz = 800;
  snapshot.hosts[0].maintenance = true;
  CHECK(overload_of(snapshot) == doctest::Approx(1.1));
  CHECK(overloaded_hosts(snapshot) == 0);
}

TEST_CASE("a host whose data cannot be trusted adds no overload") {
  Snapshot snapshot = two_hosts();
  snapshot.hosts[0].usable = false;
  snapshot.hosts[0].capacity = {0, 0, 0};
  CHECK(check(snapshot).ok());
  CHECK(overload_of(snapshot) == 0);
  CHECK(overloaded_hosts(snapshot) == 0);
}

TEST_CASE("the load of a host is its base and its VMs") {
  Snapshot snapshot = two_hosts();
  snapshot.hosts[1].base = {1, 2, 3};
  snapshot.vms[0].host = 1;
  const std::vector<Resources> loads = loads_of(snapshot);
  CHECK(loads[0] == Resources{0, 0, 0});
  CHECK(loads[1] == Resources{201, 202, 203});
}

TEST_CASE("a plan applied puts its VMs where they go, and nothing else") {
  const Snapshot before = two_hosts();
  Plan plan;
  plan.migrations.push_back({.vm = 0, .from = 0, .to = 1, .step = 1, .swap = {}});
  const Snapshot after = applied(before, plan);
  CHECK(after.vms[0].host == 1);
  CHECK(after.vms[1].host == 1);
  CHECK(after.hosts.size() == before.hosts.size());
}

TEST_CASE("a sound snapshot passes the check, an empty one too") {
  CHECK(check(two_hosts()).ok());
  CHECK(check(Snapshot{}).ok());
  Snapshot snapshot = two_hosts();
  snapshot.hosts[0].capacity.network_mbit = unlimited;
  CHECK(check(snapshot).ok());
}

TEST_CASE("the check names the host that is wrong, and how") {
  for (const double bad : {-1.0, std::nan(""), infinity, -infinity}) {
    CHECK(is_refused([&](Snapshot& s) { s.hosts[1].capacity.cpu_mhz = bad; }, "'h2'"));
    CHECK(is_refused([&](Snapshot& s) { s.hosts[1].capacity.memory_mib = bad; }, "memory"));
    CHECK(is_refused([&](Snapshot& s) { s.hosts[1].base.memory_mib = bad; }, "base"));
    CHECK(is_refused([&](Snapshot& s) { s.hosts[1].base.network_mbit = bad; }, "base"));
    CHECK(is_refused([&](Snapshot& s) { s.hosts[1].thresholds.memory = bad; }, "threshold"));
  }
  CHECK(is_refused([](Snapshot& s) { s.hosts[0].capacity.network_mbit = -infinity; }, "network"));
  CHECK(is_refused([](Snapshot& s) { s.hosts[0].capacity.cpu_mhz = 0; }, "more than 0"));
  CHECK(is_refused([](Snapshot& s) { s.hosts[0].thresholds.cpu = 0; }, "threshold"));
  CHECK(is_refused([](Snapshot& s) { s.hosts[0].thresholds.cpu = 1.01; }, "at most 1"));
  CHECK(is_refused([](Snapshot& s) { s.hosts[1].id = HostId("h1"); }, "twice"));
  CHECK(is_refused([](Snapshot& s) { s.hosts[1].id = HostId("a\nb"); }, "valid id"));
  CHECK(is_refused([](Snapshot& s) { s.hosts[1].id = HostId(std::string(1U << 20U, 'x')); }, "id"));
}

TEST_CASE("the check names the VM that is wrong, and how") {
  for (const double bad : {-1.0, std::nan(""), infinity, -infinity}) {
    CHECK(is_refused([&](Snapshot& s) { s.vms[1].load.cpu_mhz = bad; }, "'v2'"));
    CHECK(is_refused([&](Snapshot& s) { s.vms[1].load.network_mbit = bad; }, "network"));
    CHECK(is_refused([&](Snapshot& s) { s.vms[1].dirty_rate_mib_s = bad; }, "dirty rate"));
  }
  CHECK(is_refused([](Snapshot& s) { s.vms[0].host = 2; }, "not in the snapshot"));
  CHECK(is_refused([](Snapshot& s) { s.vms[1].id = VmId("v1"); }, "twice"));
  CHECK(is_refused([](Snapshot& s) { s.vms[1].id = VmId(); }, "valid id"));
}

TEST_CASE("the check names the rule that is wrong") {
  CHECK(is_refused([](Snapshot& s) { s.rules = {{RuleType::affinity, {0, 2}, {}}}; }, "rule 1"));
  CHECK(is_refused([](Snapshot& s) { s.rules = {{RuleType::hosts, {0}, {0, 7}}}; }, "host"));
}
