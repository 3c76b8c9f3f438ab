// The market at work: 50 masters, 10 of them with more than their groups can carry, and elsewhere
// twice the room that is needed, in holes of all sizes of which the largest holds two of the VMs in
// need. Nine of ten requests are to be granted where they are asked first, and all surplus is to
// have a place within a minute.

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "ballast/base/random.h"
#include "ballast/world/world.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;
using world::World;

constexpr std::size_t masters = 50;
constexpr std::size_t masters_in_need = 10;
constexpr std::size_t hosts_of_group = 4;
constexpr double host_mhz = 80'000;
constexpr double host_mib = 262'144;
constexpr double vm_mib = 1'024;
constexpr double threshold = 0.8;
constexpr double filled_to = 0.76;  // of a host: the default `target` of its threshold
constexpr double hole_max = 0.24;   // of a host
constexpr std::size_t seeds = 5;

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::shared_ptr<const Trace> make() {
    trace_->interval = std::chrono::hours(24);
    double needed = 0;
    for (std::size_t group = 0; group < masters_in_need; ++group)
      for (std::size_t h = 0; h < hosts_of_group; ++h) needed += add_overloaded(group);
    // Holes as they come, until there is twice as much room as is needed, dealt to all groups
    // alike.
    std::vector<double> holes((masters - masters_in_need) * hosts_of_group);
    double sum = 0;
    for (double& hole : holes) sum += hole = random_.between(0.05, 1);
    const double scale = 2 * needed / sum;
    for (std::size_t i = 0; i < holes.size(); ++i)
      add_with_hole(masters_in_need + i / hosts_of_group, std::min(hole_max, holes[i] * scale));
    return trace_;
  }

 private:
  HostIndex add_host(std::size_t group) {
    const auto index = static_cast<HostIndex>(trace_->hosts.size());
    char name[24];
    std::snprintf(name, sizeof name, "m%02zu-%zu", group, trace_->hosts.size() % hosts_of_group);
    trace_->hosts.push_back({HostId(name), {host_mhz, host_mib, 10'000}, std::to_string(group)});
    return index;
  }
  void add_vm(HostIndex host, double share) {
    TraceVm vm;
    vm.id = VmId("v" + std::to_string(trace_->vms.size()));
    vm.host = host;
    vm.size = {share * host_mhz, vm_mib, 10};
    vm.cpu_percent = {100};
    trace_->vms.push_back(std::move(vm));
  }
  // VMs of up to half of the largest hole, to somewhat above the threshold. What has to go.
  double add_overloaded(std::size_t group) {
    const HostIndex host = add_host(group);
    const double goal = threshold + random_.between(0.02, 0.14);
    double load = 0;
    while (load < goal) {
      const double share = random_.between(0.15, 1) * hole_max / 2;
      add_vm(host, share);
      load += share;
    }
    return load - filled_to;
  }
  void add_with_hole(std::size_t group, double hole) {
    const HostIndex host = add_host(group);
    constexpr std::size_t vms = 8;
    for (std::size_t i = 0; i < vms; ++i) add_vm(host, (filled_to - hole) / vms);
  }

  Random random_;
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
};

struct Figures {
  double first_asked_s = 0;
  double last_granted_s = 0;  // after the first was asked for
  double all_moved_s = 0;
  std::map<std::string, std::uint64_t> counters;
  std::size_t over_before = 0;
  std::size_t over_after = 0;

  double counted(const char* what) const {
    const auto found = counters.find(what);
    return found == counters.end() ? 0 : static_cast<double>(found->second);
  }
};

Figures run(std::uint64_t seed) {
  world::Settings settings;
  settings.seed = seed;
  settings.adjust = [](std::size_t, Config& config) { config.plan.effort = 300; };
  if (std::getenv("BALLAST_WORLD_LOG") != nullptr)
    settings.log = [](const std::string& line) { std::cout << line << "\n"; };
  World world(std::move(settings), Maker(seed).make());
  Figures figures;
  figures.over_before = overloaded_hosts(world.truth());
  double granted = 0;
  // Nothing moves in the first two plan intervals.
  while (world.elapsed() < 15min) {
    world.run_for(1s);
    const double now_s = seconds_of(world.elapsed());
    figures.counters = world.counters();
    if (figures.counted("requests_sent") == 0) continue;
    if (figures.first_asked_s == 0) figures.first_asked_s = now_s;
    if (figures.counted("requests_granted") > granted)
      figures.last_granted_s = now_s - figures.first_asked_s;
    granted = figures.counted("requests_granted");
    figures.over_after = overloaded_hosts(world.truth());
    figures.all_moved_s = now_s - figures.first_asked_s;
    if (figures.over_after == 0) break;
  }
  world.audit_all();
  for (const world::Finding& finding : world.findings())
    FAIL_CHECK(finding.auditor << " at " << finding.at_s << " s: " << finding.detail);
  return figures;
}

TEST_CASE("50 masters, 10 in need: nine of ten requests are granted at once, all within a minute") {
  double sent = 0;
  double granted_first = 0;
  double granted = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Figures figures = run(seed);
    INFO("seed " << seed);
    MESSAGE("seed " << seed << ": " << figures.over_before << " hosts over, then "
                    << figures.over_after << "; VMs asked for " << figures.counted("requests_sent")
                    << " times, granted " << figures.counted("requests_granted") << ", at once "
                    << figures.counted("requests_granted_first") << ", refused "
                    << figures.counted("requests_refused") << ", because of stale gossip "
                    << figures.counted("requests_refused_stale") << "; last grant after "
                    << figures.last_granted_s << " s, last VM in place after "
                    << figures.all_moved_s << " s");
    CHECK(figures.over_after == 0);
    CHECK(figures.last_granted_s <= 60);
    sent += figures.counted("requests_sent");
    granted += figures.counted("requests_granted");
    granted_first += figures.counted("requests_granted_first");
  }
  MESSAGE("granted at the first try: " << 100 * granted_first / granted << " % of " << granted
                                       << " (asked " << sent << " times)");
  CHECK(granted_first >= 0.9 * granted);
}

}  // namespace
}  // namespace ballast
