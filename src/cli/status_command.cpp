// `ballast status`: how a running node and its group stand. Source: design, section 8.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "ballast/cli/command.h"
#include "ballast/cli/output.h"
#include "ballast/daemon/control.h"
#include "ballast/files/status.h"
#include "bars.h"
#include "commands.h"

namespace ballast::cli {
namespace {

struct StatusOptions {
  std::string control = NodeSettings().control;
  bool json = false;
};

std::string plan_text(const node::PlanView& plan) {
  char head[256];
  std::snprintf(
      head, sizeof head,
      "plan %s, %.0f s old: %s; hosts over a threshold %zu, after it %zu; %zu migrations, "
      "at least %zu are needed\n",
      plan.id.c_str(), seconds_of(plan.age), plan.state.c_str(), plan.overloaded_before,
      plan.overloaded_after, plan.moves.size(), plan.lower_bound);
  std::string out = head;
  for (const node::MoveView& move : plan.moves)
    out += "  step " + std::to_string(move.step) + "  " + move_line(move) + "\n";
  // What is left where it is on purpose is told host by host: it can be all VMs of a host.
  std::map<std::pair<HostId, std::string>, std::size_t> left;
  for (const node::SurplusView& surplus : plan.surplus)
    if (surplus.left) ++left[{surplus.host, surplus.reason}];
  for (const auto& [which, vms] : left)
    out += "  left   " + std::to_string(vms) + (vms == 1 ? " VM on " : " VMs on ") +
           which.first.str() + ": " + which.second + "\n";
  for (const node::SurplusView& surplus : plan.surplus) {
    if (surplus.left) continue;
    out +=
        "  stays  " + surplus.vm.str() + " on " + surplus.host.str() + ": " + surplus.reason + "\n";
    if (!surplus.pause.empty()) out += "         " + surplus.pause + "\n";
  }
  if (!plan.pause.empty()) out += "  " + plan.pause + "\n";
  return out;
}

std::string failure_line(const node::FailureView& failure) {
  const std::string at = failure.from.empty() ? "" : " of " + failure.from.str();
  const std::string who =
      failure.vm.empty() ? "any VM" + at : failure.vm.str() + " on " + failure.from.str();
  char left[64];
  std::snprintf(left, sizeof left, "%u %s, not tried for %.0f min", failure.times,
                failure.times == 1 ? "time" : "times", seconds_of(failure.left) / 60 + 0.5);
  return "  failed " + who + (failure.to.empty() ? "" : " to " + failure.to.str()) + ": " + left +
         ": " + failure.reason + "\n";
}

std::string master_line(const node::MasterView& master) {
  char text[400];
  std::snprintf(text, sizeof text,
                "master %s: %u hosts, room for %.0f MHz and %.0f MiB, %u VMs without a place%s\n",
                cleaned_text(master.id.str(), 128).c_str(), master.hosts, master.spare.cpu_mhz,
                master.spare.memory_mib, master.surplus_vms,
                master.withdrawn ? "; NOT REACHED by two others" : "");
  return text;
}

std::string table(const node::View& view, bool colour) {
  std::string out = "node " + view.id.str() + " (" + name_of(view.role) + ", life " +
                    std::to_string(view.epoch.incarnation) + "), mode " + name_of(view.mode) +
                    ", master " + (view.master.empty() ? "none answers" : view.master.str()) + "\n";
  for (const std::string& line : host_lines(view.hosts, colour)) out += line + "\n";
  out += view.plan ? plan_text(*view.plan) : "no plan yet\n";
  constexpr std::size_t failures_shown = 20;
  for (std::size_t i = 0; i < view.failures.size() && i < failures_shown; ++i)
    out += failure_line(view.failures[i]);
  if (view.failures.size() > failures_shown)
    out += "  failed: " + std::to_string(view.failures.size() - failures_shown) +
           " more, see `ballast status --json`\n";
  if (view.paused) out += "balancing is PAUSED: nothing new begins until `ballast resume`\n";
  for (const node::MasterView& master : view.masters) out += master_line(master);
  if (!view.in_flight.empty()) out += "in flight:\n";
  for (const node::MoveView& move : view.in_flight) out += "  " + move_line(move) + "\n";
  return out;
}

ExitCode run_status(const StatusOptions& options) {
  if (options.json) {
    const Result<std::string> reply = daemon::ask_control(options.control, "status");
    return reply ? answer(*reply) : complain(reply.error());
  }
  const Result<node::View> view = daemon::ask_status(options.control);
  if (!view) return complain(view.error());
  return answer(table(*view, isatty(STDOUT_FILENO) == 1));
}

// Asks for something that the node does or refuses; `done` is said when it does.
ExitCode ask_for(const StatusOptions& options, const std::string& request,
                 const std::string& done) {
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

ExitCode approve(const StatusOptions& options, const std::string& plan) {
  return ask_for(options, "approve " + plan,
                 "plan " + plan + " is approved; each migration is checked again in its turn");
}

}  // namespace

void add_status_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command =
      app.add_subcommand("status", "Show a running node: hosts, loads, plan and why.");
  command->add_option("--control", options->control, "Socket of the node")->capture_default_str();
  command->add_flag("--json", options->json, "Print as ballast-status/1, for programs");
  command->footer(
      "A master shows its group, a slave its own host.\n"
      "Examples:\n"
      "  ballast status\n"
      "  ballast status --json | jq '.hosts[] | select(.state != \"ok\")'");
  command->callback([options, &action] { action = [options] { return run_status(*options); }; });
}

void add_approve_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusOptions>();
  auto plan = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "approve", "Let a plan that waits for it begin (modes 'approve' and, if large, 'auto').");
  command->add_option("PLAN", *plan, "Id of the plan, as `ballast status` shows it")->required();
  command->add_option("--control", options->control, "Socket of the master")->capture_default_str();
  command->add_flag("--json", options->json, "Print the verdict as JSON, for programs");
  command->callback(
      [options, plan, &action] { action = [options, plan] { return approve(*options, *plan); }; });
}

namespace {

void add_word(CLI::App& app, Action& action, const char* name, const char* help, const char* done) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("--control", options->control, "Socket of the node")->capture_default_str();
  command->add_flag("--json", options->json, "Print the verdict as JSON, for programs");
  command->callback([options, name, done, &action] {
    action = [options, name, done] { return ask_for(*options, name, done); };
  });
}

}  // namespace

void add_fleet_commands(CLI::App& app, Action& action) {
  add_word(
      app, action, "demote", "Make this master a slave; its slaves find other masters.",
      "this node leads no group until it is promoted again; its slaves look for other masters");
  add_word(app, action, "pause", "Stop the balancing of the whole fleet, from any master.",
           "nothing new begins; migrations under way end");
  add_word(app, action, "resume", "Let the fleet balance again.", "the fleet balances again");
}

}  // namespace ballast::cli
