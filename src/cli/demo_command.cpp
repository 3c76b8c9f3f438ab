// `ballast demo`: a group of real nodes of this binary on loopback, with simulated hypervisors, on
// a fast day. Source: design, section 8.

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ballast/cli/command.h"
#include "ballast/cli/output.h"
#include "ballast/files/json_writer.h"
#include "ballast/files/trace_folder.h"
#include "ballast/hypermodel/generate.h"
#include "ballast/plan/planner.h"
#include "commands.h"
#include "demo_fleet.h"
#include "demo_scene.h"
#include "demo_screen.h"

namespace ballast::cli {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double speed = 300;  // seconds of the day per second: five minutes pass in one
constexpr Duration stretch = 75min;
constexpr auto start_delay = 3s;
constexpr auto day_length = start_delay + 15s;
constexpr auto patience = 52s;  // in all: then the demo ends, whatever the state
constexpr auto rest_needed = 1500ms;
constexpr auto look_every = 200ms;
constexpr int missed_answers_max = 3;
constexpr std::size_t vms_per_host = 10;
constexpr std::size_t nodes_max = 128;

struct Options {
  std::size_t masters = 1;
  std::size_t slaves = 7;
  std::string trace;
  std::uint64_t seed = 1;
  bool json = false;
};

struct Summary {
  std::size_t overloaded_before = 0;
  std::size_t overloaded_after = 0;
  std::size_t relievable_left = 0;
  std::uint64_t migrations = 0;
  std::uint64_t swaps = 0;
  std::uint64_t lower_bound = 0;
  std::size_t vms_before = 0;
  std::size_t vms_after = 0;
  std::size_t vms_twice = 0;
  double elapsed_ms = 0;
};

// SIGINT, SIGTERM and SIGHUP as something to poll: the demo then ends its nodes and goes.
class Interrupts {
 public:
  Interrupts() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before_);
    descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Interrupts() {
    // What came is answered by how the demo ends; left pending, it would end the process instead.
    signalfd_siginfo taken{};
    while (read(descriptor_, &taken, sizeof taken) > 0) continue;
    if (descriptor_ >= 0) close(descriptor_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  // Waits; true when one came.
  bool within(std::chrono::milliseconds span) const {
    pollfd what{descriptor_, POLLIN, 0};
    return poll(&what, 1, static_cast<int>(span.count())) > 0;
  }

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

Result<Trace> trace_of(const Options& options) {
  if (options.trace.empty()) {
    hypermodel::DayShape shape;
    shape.seed = options.seed;
    shape.hosts = options.masters + options.slaves;
    shape.vms = shape.hosts * vms_per_host;
    shape.hot_share = 0.4;
    shape.peak_share = 0.63;
    return worst_stretch(hypermodel::generate_day(shape), stretch);
  }
  Result<Trace> day = files::read_trace(options.trace);
  if (!day) return day;
  if (day->hosts.size() > nodes_max)
    return Error{options.trace + ": found " + std::to_string(day->hosts.size()) +
                 " hosts, expected at most " + std::to_string(nodes_max) +
                 ": each is a process of its own"};
  return worst_stretch(*day, stretch);
}

// Where every VM runs, as its host's own node says. VMs that are in flight are in no list.
Result<std::vector<std::vector<VmId>>> placement_of(const DemoFleet& fleet, std::size_t hosts) {
  std::vector<std::vector<VmId>> placement;
  for (std::size_t host = 0; host < hosts; ++host) {
    Result<node::View> view = fleet.view(host);
    if (!view) return view.error();
    placement.push_back(view->own_vms);
  }
  return placement;
}

std::uint64_t counter(const node::View& view, const char* name) {
  const auto found = view.counters.find(name);
  return found == view.counters.end() ? 0 : found->second;
}

class Demo {
 public:
  Demo(const Trace& trace, DemoFleet& fleet, DemoScreen& screen)
      : trace_(trace), fleet_(fleet), screen_(screen), began_(Clock::now()) {
    summary_.overloaded_before =
        overloaded_hosts(snapshot_at(trace_, first_placement(trace_), Duration(0)));
    summary_.vms_before = trace_.vms.size();
  }

  // Until the fleet is at rest after the day, or out of patience; nothing when interrupted.
  Result<std::optional<Summary>> play(const Interrupts& interrupts) {
    std::optional<Clock::time_point> at_rest_since;
    for (;;) {
      if (interrupts.within(look_every)) return std::optional<Summary>();
      if (Status alive = fleet_.check_alive(); !alive) return alive.error();
      Result<node::View> view = fleet_.watch_master(last_event_);
      // A busy machine answers late now and then.
      if (!view && ++missed_answers_ < missed_answers_max && Clock::now() - began_ < patience)
        continue;
      if (!view) return view.error();
      missed_answers_ = 0;
      for (const node::Event& event : view->events) last_event_ = event.number;
      const auto passed = Clock::now() - began_;
      screen_.show(headline(*view, passed), *view);
      summary_.migrations = counter(*view, "migrations_done");
      summary_.swaps = counter(*view, "migrations_done_in_swaps") / 2;
      summary_.lower_bound = counter(*view, "plans_done_lower_bounds");
      if (passed < day_length) continue;
      const Result<bool> looked = look_at_rest(*view);
      const bool rests = looked && *looked;
      if (!rests) at_rest_since.reset();
      if (rests && !at_rest_since) at_rest_since = Clock::now();
      const bool done = at_rest_since && Clock::now() - *at_rest_since >= rest_needed;
      if (done || passed >= patience) return std::optional<Summary>(finished(passed));
    }
  }

 private:
  std::string headline(const node::View& view, Clock::duration passed) const {
    const double now_s = std::chrono::duration<double>(passed).count();
    const double day_s = std::chrono::duration<double>(day_length).count();
    const double start_s = std::chrono::duration<double>(start_delay).count();
    const std::string who = std::to_string(view.hosts.size()) + " hosts, " +
                            std::to_string(trace_.vms.size()) + " VMs; ";
    if (now_s < start_s) return who + "the nodes find each other";
    if (now_s >= day_s) return who + "the loads stand still, the fleet comes to rest";
    return who + "a day at " + std::to_string(static_cast<int>(speed)) + " times its speed";
  }

  // Looks at the truth of all hosts: true when nothing moves and nothing is left that a plan could
  // mend.
  Result<bool> look_at_rest(const node::View& master) {
    Result<std::vector<std::vector<VmId>>> placement = placement_of(fleet_, trace_.hosts.size());
    if (!placement) return placement.error();
    const Duration end = trace_.interval * static_cast<Duration::rep>(intervals_of(trace_));
    const Snapshot snapshot = snapshot_at(trace_, *placement, end);
    std::set<VmId> distinct;
    for (const Vm& vm : snapshot.vms) distinct.insert(vm.id);
    const bool twice = distinct.size() != snapshot.vms.size();
    summary_.vms_after = distinct.size();
    summary_.vms_twice = snapshot.vms.size() - distinct.size();
    summary_.overloaded_after = overloaded_hosts(snapshot);
    const bool moving = !master.in_flight.empty() || !master.leases.empty();
    if (twice || moving) {
      summary_.relievable_left = summary_.overloaded_after;
      return false;
    }
    const Plan best = plan::make_plan(snapshot);
    summary_.relievable_left = best.overloaded_before - best.overloaded_after;
    return summary_.relievable_left == 0 && summary_.vms_after == summary_.vms_before;
  }

  Summary finished(Clock::duration passed) {
    summary_.elapsed_ms = std::chrono::duration<double, std::milli>(passed).count();
    return summary_;
  }

  const Trace& trace_;
  DemoFleet& fleet_;
  DemoScreen& screen_;
  Clock::time_point began_;
  std::uint64_t last_event_ = 0;
  int missed_answers_ = 0;
  Summary summary_;
};

std::string as_json(const Summary& summary) {
  std::string out;
  files::JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-demo/1");
  json.field("overloaded_before", std::uint64_t{summary.overloaded_before});
  json.field("overloaded_after", std::uint64_t{summary.overloaded_after});
  json.field("relievable_left", std::uint64_t{summary.relievable_left});
  json.key("migrations");
  json.begin_object();
  json.field("total", summary.migrations);
  json.field("local", summary.migrations);
  json.field("remote", std::uint64_t{0});
  json.field("swaps", summary.swaps);
  json.end_object();
  json.field("lower_bound", summary.lower_bound);
  json.field("remote_grants", std::uint64_t{0});
  json.key("reattached_s");
  json.begin_array();
  json.end_array();
  json.field("vms_before", std::uint64_t{summary.vms_before});
  json.field("vms_after", std::uint64_t{summary.vms_after});
  json.field("elapsed_ms", summary.elapsed_ms);
  json.end_object();
  return out + "\n";
}

std::string as_text(const Summary& summary) {
  char text[640];
  std::snprintf(
      text, sizeof text,
      "hosts over a threshold   %zu with nothing moved at the start, %zu at the end\n"
      "that could be relieved   %zu\n"
      "migrations               %llu done (%llu swaps), at least %llu were needed for the "
      "plans carried out in full\n"
      "VMs                      %zu before, %zu after, none lost, none twice\n"
      "time                     %.1f s\n",
      summary.overloaded_before, summary.overloaded_after, summary.relievable_left,
      static_cast<unsigned long long>(summary.migrations),
      static_cast<unsigned long long>(summary.swaps),
      static_cast<unsigned long long>(summary.lower_bound), summary.vms_before, summary.vms_after,
      summary.elapsed_ms / 1000);
  std::string out = text;
  if (summary.vms_before != summary.vms_after || summary.vms_twice != 0) {
    const std::size_t cut = out.find(", none lost");
    out.replace(cut, out.find('\n', cut) - cut, ": THIS IS A FAULT");
  }
  return out;
}

ExitCode run(const Options& options) {
  if (options.masters != 1)
    return complain("--masters: found " + std::to_string(options.masters) +
                    ", expected 1: this version balances within one group");
  if (options.slaves < 1 || options.slaves >= nodes_max)
    return complain("--slaves: found " + std::to_string(options.slaves) + ", expected 1 to " +
                    std::to_string(nodes_max - 1));
  const Result<Trace> trace = trace_of(options);
  if (!trace) return complain(trace.error());
  const Interrupts interrupts;
  FleetOptions fleet_options;
  fleet_options.trace = *trace;
  fleet_options.speed = speed;
  const auto start = std::chrono::system_clock::now() + start_delay;
  fleet_options.started_unix_s = std::chrono::duration<double>(start.time_since_epoch()).count();
  Result<std::optional<Summary>> summary = std::optional<Summary>();
  {
    Result<std::unique_ptr<DemoFleet>> fleet = DemoFleet::start(fleet_options);
    if (!fleet) return complain(fleet.error());
    DemoScreen screen(options.json);
    summary = Demo(*trace, **fleet, screen).play(interrupts);
  }
  if (!summary) return complain(summary.error());
  if (!*summary) {
    complain("interrupted: all nodes are stopped, nothing is left behind");
    return ExitCode::no;
  }
  const Summary& result = **summary;
  const ExitCode shown = answer(options.json ? as_json(result) : as_text(result));
  if (shown != ExitCode::done) return shown;
  const bool good =
      result.relievable_left == 0 && result.vms_before == result.vms_after && result.vms_twice == 0;
  return good ? ExitCode::done : ExitCode::no;
}

}  // namespace

void add_demo_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "demo", "Balance a group of real nodes on this machine, with simulated VMs.");
  command->add_option("--masters", options->masters, "Masters")->capture_default_str();
  command->add_option("--slaves", options->slaves, "Slaves, in all")->capture_default_str();
  command->add_option("--trace", options->trace,
                      "Folder with recorded loads, instead of a generated day (docs/formats.md)");
  command->add_option("--seed", options->seed, "Of the generated day")->capture_default_str();
  command->add_flag("--json", options->json, "Print the summary as ballast-demo/1, and no more");
  command->footer(
      "Starts one process a host on loopback, lets a day go by in fast time, shows how hosts over\n"
      "their threshold are relieved and why, and ends within a minute. Leaves nothing behind.\n"
      "Exit code 1: a host was left over its threshold that could have been relieved.\n"
      "Examples:\n"
      "  ballast demo\n"
      "  ballast demo --slaves 15 --json");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ballast::cli
