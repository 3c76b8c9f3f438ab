// The binary `ballast`: picks the command, turns whatever goes wrong into one line and an exit
// code.
#include <nss.h>

#include <CLI/CLI.hpp>
#include <array>
#include <exception>
#include <new>
#include <string>

#include "ballast/cli/output.h"
#include "commands.h"

namespace ballast::cli {
namespace {

constexpr std::array commands = {
    add_init_command,     add_join_commands,    add_fleet_members_commands, add_plan_command,
    add_snapshot_command, add_run_command,      add_status_command,         add_approve_command,
    add_reload_command,   add_fleet_commands,   add_ask_commands,           add_demo_command,
    add_replay_command,   add_simulate_command, add_check_config_command,   add_keygen_command,
    add_trust_command,    add_version_command,
};

constexpr const char* help_footer =
    "Exit codes: 0 done, 1 the answer is no, 2 wrong usage or input.\n"
    "Errors are one line on standard error: what, where, what was found, what is expected.\n"
    "'ballast COMMAND --help' explains a command, with examples.";

// glibc would load shared objects at run time for these names; a static binary has none. Lookups
// come from files, names of hosts also from DNS.
void configure_name_service() {
  for (const char* database : {"hosts", "services"}) __nss_configure_lookup(database, "files dns");
  for (const char* database : {"passwd", "group", "networks", "protocols"})
    __nss_configure_lookup(database, "files");
}

ExitCode parse_and_run(int argc, char** argv) {
  CLI::App app{
      "Ballast balances virtual machines over libvirt/KVM hosts, without a central "
      "scheduler.",
      "ballast"};
  Action action;
  app.footer(help_footer);
  app.set_version_flag("--version", version_line());
  app.require_subcommand(0, 1);
  for (const AddCommand add : commands) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    return answer(std::string(version.what()) + "\n");
  } catch (const CLI::CallForHelp&) {
    return answer(app.help());
  } catch (const CLI::ParseError& wrong) {
    const auto chosen = app.get_subcommands();
    const std::string name = "ballast" + (chosen.empty() ? "" : " " + chosen.front()->get_name());
    return complain(std::string(wrong.what()) + " ('" + name + " --help' tells more)");
  }
  if (!action) return complain("no command given ('ballast --help' lists them)");
  return action();
}

}  // namespace
}  // namespace ballast::cli

int main(int argc, char** argv) {
  using namespace ballast::cli;
  configure_name_service();
  prepare_streams();
  try {
    return static_cast<int>(parse_and_run(argc, argv));
  } catch (const std::bad_alloc&) {
    return static_cast<int>(complain("not enough memory"));
  } catch (const std::exception& unexpected) {
    return static_cast<int>(complain(unexpected.what()));
  }
}
