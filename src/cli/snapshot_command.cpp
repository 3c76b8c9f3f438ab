// `ballast snapshot`: hosts that Ballast is not installed on, as a file for `ballast plan`. Source:
// design, section 8.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "ballast/cli/output.h"
#include "ballast/files/snapshot_writer.h"
#include "commands.h"
#include "host_setup.h"
#include "surveyed.h"

namespace ballast::cli {
namespace {

ExitCode run_snapshot(const SurveyLine& line) {
  SurveyFleet fleet(line);
  const Surveyed found = fleet.look();
  for (const std::string& who : found.silent) complain(who);
  if (found.snapshot.hosts.empty()) {
    complain("no host has answered, so there is no snapshot");
    return ExitCode::no;
  }
  if (const Status good = check(found.snapshot); !good) return complain(good.error());
  // Also in the file; whoever pipes it on does not see it there.
  for (const std::string& text : found.notes) note("note: " + text);
  const ExitCode told = answer(files::snapshot_json(found.snapshot, found.notes));
  return told == ExitCode::done && !found.silent.empty() ? ExitCode::no : told;
}

}  // namespace

void add_snapshot_command(CLI::App& app, Action& action) {
  auto line = std::make_shared<SurveyLine>();
  CLI::App* command = app.add_subcommand(
      "snapshot", "Look at hosts through libvirt, read-only, and print them for `ballast plan`.");
  add_survey_options(*command, line);
  command->footer(
      "Nothing needs to be installed on the hosts. Prints ballast-snapshot/1. Two looks are "
      "taken,\n"
      "a second apart, since loads are rates. What libvirt does not tell of a host from afar is\n"
      "noted on standard error, and in the file. A host that does not answer is told, the others\n"
      "still come, and the exit code is 1. SSH must get in without asking (a key, an agent).\n"
      "Examples:\n"
      "  ballast snapshot qemu+ssh://h1/system qemu+ssh://h2/system | ballast plan -\n"
      "  ballast snapshot --shared-path /srv/images qemu+ssh://root@h{1,2,3}/system > fleet.json");
  command->callback([line, &action] { action = [line] { return run_snapshot(*line); }; });
}

}  // namespace ballast::cli
