// A master with 1,000 slaves: how long from the last report to the plan made, what a report costs,
// and how much memory it takes. Goal: a plan within 1 s of the last report.
//
//   group_bench BALLAST [SLAVES [VMS]]        default: 1,000 slaves with 20 VMs each
//
// First the core alone, against the planner alone on the same group; then a real process of BALLAST
// over ZeroMQ with CURVE, whose slaves are sockets of this process.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/node/node.h"
#include "ballast/plan/planner.h"
#include "ballast/wire/codec.h"
#include "group_loads.h"
#include "group_process.h"

namespace ballast::benchmark {
namespace {

double cpu_ms() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double heap_mib() { return static_cast<double>(mallinfo2().uordblks) / (1U << 20U); }

double median(std::vector<double> turns) {
  std::sort(turns.begin(), turns.end());
  return turns[turns.size() / 2];
}

// One master core, fed with the bytes that its slaves would send.
class Core {
 public:
  explicit Core(std::size_t slaves)
      : node_(now_, config(slaves), "tcp://127.0.0.1:1", {}, first_life(), 1) {
    (void)node_.step(now_, node::Tick{});
  }
  void at(Duration since_start) { now_ = TimePoint{} + since_start; }
  void take(const std::string& bytes) {
    Result<wire::Message> message = wire::decode(bytes);
    BALLAST_ASSERT(message.ok(), "what we encode can be decoded");
    const NodeId from = message->header.sender;
    (void)node_.step(now_, wire::Delivered{from, std::move(message).value()});
  }
  void tick() { (void)node_.step(now_, node::Tick{}); }
  node::View view() const { return node_.view(now_); }

 private:
  static node::StoredState first_life() {
    node::StoredState stored;
    stored.incarnation = 1;
    return stored;
  }
  static Config config(std::size_t slaves) {
    Config config;
    config.node.id = NodeId("master");
    config.node.role = Role::master;
    config.node.cluster = GroupLoads::cluster;
    config.limits.max_slaves = static_cast<std::uint32_t>(slaves);
    return config;
  }
  TimePoint now_{};
  node::Node node_;
};

// The group as a snapshot, for the planner alone.
Snapshot snapshot_of(const GroupLoads& loads) {
  Snapshot snapshot;
  for (std::size_t slave = 0; slave < loads.slaves(); ++slave) {
    const wire::HostReport report = loads.report(slave);
    Host host;
    host.id = loads.id(slave);
    host.capacity = loads.facts().capacity;
    host.thresholds = loads.facts().thresholds;
    host.base = report.base;
    snapshot.hosts.push_back(host);
    for (const wire::VmReport& item : report.vms) {
      Vm vm;
      vm.id = item.vm.id;
      vm.host = static_cast<HostIndex>(slave);
      vm.load = item.vm.load;
      snapshot.vms.push_back(vm);
    }
  }
  return snapshot;
}

void measure_core(const GroupLoads& loads) {
  const Snapshot snapshot = snapshot_of(loads);
  std::vector<double> bare;
  std::vector<double> ours;
  std::vector<double> report_us;
  double heap = 0;
  node::View view;
  for (int turn = 0; turn < 5; ++turn) {
    double start = cpu_ms();
    const Plan plan = plan::make_plan(snapshot);
    bare.push_back(cpu_ms() - start);

    std::vector<std::string> reports;
    for (std::size_t slave = 0; slave < loads.slaves(); ++slave)
      reports.push_back(wire::encode(loads.report_message(slave, 2)));
    const double heap_before = heap_mib();
    Core core(loads.slaves());
    core.at(std::chrono::seconds(1));
    for (std::size_t slave = 0; slave < loads.slaves(); ++slave)
      core.take(wire::encode(loads.attach_message(slave)));
    // A first plan, so that the next one waits for the sample interval: until the last report.
    core.at(std::chrono::seconds(180));
    core.tick();
    core.at(std::chrono::seconds(185));
    start = cpu_ms();
    for (std::size_t slave = 1; slave < loads.slaves(); ++slave) core.take(reports[slave]);
    report_us.push_back(1e3 * (cpu_ms() - start) / static_cast<double>(loads.slaves() - 1));
    core.at(std::chrono::seconds(190));
    start = cpu_ms();
    core.take(reports[0]);
    ours.push_back(cpu_ms() - start);
    heap = heap_mib() - heap_before;
    view = core.view();
  }
  BALLAST_ASSERT(view.plan && view.plan->overloaded_before == loads.hot(), "it sees each hot host");
  std::printf("the core alone, medians of 5 turns, CPU time\n");
  std::printf("  one report taken in, decoding included %9.1f us\n", median(report_us));
  std::printf("  from the last report to the plan       %9.1f ms (%zu migrations)\n", median(ours),
              view.plan->moves.size());
  std::printf("  the planner alone on such a group      %9.1f ms\n", median(bare));
  std::printf("  of which the planner                   %9.2f\n", median(bare) / median(ours));
  std::printf("  heap of the core                       %9.1f MiB\n", heap);
}

void measure_process(const std::string& binary, const GroupLoads& loads) {
  MasterProcess master(binary, loads);
  const double rss_empty = master.rss_mib();
  Swarm swarm(master, loads);
  double cpu = master.cpu_ms();
  double wall = wall_ms();
  swarm.attach_all();
  std::printf("a process of ballast, with CURVE\n");
  std::printf("  all attached after                     %9.0f ms, %.0f ms of CPU\n",
              wall_ms() - wall, master.cpu_ms() - cpu);
  cpu = master.cpu_ms();
  wall = wall_ms();
  for (std::size_t slave = 0; slave < loads.slaves(); ++slave) swarm.report(slave, 1);
  swarm.wait_for_acks();
  std::printf("  one report taken in and acknowledged   %9.1f us of CPU\n",
              1e3 * (master.cpu_ms() - cpu) / static_cast<double>(loads.slaves()));
  std::vector<double> latency;
  std::vector<double> used;
  for (int turn = 0; turn < 5; ++turn) {
    for (std::size_t slave = 1; slave < loads.slaves(); ++slave) swarm.report(slave, 2);
    swarm.wait_for_acks();
    const std::uint64_t plans_before = master.wait_until_quiet();
    cpu = master.cpu_ms();
    wall = wall_ms();
    swarm.report(0, 2);
    swarm.wait_for_acks();  // sent once the plan is made
    latency.push_back(wall_ms() - wall);
    used.push_back(master.cpu_ms() - cpu);
    BALLAST_ASSERT(master.plans_made() > plans_before, "the last report brings a plan");
  }
  std::printf("  from the last report to the plan       %9.1f ms, %.1f ms of CPU\n",
              median(latency), median(used));
  std::printf("  of the goal of 1 s                     %9.3f\n", median(latency) / 1000);
  std::printf("  resident, empty / with all slaves      %9.1f / %.1f MiB\n", rss_empty,
              master.rss_mib());
}

}  // namespace
}  // namespace ballast::benchmark

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: group_bench BALLAST [SLAVES [VMS]]\n");
    return 2;
  }
  const std::size_t slaves = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000;
  const std::size_t vms = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 20;
  const ballast::benchmark::GroupLoads loads(slaves, vms);
  std::printf(
      "%zu slaves with %zu VMs each, %zu hosts over their threshold, reports of %zu bytes\n",
      slaves, vms, loads.hot(), ballast::wire::encode(loads.report_message(0, 2)).size());
  ballast::benchmark::measure_core(loads);
  ballast::benchmark::measure_process(argv[1], loads);
  return 0;
}
