#include "host_setup.h"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iostream>
#include <thread>

#include "ballast/base/limits.h"
#include "ballast/daemon/control.h"
#include "ballast/daemon/host_id.h"
#include "ballast/files/config.h"
#include "ballast/files/store.h"

namespace ballast::cli {
namespace {

bool is_there(const std::string& file) { return access(file.c_str(), F_OK) == 0; }

std::string or_default(const std::string& path, const std::string& other) {
  return path.empty() ? other : path;
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return {};
  const std::string text(name);
  const std::string brief = text.substr(0, text.find('.'));
  return brief == "localhost" || brief == "(none)" || !is_valid_id(brief) ? std::string() : brief;
}

}  // namespace

void add_setup_options(CLI::App& command, const std::shared_ptr<SetupOptions>& options) {
  command.add_option("--config", options->config, "Configuration of this node, where there is one")
      ->capture_default_str();
  command.add_option("--state-dir", options->state_dir,
                     "Folder of keys and state, instead of the configuration's");
}

std::string Setup::key_file() const {
  return or_default(config.security.key_file, state_dir + "/node.key");
}
std::string Setup::trust_file() const {
  return or_default(config.security.trust_file, state_dir + "/trust");
}

Config Setup::as_it_runs(const SetupOptions& options) const {
  files::ConfigReading reading = files::read_node_config(options.config, !has_config, state_dir);
  reading.config.node.state_dir = state_dir;
  return std::move(reading.config);
}

Result<Setup> read_setup(const SetupOptions& options) {
  Setup setup;
  setup.has_config = options.config != default_config || is_there(options.config);
  if (setup.has_config) {
    // Whatever it leaves open of how to find a master, a join says.
    files::ConfigReading reading =
        files::read_config(options.config, [](Config& config) { config.node.role = Role::master; });
    if (!reading.errors.empty()) return reading.errors.front();
    setup.config = std::move(reading.config);
  }
  setup.state_dir = or_default(options.state_dir, setup.config.node.state_dir);
  setup.config.node.state_dir = setup.state_dir;
  return setup;
}

Result<NodeId> id_of_host(const Setup& setup, const std::string& wanted) {
  const NodeId& configured = setup.config.node.id;
  if (!wanted.empty()) {
    if (!is_valid_id(wanted))
      return Error{"--id: found " + ballast::quoted(wanted) + ", expected 1 to " +
                   std::to_string(limits::id_bytes_max) + " bytes of UTF-8"};
    if (!configured.empty() && configured.str() != wanted)
      return Error{"--id: found " + ballast::quoted(wanted) + ", expected " +
                   ballast::quoted(configured.str()) + " as the configuration says, which wins"};
    return NodeId(wanted);
  }
  if (!configured.empty()) return configured;
  // What it was called before, whatever its name is now.
  const std::string joined = files::joined_file(setup.state_dir);
  if (is_there(joined)) {
    const files::ConfigReading reading = files::read_config(joined);
    if (reading.errors.empty() && !reading.config.node.id.empty()) return reading.config.node.id;
  }
  // A node that has run before keeps the id that it had then.
  if (!is_there(setup.state_dir + "/state")) {
    if (std::string name = host_name(); !name.empty()) return NodeId(std::move(name));
  }
  return daemon::own_id(setup.config);
}

Result<trust::Identity> own_key(const Setup& setup) {
  if (mkdir(setup.state_dir.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{setup.state_dir + ": cannot make the folder: " + std::strerror(errno)};
  if (!is_there(setup.key_file())) {
    if (const Status written = trust::Identity::fresh().write_new(setup.key_file()); !written)
      return written.error();
  }
  return trust::Identity::read(setup.key_file());
}

bool has_joined(const Setup& setup) { return is_there(files::joined_file(setup.state_dir)); }

Status write_joined(const Setup& setup, const Config& config, const std::string& by) {
  return files::write_atomically(files::joined_file(setup.state_dir),
                                 "# Written by " + by +
                                     ". What a configuration file sets wins over it.\n\n" +
                                     files::config_text(config));
}

std::string advertised(const Setup& setup, const std::string& address) {
  const NodeSettings& node = setup.config.node;
  const std::string everywhere = "tcp://0.0.0.0:";
  if (!node.advertise.empty() || !node.bind.starts_with(everywhere) || address.empty()) return {};
  const std::string port = node.bind.substr(everywhere.size());
  return port == "0" ? std::string() : "tcp://" + address + ":" + port;
}

std::uint64_t wall_clock_s() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(since_1970).count());
}

std::string utc_time(std::uint64_t since_1970_s) {
  const auto time = static_cast<std::time_t>(since_1970_s);
  std::tm parts{};
  char text[64] = "?";
  if (gmtime_r(&time, &parts) != nullptr)
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

std::optional<std::uint64_t> seconds_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(read.ptr - text.data()));
  const std::uint64_t factor = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3600
                               : unit == "d" ? 24 * 3600
                                             : 0;
  constexpr std::uint64_t number_max = 1'000'000;
  if (read.ec != std::errc() || factor == 0 || number == 0 || number > number_max)
    return std::nullopt;
  return number * factor;
}

bool is_running(const Config& config, Duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (daemon::ask_control(config.node.control, "status").ok()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

std::string start_service(const Setup& setup) {
  const bool is_packaged = setup.state_dir == NodeSettings().state_dir &&
                           is_there("/run/systemd/system") &&
                           is_there("/usr/lib/systemd/system/ballast.service");
  if (!is_packaged) return "Start it: `ballast run`; a node that runs takes it up by itself.";
  // Not waited for: it may be that the network is not up yet.
  const char* const words[] = {"systemctl", "enable",          "--now", "--no-block",
                               "--quiet",   "ballast.service", nullptr};
  pid_t child = 0;
  int status = -1;
  const bool ran = posix_spawnp(&child, words[0], nullptr, nullptr, const_cast<char* const*>(words),
                                environ) == 0 &&
                   waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                   WEXITSTATUS(status) == 0;
  return ran ? "Its service starts now, and with the host: `ballast status` shows it."
             : "Its service could not be started: `systemctl enable --now ballast`.";
}

void note(std::string_view text) { std::cerr << text << "\n"; }

}  // namespace ballast::cli
