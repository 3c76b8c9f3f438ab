// How long the loop of a node is held up by a libvirt that answers slowly: a real node and the real
// adapter over a connection with 100 domains, every call of which takes its time. The loop is the
// daemon's, without the network. Told beside it: what one look at the domains takes, during which
// an adapter on the loop's own thread would have held it.

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "ballast/libvirt/hypervisor.h"
#include "ballast/node/node.h"
#include "connection.h"

namespace ballast {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int domain_count = 100;
constexpr auto look_takes = 700ms;
constexpr auto call_takes = 20ms;  // any other: a description, a question
constexpr auto run_for = 20s;
constexpr double goal_ms = 50;
constexpr int running_state = 1;  // VIR_DOMAIN_RUNNING

class SlowConnection final : public libvirt::Connection {
 public:
  bool is_alive() override { return true; }
  Result<libvirt::NodeFacts> node() override {
    std::this_thread::sleep_for(call_takes);
    return libvirt::NodeFacts{2000, 32, 262144, ""};
  }
  Result<std::vector<libvirt::DomainLook>> domains() override {
    std::this_thread::sleep_for(look_takes);
    const double since_start = std::chrono::duration<double>(Clock::now() - began_).count();
    std::vector<libvirt::DomainLook> looks;
    for (int i = 0; i < domain_count; ++i) {
      libvirt::DomainLook look;
      look.name = "vm" + std::to_string(i);
      look.uuid = "uuid-of-" + look.name;
      look.id = i + 1;
      look.standing = {true, true, running_state, 1, libvirt::DomainJob::none};
      look.vcpus = 2;
      look.cpu_s = 0.01 * since_start;
      look.vcpu_delay_s = 0;
      look.balloon_mib = look.rss_mib = 1024;
      look.received_mbit = look.sent_mbit = since_start;
      looks.push_back(std::move(look));
    }
    return looks;
  }
  Result<libvirt::HostCounters> counters() override { return libvirt::HostCounters{}; }
  Result<std::string> hostname() override { return std::string("h"); }
  Result<std::string> description(const std::string&) override {
    std::this_thread::sleep_for(call_takes);
    return std::string(
        "<domain type='kvm'><memory unit='KiB'>1048576</memory>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices></devices></domain>");
  }
  Result<std::string> pool_description(const std::string&) override {
    return Error{"no such pool"};
  }
  Result<libvirt::Standing> standing(const VmId&) override {
    std::this_thread::sleep_for(call_takes);
    return libvirt::Standing{true, true, running_state, 1, libvirt::DomainJob::none};
  }
  Result<std::string> environment() override {
    std::this_thread::sleep_for(call_takes);
    return std::string("the same");
  }
  Result<std::string> host_at(const std::string&) override { return Error{"not here"}; }
  Result<bool> is_persistent(const VmId&) override { return true; }
  Status set_autostart(const VmId&, bool) override { return {}; }
  std::optional<libvirt::MigrationProblem> migrate(const libvirt::MigrationCall&) override {
    return libvirt::MigrationProblem{"not here", FaultOf::vm};
  }
  Status abort(const VmId&) override { return {}; }
  Result<bool> has_block_job(const std::string&, const std::string&) override { return false; }
  Status measure_dirty_rate(const std::string&) override {
    std::this_thread::sleep_for(call_takes);
    return {};
  }

 private:
  Clock::time_point began_ = Clock::now();
};

class SlowConnector final : public libvirt::Connector {
 public:
  Result<std::unique_ptr<libvirt::Connection>> open(const libvirt::DomainEvent&) override {
    std::this_thread::sleep_for(call_takes);
    return std::unique_ptr<libvirt::Connection>(std::make_unique<SlowConnection>());
  }
};

TimePoint now() {
  return TimePoint(std::chrono::duration_cast<Duration>(Clock::now().time_since_epoch()));
}

double cpu_ms() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return 1e3 * static_cast<double>(used.tv_sec) + 1e-6 * static_cast<double>(used.tv_nsec);
}

struct Seen {
  std::uint64_t turns = 0;
  std::uint64_t samples = 0;
  double longest_turn_ms = 0;  // by the clock: it counts what else the machine does
  double longest_turn_cpu_ms = 0;
};

// One turn of the loop: what libvirt answered goes to the node, what it wants goes to libvirt.
void turn(node::Node& node, port::Hypervisor& hypervisor, Seen& seen) {
  const auto carry_out = [&](const node::Effects& effects) {
    for (const HypervisorCommand& command : effects.commands) hypervisor.submit(command);
  };
  for (const HypervisorEvent& event : hypervisor.take_events()) {
    if (std::holds_alternative<HostSampled>(event)) ++seen.samples;
    if (const auto* failed = std::get_if<SampleFailed>(&event); failed != nullptr)
      std::fprintf(stderr, "no sample: %s\n", failed->reason.c_str());
    carry_out(node.step(now(), event));
  }
  carry_out(node.step(now(), node::Tick{}));
}

int run() {
  Config config;
  config.node.id = NodeId("h1");
  config.node.role = Role::master;
  config.node.cluster = "bench";
  config.sample.sample_interval = 1s;
  config.sample.report_interval = 2s;
  config.plan.plan_interval = 3s;
  libvirt::Options options;
  options.address = "192.0.2.7";
  options.between_looks = Duration(0);
  auto opened = libvirt::LibvirtHypervisor::open(options, std::make_shared<SlowConnector>());
  if (!opened) {
    std::fprintf(stderr, "error: %s\n", opened.error().message.c_str());
    return 2;
  }
  port::Hypervisor& hypervisor = **opened;
  node::Node node(now(), config, "tcp://127.0.0.1:1", hypervisor.migration_uri(), {}, 1);
  Seen seen;
  const auto end = Clock::now() + run_for;
  while (Clock::now() < end) {
    const Duration wait = std::clamp<Duration>(node.next_deadline() - now(), Duration(0), 1s);
    pollfd what{hypervisor.event_descriptor(), POLLIN, 0};
    poll(&what, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
    const auto began = Clock::now();
    const double used = cpu_ms();
    turn(node, hypervisor, seen);
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
    seen.longest_turn_ms = std::max(seen.longest_turn_ms, took);
    seen.longest_turn_cpu_ms = std::max(seen.longest_turn_cpu_ms, cpu_ms() - used);
    ++seen.turns;
  }
  std::printf(
      "%d domains, a look at them takes %lld ms: %llu samples, %llu turns of the loop, the "
      "longest\n"
      "%.2f ms (%.2f ms of CPU): %.4f of a look (goal: under %.0f ms)\n",
      domain_count, static_cast<long long>(look_takes.count()),
      static_cast<unsigned long long>(seen.samples), static_cast<unsigned long long>(seen.turns),
      seen.longest_turn_ms, seen.longest_turn_cpu_ms,
      seen.longest_turn_ms / std::chrono::duration<double, std::milli>(look_takes).count(),
      goal_ms);
  return seen.samples > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ballast

int main() { return ballast::run(); }
