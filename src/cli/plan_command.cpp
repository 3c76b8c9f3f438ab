// `ballast plan`: reads a snapshot, plans it as one group, prints the plan. Source: design,
// section 8.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "ballast/cli/output.h"
#include "ballast/files/plan_writer.h"
#include "ballast/files/snapshot_reader.h"
#include "ballast/plan/planner.h"
#include "commands.h"
#include "plan_table.h"

namespace ballast::cli {
namespace {

struct PlanOptions {
  std::string snapshot;
  bool json = false;
};

ExitCode run_plan(const PlanOptions& options) {
  const Result<Snapshot> snapshot = files::read_snapshot(options.snapshot);
  if (!snapshot) return complain(snapshot.error());
  const auto before = std::chrono::steady_clock::now();
  const Plan plan = plan::make_plan(*snapshot);
  const std::chrono::duration<double, std::milli> passed =
      std::chrono::steady_clock::now() - before;
  return answer(options.json ? files::plan_json(*snapshot, plan, passed.count())
                             : plan_table(*snapshot, plan, passed.count()));
}

}  // namespace

void add_plan_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand(
      "plan", "Plan which VMs should move, from a snapshot file. Moves nothing.");
  command
      ->add_option("SNAPSHOT", options->snapshot,
                   "File in the format ballast-snapshot/1, plain or .xz; '-' is standard input")
      ->required();
  command->add_flag("--json", options->json, "Print the plan as ballast-plan/1, for programs");
  command->footer(
      "Plans all hosts of the snapshot as one group. The formats are in docs/formats.md.\n"
      "A VM that cannot be helped is listed as surplus; that is no error.\n"
      "Examples:\n"
      "  ballast plan fleet.json.xz\n"
      "  ballast plan --json fleet.json > plan.json\n"
      "  make-snapshot | ballast plan -");
  command->callback([options, &action] { action = [options] { return run_plan(*options); }; });
}

}  // namespace ballast::cli
