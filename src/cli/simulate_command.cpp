// `ballast simulate`: a made-up fleet under virtual time, as many seeds as asked for, and what came
// of it. Source: design, section 8.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/cli/output.h"
#include "ballast/files/json_writer.h"
#include "ballast/world/simulate.h"
#include "commands.h"

namespace ballast::cli {
namespace {

using world::Finding;
using world::SimulateOptions;
using world::SimulateResult;

constexpr std::uint64_t seeds_max = 1000000;

struct SimulateLine {
  SimulateOptions simulate;
  std::string faults = "none";
  std::string seeds;  // "A..B"; empty: the one of `simulate`
  std::string trace_out;
  bool json = false;
};

// All seeds together.
struct Sum {
  SimulateResult all;  // sums, maxima, and means of what is a rate
  std::uint64_t seeds = 0;
  double elapsed_ms = 0;
};

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Result<std::pair<std::uint64_t, std::uint64_t>> seeds_of(const SimulateLine& options) {
  if (options.seeds.empty()) return std::pair{options.simulate.seed, options.simulate.seed};
  const std::size_t dots = options.seeds.find("..");
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const bool read = dots != std::string::npos &&
                    read_number(std::string_view(options.seeds).substr(0, dots), first) &&
                    read_number(std::string_view(options.seeds).substr(dots + 2), last);
  if (!read || last < first || last - first >= seeds_max)
    return Error{"--seeds: found " + ballast::quoted(options.seeds) +
                 ", expected FIRST..LAST, at most a million seeds"};
  return std::pair{first, last};
}

void add(std::optional<world::BesideResult>& all, const world::BesideResult& one) {
  if (!all) all.emplace();
  all->rounds_to_all.insert(all->rounds_to_all.end(), one.rounds_to_all.begin(),
                            one.rounds_to_all.end());
  all->lost += one.lost;
  all->bytes_per_master_s += one.bytes_per_master_s;
}

// The slowest counts; one that never came together is the slowest.
void add(std::optional<world::CrashResult>& all, const world::CrashResult& one) {
  if (!all) {
    all = one;
  } else if (!one.one_mesh_s) {
    all->one_mesh_s.reset();
  } else if (all->one_mesh_s) {
    all->one_mesh_s = std::max(*all->one_mesh_s, *one.one_mesh_s);
  }
}

void add(Sum& sum, const SimulateResult& one) {
  SimulateResult& all = sum.all;
  ++sum.seeds;
  all.hosts = one.hosts;
  all.vms = one.vms;
  all.simulated_s = one.simulated_s;
  all.rounds_to_all.insert(all.rounds_to_all.end(), one.rounds_to_all.begin(),
                           one.rounds_to_all.end());
  all.peers_max = std::max(all.peers_max, one.peers_max);
  all.connections_max = std::max(all.connections_max, one.connections_max);
  all.in_bytes_per_master_s += one.in_bytes_per_master_s;
  all.out_bytes_per_master_s += one.out_bytes_per_master_s;
  all.while_joining.in += one.while_joining.in;
  all.while_joining.out += one.while_joining.out;
  all.once_joined.in += one.once_joined.in;
  all.once_joined.out += one.once_joined.out;
  all.changed_share_per_minute += one.changed_share_per_minute;
  for (const auto& [kind, bytes] : one.bytes_by_kind) all.bytes_by_kind[kind] += bytes;
  if (one.memberlist) add(all.memberlist, *one.memberlist);
  if (one.crash) add(all.crash, *one.crash);
  all.requests_sent += one.requests_sent;
  all.requests_granted += one.requests_granted;
  all.requests_granted_first += one.requests_granted_first;
  all.requests_refused += one.requests_refused;
  all.requests_refused_stale += one.requests_refused_stale;
  all.migrations += one.migrations;
  all.migrations_remote += one.migrations_remote;
  all.migrations_swaps += one.migrations_swaps;
  all.overload_before += one.overload_before;
  all.overload_after += one.overload_after;
  all.surplus_left_that_fits += one.surplus_left_that_fits;
  all.findings.insert(all.findings.end(), one.findings.begin(), one.findings.end());
}

double mean_of(const std::vector<double>& numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  return numbers.empty() ? 0 : sum / static_cast<double>(numbers.size());
}
double max_of(const std::vector<double>& numbers) {
  return numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end());
}

double rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// What replays one seed, with everything that happens told.
std::string replay_line(const SimulateLine& options, std::uint64_t seed) {
  char minutes[32];
  std::snprintf(minutes, sizeof minutes, "%g", options.simulate.minutes);
  return "ballast simulate --masters " + std::to_string(options.simulate.masters) + " --slaves " +
         std::to_string(options.simulate.slaves) + " --vms " +
         std::to_string(options.simulate.vms) + " --faults " + options.faults + " --minutes " +
         minutes + " --seed " + std::to_string(seed) + " --trace-out seed-" + std::to_string(seed) +
         ".txt";
}

void write_bytes(files::JsonWriter& json, const char* key, const world::Bytes& bytes,
                 double seeds) {
  json.key(key);
  json.begin_object();
  json.field("in", bytes.in / seeds);
  json.field("out", bytes.out / seeds);
  json.end_object();
}

void write(files::JsonWriter& json, const world::BesideResult& memberlist, double seeds) {
  json.key("memberlist");
  json.begin_object();
  json.key("rounds_to_all");
  json.begin_object();
  json.field("mean", mean_of(memberlist.rounds_to_all));
  json.field("max", max_of(memberlist.rounds_to_all));
  json.end_object();
  json.field("lost", memberlist.lost);
  json.field("bytes_per_master_s", memberlist.bytes_per_master_s / seeds);
  json.end_object();
}

void write(files::JsonWriter& json, const world::CrashResult& crash) {
  json.key("after_crash");
  json.begin_object();
  json.field("masters_left", std::uint64_t{crash.masters_left});
  if (crash.one_mesh_s) json.field("one_mesh_s", *crash.one_mesh_s);
  json.end_object();
}

std::string as_json(const SimulateLine& options, const Sum& sum) {
  const SimulateResult& all = sum.all;
  const auto seeds = static_cast<double>(sum.seeds);
  std::string out;
  files::JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-simulate/1");
  json.field("masters", std::uint64_t{options.simulate.masters});
  json.field("hosts", std::uint64_t{all.hosts});
  json.field("vms", std::uint64_t{all.vms});
  json.field("seeds", sum.seeds);
  json.field("simulated_s", all.simulated_s);
  json.key("rounds_to_all");
  json.begin_object();
  json.field("mean", mean_of(all.rounds_to_all));
  json.field("max", max_of(all.rounds_to_all));
  json.end_object();
  json.field("peers_max", all.peers_max);
  json.field("connections_max", all.connections_max);
  json.key("bytes_per_master_s");
  json.begin_object();
  json.field("in", all.in_bytes_per_master_s / seeds);
  json.field("out", all.out_bytes_per_master_s / seeds);
  json.end_object();
  json.key("bytes_per_master_s_by_phase");
  json.begin_object();
  write_bytes(json, "first_minute", all.while_joining, seeds);
  write_bytes(json, "from_third_minute", all.once_joined, seeds);
  json.end_object();
  json.field("summaries_changed_per_minute", all.changed_share_per_minute / seeds);
  json.key("bytes_per_master_s_by_kind");
  json.begin_object();
  for (const auto& [kind, bytes] : all.bytes_by_kind) json.field(kind.c_str(), bytes / seeds);
  json.end_object();
  if (all.memberlist) write(json, *all.memberlist, seeds);
  if (all.crash) write(json, *all.crash);
  json.key("requests");
  json.begin_object();
  json.field("sent", all.requests_sent);
  json.field("granted", all.requests_granted);
  json.field("granted_first", all.requests_granted_first);
  json.field("refused", all.requests_refused);
  json.field("refused_stale", all.requests_refused_stale);
  json.end_object();
  json.key("migrations");
  json.begin_object();
  json.field("total", all.migrations);
  json.field("local", all.migrations - all.migrations_remote);
  json.field("remote", all.migrations_remote);
  json.field("swaps", all.migrations_swaps);
  json.end_object();
  json.field("overload_before", all.overload_before / seeds);
  json.field("overload_after", all.overload_after / seeds);
  json.field("surplus_left_that_fits", std::uint64_t{all.surplus_left_that_fits});
  json.key("findings");
  json.begin_array();
  for (const Finding& finding : all.findings) {
    json.begin_object();
    json.field("auditor", finding.auditor);
    json.field("seed", finding.seed);
    json.field("at_s", finding.at_s);
    json.field("detail", finding.detail);
    json.end_object();
  }
  json.end_array();
  json.field("elapsed_ms", sum.elapsed_ms);
  json.field("rss_mib", rss_mib());
  json.end_object();
  return out + "\n";
}

std::string as_text(const SimulateLine& options, const Sum& sum) {
  const SimulateResult& all = sum.all;
  const auto seeds = static_cast<double>(sum.seeds);
  std::string out;
  const auto line = [&](const std::string& what, const std::string& value) {
    out += "  " + what + std::string(what.size() < 26 ? 26 - what.size() : 1, ' ') + value + "\n";
  };
  out += std::to_string(options.simulate.masters) + " masters, " + std::to_string(all.hosts) +
         " hosts, " + std::to_string(all.vms) + " VMs; " + std::to_string(sum.seeds) +
         (sum.seeds == 1 ? " seed of " : " seeds of ") + fixed(all.simulated_s, 0) +
         " s; faults: " + options.faults + "\n";
  line("migrations", std::to_string(all.migrations) + ", " + std::to_string(all.migrations_remote) +
                         " of them to another group, " + std::to_string(all.migrations_swaps) +
                         " swaps");
  line("overload before, after",
       fixed(all.overload_before / seeds, 2) + ", " + fixed(all.overload_after / seeds, 2));
  line("surplus that fits", std::to_string(all.surplus_left_that_fits));
  line("requests", std::to_string(all.requests_sent) + " sent, " +
                       std::to_string(all.requests_granted) + " granted, " +
                       std::to_string(all.requests_granted_first) + " at the first try, " +
                       std::to_string(all.requests_refused) + " refused, " +
                       std::to_string(all.requests_refused_stale) + " by stale news");
  line("rounds until all know", all.rounds_to_all.empty()
                                    ? "-"
                                    : fixed(mean_of(all.rounds_to_all), 1) + " on average, " +
                                          fixed(max_of(all.rounds_to_all), 1) + " at most");
  line("of one master, at most", std::to_string(all.peers_max) + " peers, " +
                                     std::to_string(all.connections_max) + " connections");
  line("bytes a second, in, out",
       fixed(all.in_bytes_per_master_s / seeds, 0) + ", " +
           fixed(all.out_bytes_per_master_s / seeds, 0) + "; from the third minute on " +
           fixed(all.once_joined.in / seeds, 0) + ", " + fixed(all.once_joined.out / seeds, 0) +
           ", while " + fixed(100 * all.changed_share_per_minute / seeds, 0) +
           " % of the summaries changed each minute");
  if (all.memberlist)
    line("memberlist's push gossip",
         fixed(mean_of(all.memberlist->rounds_to_all), 1) + " rounds on average, " +
             fixed(max_of(all.memberlist->rounds_to_all), 1) + " at most, " +
             std::to_string(all.memberlist->lost) + " never known to all; " +
             fixed(all.memberlist->bytes_per_master_s / seeds, 0) + " bytes a second");
  if (all.crash)
    line("one mesh after the crash",
         all.crash->one_mesh_s ? fixed(*all.crash->one_mesh_s, 1) + " s" : "never");
  line("took", fixed(sum.elapsed_ms / 1000, 1) + " s, " + fixed(rss_mib(), 0) + " MiB");
  for (const Finding& finding : all.findings) {
    out += "FINDING " + finding.auditor + ", seed " + std::to_string(finding.seed) + ", at " +
           fixed(finding.at_s, 3) + " s: " + finding.detail + "\n";
    if (&finding == &all.findings.back() || (&finding + 1)->seed != finding.seed)
      out += "  replay it: " + replay_line(options, finding.seed) + "\n";
  }
  if (all.findings.empty()) out += "No finding.\n";
  return out;
}

ExitCode run_simulate(SimulateLine options) {
  const auto profile = world::fault_profile(options.faults);
  if (!profile)
    return complain("--faults: found " + ballast::quoted(options.faults) +
                    ", expected none, loss30, crash80, chaos or liars");
  options.simulate.faults = *profile;
  const auto seeds = seeds_of(options);
  if (!seeds) return complain(seeds.error());
  std::ofstream trace;
  if (!options.trace_out.empty()) {
    trace.open(options.trace_out, std::ios::trunc);
    if (!trace) return complain(options.trace_out + ": cannot be written");
    options.simulate.log = [&](const std::string& line) { trace << line << '\n'; };
  }
  const auto before = std::chrono::steady_clock::now();
  Sum sum;
  for (std::uint64_t seed = seeds->first; seed <= seeds->second; ++seed) {
    options.simulate.seed = seed;
    add(sum, world::simulate(options.simulate));
  }
  sum.elapsed_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count();
  const ExitCode told = answer(options.json ? as_json(options, sum) : as_text(options, sum));
  if (told != ExitCode::done) return told;
  return sum.all.findings.empty() ? ExitCode::done : ExitCode::no;
}

}  // namespace

