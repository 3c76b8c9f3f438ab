// `ballast demo`: groups of real nodes of this binary on loopback, with simulated hypervisors, on a
// fast day. Source: design, section 8.

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
#include <vector>

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
#include "demo_watch.h"

namespace ballast::cli {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double speed = 300;  // seconds of the day per second: five minutes pass in one
constexpr Duration stretch = 75min;
constexpr auto start_delay = 3s;
constexpr auto day_length = start_delay + 15s;
// A fleet that still moves VMs by then is told to begin no more, so that what is shown at the end
// is one moment and not VMs on their way.
constexpr auto pause_at = 45s;
constexpr auto demo_patience = 54s;  // in all: then the demo ends, whatever the state
// A master is killed once the groups have helped each other by a move and by a swap, as both are to
// be seen, and by then whatever they have done.
constexpr auto kill_at_the_latest = start_delay + 20s;
constexpr auto rest_needed = 1500ms;
constexpr auto look_every = 200ms;
constexpr int missed_answers_max = 3;
constexpr std::size_t vms_per_host = 10;
constexpr std::size_t nodes_max = 128;
constexpr std::size_t masters_max = 16;

struct DemoOptions {
  std::size_t masters = 1;
  std::size_t slaves = 7;
  std::string trace;
  std::uint64_t seed = 1;
  bool json = false;
  std::size_t kill_masters = 0;
};

struct Summary {
  std::size_t overloaded_before = 0;
  std::size_t overloaded_after = 0;
  std::size_t relievable_left = 0;
  std::uint64_t migrations = 0;
  std::uint64_t remote = 0;  // of the migrations
  std::uint64_t swaps = 0;
  std::uint64_t remote_grants = 0;
  std::uint64_t lower_bound = 0;
  std::size_t masters = 1;
  std::size_t killed = 0;
  std::vector<double> reattached_s;
  std::size_t orphans = 0;  // slaves of killed masters that found no other
  std::size_t vms_before = 0;
  std::size_t vms_after = 0;
  std::vector<std::string> missing;  // VMs that no host listed, with what is known of them
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

Result<Trace> trace_of(const DemoOptions& options) {
  if (options.trace.empty()) {
    hypermodel::DayShape shape;
    shape.seed = options.seed;
    shape.hosts = options.masters + options.slaves;
    shape.vms = shape.hosts * vms_per_host;
    shape.groups = options.masters;
    shape.hot_share = 0.4;
    shape.peak_share = 0.63;
    Trace trace = worst_stretch(hypermodel::generate_day(shape), stretch);
    if (options.masters > 1) make_groups_need_each_other(trace, options.masters);
    return trace;
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

class Demo {
 public:
  Demo(const Trace& trace, DemoFleet& fleet, DemoScreen& screen, std::size_t kill_masters)
      : trace_(trace),
        fleet_(fleet),
        screen_(screen),
        watch_(trace, fleet),
        kills_wanted_(kill_masters),
        began_(Clock::now()) {
    summary_.masters = fleet.masters();
    summary_.overloaded_before =
        overloaded_hosts(snapshot_at(trace_, first_placement(trace_), Duration(0)));
    summary_.vms_before = trace_.vms.size();
  }

  // Until the fleet is at rest after the day, or out of demo_patience; nothing when interrupted.
  Result<std::optional<Summary>> play(const Interrupts& interrupts) {
    std::optional<Clock::time_point> at_rest_since;
    for (;;) {
      if (interrupts.within(look_every)) return std::optional<Summary>();
      if (Status alive = fleet_.check_alive(); !alive) return alive.error();
      if (is_time_to_kill()) watch_.kill_masters(kills_wanted_);
      if (Status followed = watch_.follow_killed(); !followed) return followed.error();
      Result<node::View> view = watch_.look();
      // A busy machine answers late now and then.
      if (!view && ++missed_answers_ < missed_answers_max && Clock::now() - began_ < demo_patience)
        continue;
      if (!view) return view.error();
      missed_answers_ = 0;
      const auto passed = Clock::now() - began_;
      screen_.show(headline(*view, passed), *view);
      take_counters();
      if (passed < day_length) continue;
      if (passed >= pause_at && !paused_) paused_ = fleet_.pause().ok();
      const Result<bool> looked = look_at_rest(*view);
      const bool rests = looked && *looked && watch_.killed() == kills_wanted_;
      if (!rests) at_rest_since.reset();
      if (rests && !at_rest_since) at_rest_since = Clock::now();
      const bool done = at_rest_since && Clock::now() - *at_rest_since >= rest_needed;
      if (done || passed >= demo_patience) return std::optional<Summary>(finished(passed));
    }
  }

 private:
  bool is_time_to_kill() const {
    if (watch_.killed() == kills_wanted_) return false;
    const std::uint64_t swapped = watch_.counter("remote_migrations_in_swaps");
    const bool helped = swapped >= 2 && watch_.counter("remote_migrations") > swapped;
    return helped || Clock::now() - began_ >= kill_at_the_latest;
  }

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

  void take_counters() {
    summary_.migrations = watch_.counter("migrations_done");
    summary_.remote = watch_.counter("remote_migrations");
    summary_.swaps = watch_.counter("migrations_done_in_swaps") / 2 +
                     watch_.counter("remote_migrations_in_swaps") / 2;
    summary_.remote_grants = watch_.counter("requests_granted");
    summary_.lower_bound = watch_.counter("plans_done_lower_bounds");
    summary_.killed = watch_.killed();
    summary_.reattached_s = watch_.reattached_s();
    summary_.orphans = watch_.orphans();
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
    summary_.missing = missing_vms(distinct, master);
    const bool moving = !master.in_flight.empty() || !master.leases.empty();
    if (twice || moving) {
      summary_.relievable_left = summary_.overloaded_after;
      return false;
    }
    const Plan best = plan::make_plan(snapshot);
    summary_.relievable_left = best.overloaded_before - best.overloaded_after;
    return summary_.relievable_left == 0 && summary_.vms_after == summary_.vms_before;
  }

  // VMs that no host says it runs, each with what the masters know of it.
  std::vector<std::string> missing_vms(const std::set<VmId>& found,
                                       const node::View& master) const {
    std::vector<std::string> missing;
    for (const TraceVm& vm : trace_.vms) {
      if (found.contains(vm.id)) continue;
      std::string said = "'" + vm.id.str() + "':";
      for (const node::MoveView& move : master.in_flight)
        if (move.vm == vm.id)
          said += " move from " + move.from.str() + " to " + move.to.str() + " " + move.state + ";";
      for (const node::LeaseView& lease : master.leases)
        if (lease.vm == vm.id)
          said +=
              " lease from " + lease.from.str() + " to " + lease.to.str() + " " + lease.phase + ";";
      missing.push_back(std::move(said));
    }
    return missing;
  }

  Summary finished(Clock::duration passed) {
    summary_.elapsed_ms = std::chrono::duration<double, std::milli>(passed).count();
    return summary_;
  }

  const Trace& trace_;
  DemoFleet& fleet_;
  DemoScreen& screen_;
  DemoWatch watch_;
  std::size_t kills_wanted_;
  Clock::time_point began_;
  int missed_answers_ = 0;
  bool paused_ = false;
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
  json.field("local", summary.migrations - summary.remote);
  json.field("remote", summary.remote);
  json.field("swaps", summary.swaps);
  json.end_object();
  json.field("lower_bound", summary.lower_bound);
  json.field("remote_grants", summary.remote_grants);
  json.key("reattached_s");
  json.begin_array();
  for (const double span : summary.reattached_s) json.number(span);
  json.end_array();
  json.field("vms_before", std::uint64_t{summary.vms_before});
  json.field("vms_after", std::uint64_t{summary.vms_after});
  json.field("elapsed_ms", summary.elapsed_ms);
  json.end_object();
  return out + "\n";
}

std::string killed_line(const Summary& summary) {
  std::string out = summary.killed == 1
                        ? "a master was killed      its slaves had another after"
                        : std::to_string(summary.killed) +
                              " masters were killed    their slaves had another after";
  for (const double span : summary.reattached_s) {
    char text[32];
    std::snprintf(text, sizeof text, " %.1f", span);
    out += text;
  }
  out += " s";
  if (summary.orphans > 0) out += "; " + std::to_string(summary.orphans) + " FOUND NONE";
  return out + "\n";
}

std::string as_text(const Summary& summary) {
  const std::string needed = summary.lower_bound == 0
                                 ? ""
                                 : ", at least " + std::to_string(summary.lower_bound) +
                                       " were needed for the plans carried out in full";
  char text[640];
  std::snprintf(text, sizeof text,
                "hosts over a threshold   %zu with nothing moved at the start, %zu at the end\n"
                "that could be relieved   %zu\n"
                "migrations               %llu done (%llu swaps)%s\n"
                "VMs                      %zu before, %zu after, none lost, none twice\n"
                "time                     %.1f s\n",
                summary.overloaded_before, summary.overloaded_after, summary.relievable_left,
                static_cast<unsigned long long>(summary.migrations),
                static_cast<unsigned long long>(summary.swaps), needed.c_str(), summary.vms_before,
                summary.vms_after, summary.elapsed_ms / 1000);
  std::string out = text;
  if (summary.masters > 1)
    out += "between groups           " + std::to_string(summary.remote) + " migrations, " +
           std::to_string(summary.remote_grants) + " grants\n";
  if (summary.killed > 0) out += killed_line(summary);
  if (summary.vms_before != summary.vms_after || summary.vms_twice != 0) {
    const std::size_t cut = out.find(", none lost");
    out.replace(cut, out.find('\n', cut) - cut, ": THIS IS A FAULT");
  }
  return out;
}

ExitCode run_demo(const DemoOptions& options) {
  if (options.masters < 1 || options.masters > masters_max)
    return complain("--masters: found " + std::to_string(options.masters) + ", expected 1 to " +
                    std::to_string(masters_max));
  if (options.slaves < 1 || options.slaves >= nodes_max)
    return complain("--slaves: found " + std::to_string(options.slaves) + ", expected 1 to " +
                    std::to_string(nodes_max - 1));
  if (options.kill_masters > 0 && options.kill_masters >= options.masters)
    return complain("--kill-master: found it " + std::to_string(options.kill_masters) +
                    " times and --masters " + std::to_string(options.masters) +
                    ", expected at least one that stays");
  const Result<Trace> trace = trace_of(options);
  if (!trace) return complain(trace.error());
  if (trace->hosts.size() <= options.masters)
    return complain("--masters: found " + std::to_string(options.masters) +
                    ", expected fewer than the " + std::to_string(trace->hosts.size()) +
                    " hosts of the trace");
  const Interrupts interrupts;
  FleetOptions fleet_options;
  fleet_options.trace = *trace;
  fleet_options.speed = speed;
  fleet_options.masters = options.masters;
  fleet_options.interrupted = [&] { return interrupts.within(0ms); };
  const auto start = std::chrono::system_clock::now() + start_delay;
  fleet_options.started_unix_s = std::chrono::duration<double>(start.time_since_epoch()).count();
  Result<std::optional<Summary>> summary = std::optional<Summary>();
  {
    Result<std::unique_ptr<DemoFleet>> fleet = DemoFleet::start(fleet_options);
    if (!fleet) return complain(fleet.error());
    DemoScreen screen(options.json);
    if (*fleet) summary = Demo(*trace, **fleet, screen, options.kill_masters).play(interrupts);
  }
  if (!summary) return complain(summary.error());
  if (!*summary) {
    complain("interrupted: all nodes are stopped, nothing is left behind");
    return ExitCode::no;
  }
  const Summary& result = **summary;
  const ExitCode shown = answer(options.json ? as_json(result) : as_text(result));
  for (const std::string& vm : result.missing) complain("no host says that it runs " + vm);
  if (shown != ExitCode::done) return shown;
  const bool good = result.relievable_left == 0 && result.vms_before == result.vms_after &&
                    result.vms_twice == 0 && result.orphans == 0;
  return good ? ExitCode::done : ExitCode::no;
}

}  // namespace

void add_demo_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* command = app.add_subcommand(
      "demo", "Balance groups of real nodes on this machine, with simulated VMs.");
  command->add_option("--masters", options->masters, "Masters")->capture_default_str();
  command->add_option("--slaves", options->slaves, "Slaves, in all")->capture_default_str();
  command->add_option("--trace", options->trace,
                      "Folder with recorded loads, instead of a generated day (docs/formats.md)");
  command->add_option("--seed", options->seed, "Of the generated day")->capture_default_str();
  command->add_flag("--kill-master", options->kill_masters,
                    "Kill a master (kill -9) once the groups have helped each other, and see its\n"
                    "slaves find another; given twice, two masters at once");
  command->add_flag("--json", options->json, "Print the summary as ballast-demo/1, and no more");
  command->footer(
      "Starts one process a host on loopback, lets a day go by in fast time, shows how hosts over\n"
      "their threshold are relieved and why, and ends within a minute. Leaves nothing behind.\n"
      "Exit code 1: a host was left over its threshold that could have been relieved.\n"
      "Examples:\n"
      "  ballast demo\n"
      "  ballast demo --slaves 15 --json\n"
      "  ballast demo --masters 3 --slaves 9 --kill-master");
  command->callback([options, &action] { action = [options] { return run_demo(*options); }; });
}

}  // namespace ballast::cli
