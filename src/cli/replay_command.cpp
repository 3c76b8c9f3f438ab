// `ballast replay`: the whole system on the loads of a recorded day, under virtual time. Source:
// design, section 8.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ballast/cli/output.h"
#include "ballast/files/config.h"
#include "ballast/files/json_writer.h"
#include "ballast/files/trace_folder.h"
#include "ballast/world/replay.h"
#include "commands.h"

namespace ballast::cli {
namespace {

using world::ReplayResult;

struct ReplayLine {
  std::string trace;
  std::string config;
  std::vector<std::string> sets;
  std::string trace_out;
  std::uint64_t seed = 1;
  std::uint32_t effort = 0;
  bool one_group = false;
  bool nothing_moves = false;
  bool json = false;
};

// The settings of every node: the file's, with those of --set over them. Written out as one file
// again and read once more, so that --set is judged like any other line.
Result<Config> config_of(const ReplayLine& options) {
  Config config;
  // A simulation has no keys and no hypervisor of its own; without a file the defaults hold.
  if (!options.config.empty()) {
    files::ConfigReading reading = files::read_config(options.config);
    if (!reading.errors.empty()) return reading.errors.front();
    config = std::move(reading.config);
  }
  if (options.sets.empty()) return config;
  std::map<std::string, std::map<std::string, std::string>> tables;
  const std::vector<files::Setting> known = files::settings();
  for (const files::Setting& setting : known) {
    const std::string value = files::value_of(config, setting);
    if (!value.empty()) tables[std::string(setting.section)][std::string(setting.key)] = value;
  }
  for (const std::string& set : options.sets) {
    const std::size_t equals = set.find('=');
    const std::size_t dot = set.rfind('.', equals);
    if (equals == std::string::npos || dot == std::string::npos)
      return Error{"--set: found " + ballast::quoted(set) + ", expected SECTION.KEY=VALUE"};
    tables[set.substr(0, dot)][set.substr(dot + 1, equals - dot - 1)] = set.substr(equals + 1);
  }
  std::string text;
  for (const auto& [section, keys] : tables) {
    text += "[" + section + "]\n";
    for (const auto& [key, value] : keys) text.append(key).append(" = ").append(value).append("\n");
  }
  files::ConfigReading reading = files::parse_config(text, "--set");
  if (!reading.errors.empty()) return reading.errors.front();
  return std::move(reading.config);
}

std::string as_json(const ReplayResult& result, double elapsed_ms) {
  std::string out;
  files::JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-replay/1");
  json.field("hosts", std::uint64_t{result.hosts});
  json.field("vms", std::uint64_t{result.vms});
  json.field("groups", std::uint64_t{result.groups});
  json.field("intervals", std::uint64_t{result.intervals});
  json.field("time_over_threshold", result.time_over_threshold);
  json.field("time_saturated", result.time_saturated);
  json.field("demand_not_served", result.demand_not_served);
  json.key("migrations");
  json.begin_object();
  json.field("total", result.migrations);
  json.field("local", result.migrations - result.migrations_remote);
  json.field("remote", result.migrations_remote);
  json.field("swaps", result.migrations_swaps);
  json.end_object();
  json.field("returns_2h", result.returns_2h);
  json.key("utilisation");
  json.begin_object();
  json.field("mean", result.utilisation_mean);
  json.field("max", result.utilisation_max);
  json.end_object();
  json.key("requests");
  json.begin_object();
  json.field("sent", result.requests_sent);
  json.field("granted", result.requests_granted);
  json.field("granted_first", result.requests_granted_first);
  json.field("refused", result.requests_refused);
  json.field("refused_stale", result.requests_refused_stale);
  json.end_object();
  json.field("bytes_per_master_s", result.bytes_per_master_s);
  json.key("findings");
  json.begin_array();
  for (const world::Finding& finding : result.findings) {
    json.begin_object();
    json.field("auditor", finding.auditor);
    json.field("seed", finding.seed);
    json.field("at_s", finding.at_s);
    json.field("detail", finding.detail);
    json.end_object();
  }
  json.end_array();
  json.field("elapsed_ms", elapsed_ms);
  json.end_object();
  return out + "\n";
}

std::string percent_of(double share) { return fixed(100 * share, 2) + " %"; }

std::string as_text(const ReplayResult& result, double elapsed_ms) {
  std::string out = std::to_string(result.hosts) + " hosts in " + std::to_string(result.groups) +
                    (result.groups == 1 ? " group, " : " groups, ") + std::to_string(result.vms) +
                    " VMs, " + std::to_string(result.intervals) + " intervals\n";
  const auto line = [&](const std::string& what, const std::string& value) {
    out += "  " + what + std::string(what.size() < 26 ? 26 - what.size() : 1, ' ') + value + "\n";
  };
  line("time over the threshold", percent_of(result.time_over_threshold));
  line("time saturated", percent_of(result.time_saturated));
  line("demand not served", percent_of(result.demand_not_served));
  line("migrations", std::to_string(result.migrations) + ", " +
                         std::to_string(result.migrations_remote) + " of them to another group, " +
                         std::to_string(result.migrations_swaps) + " swaps");
  line("back within 2 hours", std::to_string(result.returns_2h));
  line("utilisation", percent_of(result.utilisation_mean) + " on average, " +
                          percent_of(result.utilisation_max) + " at most");
  line("requests", std::to_string(result.requests_sent) + " sent, " +
                       std::to_string(result.requests_granted) + " granted, " +
                       std::to_string(result.requests_granted_first) + " at the first try, " +
                       std::to_string(result.requests_refused) + " refused, " +
                       std::to_string(result.requests_refused_stale) + " by stale news");
  line("bytes of a master a second", fixed(result.bytes_per_master_s, 0));
  line("took", fixed(elapsed_ms / 1000, 1) + " s");
  for (const world::Finding& finding : result.findings)
    out += "FINDING " + finding.auditor + " at " + fixed(finding.at_s, 3) +
           " s: " + finding.detail + "\n";
  return out;
}

ExitCode run_replay(const ReplayLine& options) {
  Result<Config> config = config_of(options);
  if (!config) return complain(config.error());
  Result<Trace> trace = files::read_trace(options.trace);
  if (!trace) return complain(trace.error());
  world::ReplayOptions replay;
  replay.config = *std::move(config);
  replay.trace = *std::move(trace);
  replay.config.plan.effort = options.effort;
  replay.moves = !options.nothing_moves;
  replay.one_group = options.one_group;
  replay.seed = options.seed;
  std::ofstream log;
  if (!options.trace_out.empty()) {
    log.open(options.trace_out, std::ios::trunc);
    if (!log) return complain(options.trace_out + ": cannot be written");
    replay.log = [&](const std::string& line) { log << line << '\n'; };
  }
  const auto before = std::chrono::steady_clock::now();
  const ReplayResult result = world::replay(std::move(replay));
  const double elapsed_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count();
  const ExitCode told =
      answer(options.json ? as_json(result, elapsed_ms) : as_text(result, elapsed_ms));
  if (told != ExitCode::done) return told;
  return result.findings.empty() ? ExitCode::done : ExitCode::no;
}

}  // namespace

void add_replay_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ReplayLine>();
  CLI::App* command = app.add_subcommand(
      "replay", "Run the whole system on recorded loads, under virtual time, and measure it.");
  command->add_option("TRACE", options->trace, "Folder with hosts.csv, vms.csv and cpu.csv")
      ->required();
  command->add_option("--config", options->config, "Settings of every node, a TOML file");
  command
      ->add_option("--set", options->sets,
                   "One setting, as in plan.dwell=3; wins over the file; may be given again")
      ->allow_extra_args(false);
  command->add_flag("--one-group", options->one_group,
                    "All hosts under one master: what being decentralised costs");
  command->add_flag("--nothing-moves", options->nothing_moves,
                    "Only measure: what the loads are like when no VM moves");
  command->add_option("--effort", options->effort,
                      "How long plans are searched (hundreds: a rough and quick replay); 0: as a "
                      "master does");
  command->add_option("--seed", options->seed, "Seed of all that is drawn")->capture_default_str();
  command->add_option("--trace-out", options->trace_out,
                      "Write all that happens to this file, a line each");
  command->add_flag("--json", options->json, "Print as ballast-replay/1, for programs");
  command->footer(
      "Loads and formats: docs/formats.md. A migration takes the VM's memory / 62.5 MB/s.\n"
      "Examples:\n"
      "  ballast replay trace/\n"
      "  ballast replay trace/ --set sample.sample_interval=5 --set sample.report_interval=15");
  command->callback([options, &action] { action = [options] { return run_replay(*options); }; });
}

}  // namespace ballast::cli
