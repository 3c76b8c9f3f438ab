// `ballast version`: what this binary is, and the libraries it really runs with. Asking each
// library for its version also makes a static link take it in.
#include <libvirt/libvirt.h>
#include <lzma.h>
#include <sodium.h>
#include <zmq.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "ballast/cli/output.h"
#include "ballast/files/json_writer.h"
#include "commands.h"
#include "version.h"

namespace ballast::cli {
namespace {

std::string zmq_text() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  zmq_version(&major, &minor, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string libvirt_text() {
  unsigned long version = 0;  // 1,000,000 x major + 1,000 x minor + release
  if (virGetVersion(&version, nullptr, nullptr) != 0) return "unknown";
  return std::to_string(version / 1'000'000) + "." + std::to_string(version / 1'000 % 1'000) + "." +
         std::to_string(version % 1'000);
}

using Library = std::pair<const char*, std::string>;

std::array<Library, 4> libraries() {
  return {Library{"libzmq", zmq_text()}, Library{"libsodium", sodium_version_string()},
          Library{"libvirt", libvirt_text()}, Library{"liblzma", lzma_version_string()}};
}

std::string as_json() {
  std::string out;
  files::JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-version/1");
  json.field("version", BALLAST_VERSION);
  json.key("commit");
  if (std::string_view(BALLAST_COMMIT).empty()) {
    json.null();
  } else {
    json.text(BALLAST_COMMIT);
  }
  json.key("libraries");
  json.begin_object();
  for (const auto& [name, version] : libraries()) json.field(name, version);
  json.end_object();
  json.end_object();
  return out + "\n";
}

std::string as_text() {
  std::string out = std::string(version_line()) + "\n";
  for (const auto& [name, version] : libraries())
    out +=
        std::string(name) + std::string(12 - std::string_view(name).size(), ' ') + version + "\n";
  return out;
}

}  // namespace

const char* version_line() {
  static const std::string line =
      std::string("ballast ") + BALLAST_VERSION +
      (std::string_view(BALLAST_COMMIT).empty() ? "" : " (commit " BALLAST_COMMIT ")");
  return line.c_str();
}

void add_version_command(CLI::App& app, Action& action) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("version", "Show the version of this binary and of what it links.");
  command->add_flag("--json", *json, "Print as ballast-version/1, for programs");
  command->callback(
      [json, &action] { action = [json] { return answer(*json ? as_json() : as_text()); }; });
}

}  // namespace ballast::cli
