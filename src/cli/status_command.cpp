// `ballast status`: how a running node and its group stand. Source: design, section 8.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "asking.h"
#include "ballast/cli/command.h"
#include "ballast/cli/output.h"
#include "ballast/daemon/control.h"
#include "ballast/files/config.h"
#include "ballast/files/status.h"
#include "commands.h"
#include "status_text.h"

namespace ballast::cli {
namespace {

ExitCode run_status(const AskOptions& options) {
  if (options.json) {
    const Result<std::string> reply = daemon::ask_control(options.control, "status");
    return reply ? answer(*reply) : complain(reply.error());
  }
  const Result<node::View> view = daemon::ask_status(options.control);
  if (!view) return complain(view.error());
  return answer(status_text(*view, isatty(STDOUT_FILENO) == 1));
}

// Asks for something that the node does or refuses; `done` is said when it does.
ExitCode ask_for(const AskOptions& options, const std::string& request, const std::string& done) {
  const Result<std::string> reply = daemon::ask_control(options.control, request);
  if (!reply) return complain(reply.error());
  const Status verdict = files::parse_verdict(*reply, "the node at " + options.control);
  if (options.json) {
    const ExitCode code = answer(*reply);
    return verdict ? code : ExitCode::no;
  }
  if (!verdict) {
    complain(verdict.error());
    return ExitCode::no;
  }
  return answer(done + "\n");
}

ExitCode approve(const AskOptions& options, const std::string& plan) {
  return ask_for(options, "approve " + plan,
                 "plan " + plan + " is approved; each migration is checked again in its turn");
}

}  // namespace

void add_status_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command =
      app.add_subcommand("status", "Show a running node: hosts, loads, plan and why.");
  add_control_option(*command, options->control, "Socket of the node");
  command->add_flag("--json", options->json, "Print as ballast-status/1, for programs");
  command->footer(
      "A master shows its group, a slave its own host.\n"
      "Examples:\n"
      "  ballast status\n"
      "  ballast status --json | jq '.hosts[] | select(.state != \"ok\")'");
  command->callback([options, &action] { action = [options] { return run_status(*options); }; });
}

void add_approve_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<AskOptions>();
  auto plan = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "approve", "Let a plan that waits for it begin (modes 'approve' and, if large, 'auto').");
  command->add_option("PLAN", *plan, "Id of the plan, as `ballast status` shows it")->required();
  add_control_option(*command, options->control, "Socket of the master");
  command->add_flag("--json", options->json, "Print the verdict as JSON, for programs");
  command->callback(
      [options, plan, &action] { action = [options, plan] { return approve(*options, *plan); }; });
}

namespace {

void add_word(CLI::App& app, Action& action, const char* name, const char* help, const char* done) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command = app.add_subcommand(name, help);
  add_control_option(*command, options->control, "Socket of the node");
  command->add_flag("--json", options->json, "Print the verdict as JSON, for programs");
  command->callback([options, name, done, &action] {
    action = [options, name, done] { return ask_for(*options, name, done); };
  });
}

}  // namespace

namespace {

ExitCode run_reload(const AskOptions& options) {
  const Result<std::string> reply = daemon::ask_control(options.control, "reload");
  if (!reply) return complain(reply.error());
  const auto change = files::parse_change(*reply, "the node at " + options.control);
  if (options.json) {
    const ExitCode code = answer(*reply);
    return change ? code : ExitCode::no;
  }
  if (!change) {
    complain("the configuration is not taken, and nothing has changed: " + change.error().message);
    return ExitCode::no;
  }
  std::string text;
  for (const std::string& line : change->taken) text += "taken          " + line + "\n";
  for (const std::string& line : change->needs_restart) text += "needs restart  " + line + "\n";
  return answer(text.empty() ? "nothing has changed in the configuration\n" : text);
}

}  // namespace

void add_reload_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command = app.add_subcommand(
      "reload", "Have the node of this host take over what has changed in its configuration.");
  add_control_option(*command, options->control, "Socket of the node");
  command->add_flag("--json", options->json, "Print the answer as JSON, for programs");
  command->footer(
      "Taken while it runs: [plan], [market], [hypervisor.thresholds], and of [migrate] outgoing,\n"
      "incoming, bandwidth and timeout. Any other key needs a restart, and is named. A "
      "configuration\n"
      "with an error changes nothing: exit code 1.");
  command->callback([options, &action] { action = [options] { return run_reload(*options); }; });
}

void add_fleet_commands(CLI::App& app, Action& action) {
  add_word(
      app, action, "demote", "Make this master a slave; its slaves find other masters.",
      "this node leads no group until it is promoted again; its slaves look for other masters");
  add_word(app, action, "pause", "Stop the balancing of the whole fleet, from any master.",
           "nothing new begins; migrations under way end");
  add_word(app, action, "resume", "Let the fleet balance again.", "the fleet balances again");
}

}  // namespace ballast::cli
