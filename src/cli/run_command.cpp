// `ballast run`: the daemon. Source: design, section 8.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "ballast/cli/command.h"
#include "ballast/cli/output.h"
#include "ballast/daemon/daemon.h"
#include "ballast/files/config.h"
#include "commands.h"
#include "host_setup.h"

namespace ballast::cli {
namespace {

struct RunOptions {
  std::string config = default_config;
  std::string state_dir;
  std::string role;
  std::string control;
};

ExitCode run_run(const RunOptions& options) {
  const auto change = [&](Config& config) {
    if (options.role == "master") config.node.role = Role::master;
    if (options.role == "slave") config.node.role = Role::slave;
    if (options.role == "auto") config.node.role = Role::automatic;
    if (!options.control.empty()) config.node.control = options.control;
    if (!options.state_dir.empty()) config.node.state_dir = options.state_dir;
  };
  // Only the file that nobody has named may be missing.
  const auto read = [&] {
    return files::read_node_config(options.config, options.config == default_config,
                                   options.state_dir, change);
  };
  const files::ConfigReading reading = read();
  ExitCode code = ExitCode::done;
  for (const Error& error : reading.errors) code = complain(error);
  if (code != ExitCode::done) return code;
  daemon::LineLog log(STDERR_FILENO, std::getenv("JOURNAL_STREAM"));
  if (const Status done = daemon::run(reading.config, log, read); !done)
    return complain(done.error());
  return ExitCode::done;
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run the node of this host, until it is stopped.");
  command->add_option("--config", options->config, "TOML file, as conf/ballast.toml explains it")
      ->capture_default_str();
  command->add_option("--role", options->role, "Instead of [node] role")
      ->check(CLI::IsMember({"master", "slave", "auto"}));
  command->add_option("--control", options->control, "Socket for commands, instead of the file's");
  command->add_option("--state-dir", options->state_dir,
                      "Folder of keys and state, instead of the file's");
  command->footer(
      "Logs on standard error. SIGTERM and SIGINT end it in order; VMs are never touched by that.\n"
      "SIGHUP takes over what has changed in the configuration, as `ballast reload` does.\n"
      "Before the first start: `ballast init` on the first host, `ballast join TOKEN` on the "
      "others.\n"
      "Then no configuration is needed; what one sets wins over what the join has left.\n"
      "Example:\n"
      "  ballast run --config /etc/ballast/ballast.toml");
  command->callback([options, &action] { action = [options] { return run_run(*options); }; });
}

}  // namespace ballast::cli
