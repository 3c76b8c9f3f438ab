// `ballast check-config`: all that is wrong with a configuration file, or what it amounts to.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "ballast/cli/output.h"
#include "ballast/files/config.h"
#include "ballast/files/input.h"
#include "ballast/files/json_writer.h"
#include "commands.h"
#include "host_setup.h"

namespace ballast::cli {
namespace {

struct CheckConfigOptions {
  std::string file = default_config;
  bool json = false;
};

// What the file amounts to, each key with its value, and where it differs from the default.
std::string summary(const CheckConfigOptions& options, const Config& config) {
  constexpr std::size_t key_column = 36;
  std::string out = "ok: " + files::name_of_input(options.file) + "\n";
  std::string_view section;
  for (const files::Setting& setting : files::settings()) {
    if (setting.section != section) {
      section = setting.section;
      out += "\n[" + std::string(section) + "]\n";
    }
    const std::string value = files::value_of(config, setting);
    std::string line = std::string(setting.key) + " = " + (value.empty() ? "(not set)" : value);
    if (!setting.unit.empty() && !value.empty()) line += " " + setting.unit;
    if (value != setting.default_value) {
      line.resize(std::max(line.size() + 1, key_column), ' ');
      line += "# default: " + (setting.default_value.empty() ? "not set" : setting.default_value);
    }
    out += line + "\n";
  }
  return out;
}

std::string as_json(const CheckConfigOptions& options, const files::ConfigReading& reading) {
  std::string out;
  files::JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-check-config/1");
  json.field("file", files::name_of_input(options.file));
  json.field("ok", reading.errors.empty());
  json.key("errors");
  json.begin_array();
  for (const Error& error : reading.errors) json.text(error.message);
  json.end_array();
  // Values are as TOML writes them; null where a key has none.
  json.key("values");
  json.begin_object();
  for (const files::Setting& setting : files::settings()) {
    json.key(std::string(setting.section) + "." + std::string(setting.key));
    const std::string value = files::value_of(reading.config, setting);
    if (value.empty()) {
      json.null();
    } else {
      json.text(value);
    }
  }
  json.end_object();
  json.end_object();
  return out + "\n";
}

ExitCode run_check_config(const CheckConfigOptions& options) {
  const files::ConfigReading reading = files::read_config(options.file);
  ExitCode code = ExitCode::done;
  if (options.json) {
    code = answer(as_json(options, reading));
  } else if (reading.errors.empty()) {
    code = answer(summary(options, reading.config));
  }
  for (const Error& error : reading.errors) code = complain(error);
  return code;
}

}  // namespace

void add_check_config_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<CheckConfigOptions>();
  CLI::App* command = app.add_subcommand(
      "check-config", "Check a configuration file. Starts nothing, changes nothing.");
  command
      ->add_option("FILE", options->file,
                   "TOML file, as conf/ballast.toml explains it; '-' is standard input")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print as ballast-check-config/1, for programs");
  command->footer(
      "Prints every error it finds, one a line: file, line, key, what was found, what is "
      "expected.\n"
      "Without errors it prints 'ok' and the value of every key, defaults included.\n"
      "Examples:\n"
      "  ballast check-config\n"
      "  ballast check-config /etc/ballast/ballast.toml\n"
      "  ballast check-config --json ballast.toml");
  command->callback(
      [options, &action] { action = [options] { return run_check_config(*options); }; });
}

}  // namespace ballast::cli
