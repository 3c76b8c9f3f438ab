// `ballast run`: the daemon. Source: design, section 8.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "ballast/cli/command.h"
#include "ballast/cli/output.h"
#include "ballast/daemon/daemon.h"
#include "ballast/files/config.h"
#include "commands.h"

namespace ballast::cli {
namespace {

struct RunOptions {
  std::string config = "/etc/ballast/ballast.toml";
  std::string role;
  std::string control;
};

ExitCode run_run(const RunOptions& options) {
  const files::ConfigReading reading = files::read_config(options.config, [&](Config& config) {
    if (options.role == "master") config.node.role = Role::master;
    if (options.role == "slave") config.node.role = Role::slave;
    if (options.role == "auto") config.node.role = Role::automatic;
    if (!options.control.empty()) config.node.control = options.control;
  });
  ExitCode code = ExitCode::done;
  for (const Error& error : reading.errors) code = complain(error);
  if (code != ExitCode::done) return code;
  daemon::LineLog log(STDERR_FILENO);
  if (const Status done = daemon::run(reading.config, log); !done) return complain(done.error());
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
  command->footer(
      "Logs on standard error. SIGTERM and SIGINT end it in order; VMs are never touched by that.\n"
      "Before the first start: `ballast keygen`, then `ballast trust add` on each node.\n"
      "Example:\n"
      "  ballast run --config /etc/ballast/ballast.toml");
  command->callback([options, &action] { action = [options] { return run_run(*options); }; });
}

}  // namespace ballast::cli
