// The made-up day keeps what its header promises, for many shapes.
#include "ballast/hypermodel/generate.h"

#include <doctest/doctest.h>

#include <set>

#include "ballast/model/trace.h"

namespace ballast::hypermodel {
namespace {

struct Day {
  std::vector<std::vector<double>> host_mhz;  // [host][interval]
  std::vector<double> host_memory_mib;
};

Day add_up(const Trace& trace) {
  Day day;
  day.host_mhz.assign(trace.hosts.size(), std::vector<double>(intervals_of(trace), 0.0));
  day.host_memory_mib.assign(trace.hosts.size(), 0.0);
  for (const TraceVm& vm : trace.vms) {
    day.host_memory_mib[vm.host] += vm.size.memory_mib;
    for (std::size_t t = 0; t < intervals_of(trace); ++t)
      day.host_mhz[vm.host][t] +=
          load_at(trace, vm, static_cast<Duration::rep>(t) * trace.interval).cpu_mhz;
  }
  return day;
}

DayShape shape_of(std::uint64_t seed) {
  DayShape shape;
  shape.seed = seed;
  shape.groups = 1 + seed % 3;
  shape.hosts = shape.groups * (2 + seed % 9);
  shape.vms = shape.hosts * (8 + seed % 20);
  return shape;
}

}  // namespace

TEST_CASE("the same shape gives the same day, another seed another one") {
  const Trace first = generate_day(shape_of(5));
  const Trace again = generate_day(shape_of(5));
  REQUIRE(first.vms.size() == again.vms.size());
  for (std::size_t i = 0; i < first.vms.size(); ++i)
    CHECK(first.vms[i].cpu_percent == again.vms[i].cpu_percent);
  DayShape other = shape_of(5);
  other.seed = 6;
  CHECK(generate_day(other).vms[0].cpu_percent != first.vms[0].cpu_percent);
}

TEST_CASE("hosts, VMs and groups come in the numbers asked for, with unique ids") {
  const DayShape shape = shape_of(7);
  const Trace trace = generate_day(shape);
  CHECK(trace.hosts.size() == shape.hosts);
  CHECK(trace.vms.size() == shape.vms);
  std::set<VmId> vms;
  std::set<std::string> groups;
  for (const TraceVm& vm : trace.vms) vms.insert(vm.id);
  for (const TraceHost& host : trace.hosts) groups.insert(host.group);
  CHECK(vms.size() == shape.vms);
  CHECK(groups.size() == shape.groups);
}

TEST_CASE(
    "in every group a host is overloaded for hours, and one at the very start, yet the group "
    "always has room") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const DayShape shape = shape_of(seed);
    const Trace trace = generate_day(shape);
    const Day day = add_up(trace);
    const double limit = trace.thresholds.cpu * shape.host_capacity.cpu_mhz;
    for (std::size_t g = 0; g < shape.groups; ++g) {
      std::size_t longest = 0;
      bool at_start = false;
      for (std::size_t h = g; h < shape.hosts; h += shape.groups) {
        std::size_t over = 0;
        for (const double mhz : day.host_mhz[h]) over += mhz > limit;
        longest = std::max(longest, over);
        at_start |= day.host_mhz[h].front() > limit;
      }
      CHECK(longest >= 24);  // two hours
      CHECK(at_start);
      for (std::size_t t = 0; t < intervals_of(trace); ++t) {
        double group_mhz = 0;
        for (std::size_t h = g; h < shape.hosts; h += shape.groups) group_mhz += day.host_mhz[h][t];
        const std::size_t hosts = shape.hosts / shape.groups;
        CHECK(group_mhz <=
              1.001 * shape.peak_share * shape.host_capacity.cpu_mhz * static_cast<double>(hosts));
      }
    }
    for (const double memory_mib : day.host_memory_mib)
      CHECK(memory_mib <= 0.5 * shape.host_capacity.memory_mib + 1);
  }
}

}  // namespace ballast::hypermodel
