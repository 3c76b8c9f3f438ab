// The commands of the binary, each in a file of its own: src/cli/<name>_command.cpp.
#pragma once

#include "ballast/cli/command.h"

namespace ballast::cli {

void add_plan_command(CLI::App& app, Action& action);
void add_replay_command(CLI::App& app, Action& action);
void add_run_command(CLI::App& app, Action& action);
void add_simulate_command(CLI::App& app, Action& action);
void add_snapshot_command(CLI::App& app, Action& action);
void add_status_command(CLI::App& app, Action& action);
void add_approve_command(CLI::App& app, Action& action);
void add_reload_command(CLI::App& app, Action& action);
void add_fleet_commands(CLI::App& app, Action& action);  // promote, demote, pause, resume
void add_ask_commands(CLI::App& app, Action& action);    // drain, undrain, why, events, best-host
void add_demo_command(CLI::App& app, Action& action);
void add_check_config_command(CLI::App& app, Action& action);
void add_init_command(CLI::App& app, Action& action);
void add_join_commands(CLI::App& app, Action& action);           // invite, join
void add_fleet_members_commands(CLI::App& app, Action& action);  // fleet, revoke
void add_keygen_command(CLI::App& app, Action& action);
void add_trust_command(CLI::App& app, Action& action);
void add_version_command(CLI::App& app, Action& action);

// "ballast 0.1.0 (commit 1a2b3c)" for `ballast --version`.
const char* version_line();

}  // namespace ballast::cli
