// Other groups are asked only for what is worth a migration.
#include "worth_asking.h"

#include <doctest/doctest.h>

namespace ballast {
namespace {

constexpr double min_gain = 0.005;

// One host of 1000 MHz and 1000 MiB at 0.5 plus VMs.
Snapshot one_host(const std::vector<double>& cpu) {
  Snapshot snapshot;
  Host host;
  host.id = HostId("h0");
  host.capacity = {1000, 1000, unlimited};
  host.base.cpu_mhz = 500;
  snapshot.hosts.push_back(host);
  for (const double load : cpu) {
    Vm vm;
    vm.id = VmId("v" + std::to_string(snapshot.vms.size()));
    vm.load = {load, 10, 0};
    snapshot.vms.push_back(vm);
  }
  return snapshot;
}

std::vector<market::Seller> sellers(const std::vector<Resources>& holes) {
  market::Seller seller;
  seller.master = NodeId("m");
  seller.holes = holes;
  return {seller};
}

using Vms = std::vector<VmIndex>;

TEST_CASE("a VM that is worth a migration by itself is asked for, whatever is heard of room") {
  const Snapshot after = one_host({310, 20});
  CHECK(node::worth_asking(after, {0, 1}, {}, min_gain) == Vms{0, 1});
}

TEST_CASE("trifles are asked for only if all of them would find room") {
  const Snapshot after = one_host({300, 4, 4, 4});
  CHECK(node::worth_asking(after, {1, 2, 3}, {}, min_gain).empty());
  CHECK(node::worth_asking(after, {1, 2, 3}, sellers({{8, 100, 100}}), min_gain).empty());
  CHECK(node::worth_asking(after, {1, 2, 3}, sellers({{8, 100, 100}, {4, 100, 100}}), min_gain) ==
        Vms{1, 2, 3});
  CHECK(node::worth_asking(after, {1, 2, 3}, sellers({{12, 25, 100}}), min_gain).empty());
  CHECK(node::worth_asking(after, {1, 2, 3}, {}, 0) == Vms{1, 2, 3});
}

TEST_CASE("a host that is drained asks for all it has") {
  Snapshot after = one_host({1, 1});
  after.hosts[0].maintenance = true;
  CHECK(node::worth_asking(after, {0, 1}, {}, min_gain) == Vms{0, 1});
}

}  // namespace
}  // namespace ballast
