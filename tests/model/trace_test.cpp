// A trace is read by time: constant within an interval, the last interval holds afterwards.
#include "ballast/model/trace.h"

#include <doctest/doctest.h>

#include "ballast/model/config.h"
#include "ballast/model/plan.h"

using namespace ballast;
using std::chrono::seconds;

namespace {

Trace small_trace() {
  Trace trace;
  trace.interval = seconds(300);
  TraceVm vm;
  vm.id = VmId("v1");
  vm.size = {2000, 512, 10};
  vm.cpu_percent = {10, 50, 100};
  trace.vms.push_back(vm);
  return trace;
}

}  // namespace

TEST_CASE("a load is constant within an interval") {
  const Trace trace = small_trace();
  const TraceVm& vm = trace.vms[0];
  CHECK(load_at(trace, vm, seconds(0)).cpu_mhz == doctest::Approx(200));
  CHECK(load_at(trace, vm, seconds(299)).cpu_mhz == doctest::Approx(200));
  CHECK(load_at(trace, vm, seconds(300)).cpu_mhz == doctest::Approx(1000));
  CHECK(load_at(trace, vm, seconds(0)).memory_mib == doctest::Approx(512));
  CHECK(load_at(trace, vm, seconds(0)).network_mbit == doctest::Approx(10));
}

TEST_CASE("before the start the first interval holds, after the end the last") {
  const Trace trace = small_trace();
  CHECK(load_at(trace, trace.vms[0], seconds(-1000)).cpu_mhz == doctest::Approx(200));
  CHECK(load_at(trace, trace.vms[0], seconds(1'000'000)).cpu_mhz == doctest::Approx(2000));
  CHECK(intervals_of(trace) == 3);
}

TEST_CASE("memory follows its own series where there is one") {
  Trace trace = small_trace();
  trace.vms[0].memory_mib = {100, 200, 300, 400};
  CHECK(load_at(trace, trace.vms[0], seconds(900)).memory_mib == doctest::Approx(400));
  CHECK(intervals_of(trace) == 4);
}

TEST_CASE("a VM without a CPU series uses none") {
  Trace trace = small_trace();
  trace.vms[0].cpu_percent.clear();
  CHECK(load_at(trace, trace.vms[0], seconds(0)).cpu_mhz == 0);
  CHECK(intervals_of(Trace{}) == 0);
}

TEST_CASE("every name that files and answers use is spelled as the design spells it") {
  CHECK(std::string(name_of(Role::automatic)) == "auto");
  CHECK(std::string(name_of(Mode::act)) == "auto");
  CHECK(std::string(name_of(Mode::recommend)) == "recommend");
  CHECK(std::string(name_of(EstimatorKind::trend)) == "trend");
  CHECK(std::string(name_of(HypervisorKind::libvirt)) == "libvirt");
  CHECK(std::string(name_of(Resource::memory)) == "memory");
  CHECK(std::string(name_of(SurplusReason::no_cpu)) == "no_cpu");
  CHECK(std::string(name_of(SurplusReason::immovable)) == "immovable");
  CHECK(std::string(name_of(SurplusReason::no_target)) == "no_target");
}
