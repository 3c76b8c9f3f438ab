// What `ballast init`, `invite`, `join`, `revoke` and `fleet` know of the host that they run on:
// its configuration, what an earlier init or join has left, its files.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/model/config.h"
#include "ballast/trust/fleet_file.h"
#include "ballast/trust/keys.h"

namespace ballast::cli {

inline constexpr const char* default_config = "/etc/ballast/ballast.toml";

struct SetupOptions {
  std::string config = default_config;
  std::string state_dir;  // empty: as the configuration says
  std::string fleet_key;  // empty: fleet.key in the state folder
};

// Declares --config and --state-dir.
void add_setup_options(CLI::App& command, const std::shared_ptr<SetupOptions>& options);

struct Setup {
  Config config;  // of the operator's file alone, where there is one, but for the role
  std::string state_dir;
  bool has_config = false;

  std::string key_file() const;
  std::string trust_file() const;
  std::string fleet_file() const { return state_dir + "/fleet"; }
  std::string invitations_file() const { return state_dir + "/invitations"; }
  std::string fleet_key_file(const SetupOptions& options) const {
    return options.fleet_key.empty() ? state_dir + "/fleet.key" : options.fleet_key;
  }
  // The configuration as a node would run by it, with what a join has left.
  Config as_it_runs(const SetupOptions& options) const;
};
// Errors of the configuration, the first of them.
Result<Setup> read_setup(const SetupOptions& options);

// The id of this node: as the configuration says, else its host name, else the host's UUID.
Result<NodeId> id_of_host(const Setup& setup, const std::string& wanted);
// This node's key, made with its folder where there is none yet.
Result<trust::Identity> own_key(const Setup& setup);

// Whether an init or a join has been done here.
bool has_joined(const Setup& setup);
// Writes what a node without a configuration runs by; `by` is the command that does it.
Status write_joined(const Setup& setup, const Config& config, const std::string& by);

// "tcp://ADDRESS:PORT" that others reach this node at, where the configuration leaves it open and
// the host has several addresses: with that one. Empty when there is nothing to say.
std::string advertised(const Setup& setup, const std::string& address);

std::uint64_t wall_clock_s();
std::string utc_time(std::uint64_t since_1970_s);  // "2026-11-30 23:50 UTC"
// "90s", "30m", "1h", "2d" as seconds; nothing for anything else.
std::optional<std::uint64_t> seconds_in(std::string_view text);

// True when a node answers at its control socket within that time.
bool is_running(const Config& config, Duration patience);
// Has the package's service started, now and with the host, where systemd runs and this is the
// package's state folder. What to tell people of it: that it starts, or how to start the node.
std::string start_service(const Setup& setup);
// One line on standard error that is no complaint.
void note(std::string_view text);

}  // namespace ballast::cli