void add_simulate_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<SimulateLine>();
  SimulateOptions& simulate = options->simulate;
  CLI::App* command = app.add_subcommand(
      "simulate", "Run a made-up fleet under virtual time, with faults, and audit every step.");
  command->add_option("--masters", simulate.masters, "Masters, each with a group")
      ->required()
      ->check(CLI::Range(1, 100000));
  command->add_option("--slaves", simulate.slaves, "Slaves of each master")
      ->required()
      ->check(CLI::Range(0, 4096));
  command->add_option("--vms", simulate.vms, "VMs of each host")
      ->required()
      ->check(CLI::Range(1, 1000));
  auto* seed = command->add_option("--seed", simulate.seed, "Seed that everything follows from");
  command->add_option("--seeds", options->seeds, "Seeds FIRST..LAST, one run each")->excludes(seed);
  command->add_option("--faults", options->faults, "none, loss30, crash80, chaos or liars")
      ->capture_default_str();
  command->add_option("--minutes", simulate.minutes, "Virtual time of each run, in minutes")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 14400.0));
  command->add_flag("--memberlist", simulate.beside_memberlist,
                    "Run memberlist's push gossip beside the mesh, to compare");
  command->add_option("--trace-out", options->trace_out,
                      "Write all that happens to this file, a line each");
  command->add_flag("--json", options->json, "Print as ballast-simulate/1, for programs");
  command->footer(
      "Exit code 1 when an auditor has found something.\n"
      "Examples:\n"
      "  ballast simulate --masters 5 --slaves 4 --vms 4 --minutes 30 --faults chaos --seeds "
      "1..50\n"
      "  ballast simulate --masters 1000 --slaves 8 --vms 8 --json");
  command->callback([options, &action] { action = [options] { return run_simulate(*options); }; });
}

}  // namespace ballast::cli
