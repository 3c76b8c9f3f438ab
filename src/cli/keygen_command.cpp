// `ballast keygen`: makes the identity of a node. Source: design, sections 4 and 8.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "ballast/base/ids.h"
#include "ballast/cli/output.h"
#include "ballast/files/json_writer.h"
#include "ballast/model/config.h"
#include "ballast/trust/keys.h"
#include "commands.h"

namespace ballast::cli {
namespace {

struct KeygenOptions {
  std::string state_dir = NodeSettings().state_dir;
  bool show = false;
  bool json = false;
};

// The key that is there, or a new one.
Result<trust::Identity> key_at(const KeygenOptions& options, const std::string& file) {
  if (options.show || access(file.c_str(), F_OK) == 0) return trust::Identity::read(file);
  if (mkdir(options.state_dir.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{options.state_dir + ": cannot make the folder: " + std::strerror(errno)};
  trust::Identity fresh = trust::Identity::fresh();
  if (const Status written = fresh.write_new(file); !written) return written.error();
  return fresh;
}

ExitCode run_keygen(const KeygenOptions& options) {
  const std::string file = options.state_dir + "/node.key";
  const Result<trust::Identity> identity = key_at(options, file);
  if (!identity) return complain(identity.error());
  const std::string key = trust::text_of(identity->public_key());
  if (!options.json) return answer(key + "\n");
  std::string text;
  files::JsonWriter json(text);
  json.begin_object();
  json.field("format", "ballast-keygen/1");
  json.field("file", file);
  json.field("key", key);
  json.end_object();
  return answer(text + "\n");
}

}  // namespace

void add_keygen_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<KeygenOptions>();
  CLI::App* command = app.add_subcommand(
      "keygen", "Print the public part of this node's key; makes the key where there is none.");
  command->add_option("--state-dir", options->state_dir, "Folder that node.key is written to")
      ->capture_default_str();
  command->add_flag("--show", options->show, "Make none: an error where there is no key yet");
  command->add_flag("--json", options->json, "Print file and key as JSON, for programs");
  command->footer(
      "A key is never overwritten. The secret stays in node.key (mode 0600). What is printed is\n"
      "public: pass it to the other nodes, where `ballast trust add ID KEY` takes it.\n"
      "Example:\n"
      "  ballast keygen --state-dir /var/lib/ballast");
  command->callback([options, &action] { action = [options] { return run_keygen(*options); }; });
}

}  // namespace ballast::cli
