#include "status_text.h"

#include <cstdio>
#include <map>
#include <utility>

#include "ballast/base/words.h"
#include "ballast/cli/output.h"
#include "bars.h"

namespace ballast::cli {
namespace {

std::string plan_text(const node::PlanView& plan) {
  std::string out = "plan " + plan.id + ", " + whole_seconds(plan.age) + " old: " + plan.state;
  if (plan.overloaded_before > 0 && !plan.moves.empty())
    out += "; " + counted(plan.overloaded_before, "host") + " over a threshold, " +
           std::to_string(plan.overloaded_after) + " after it";
  if (!plan.moves.empty()) out += "; " + counted(plan.moves.size(), "migration");
  if (!plan.moves.empty() && plan.lower_bound > 0)
    out += ", at least " + std::to_string(plan.lower_bound) +
           (plan.lower_bound == 1 ? " is" : " are") + " needed";
  out += "\n";
  for (const node::MoveView& move : plan.moves)
    out += (move.step == 0 ? "  begun " : "  step " + std::to_string(move.step)) + "  " +
           move_line(move) + "\n";
  // What is left where it is on purpose is told host by host: it can be all VMs of a host.
  std::map<std::pair<HostId, std::string>, std::size_t> left;
  for (const node::SurplusView& surplus : plan.surplus)
    if (surplus.left) ++left[{surplus.host, surplus.reason}];
  for (const auto& [which, vms] : left)
    out +=
        "  left   " + counted(vms, "VM") + " on " + which.first.str() + ": " + which.second + "\n";
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
  char room[128];
  std::snprintf(room, sizeof room, "room for %.0f MHz and %.0f MiB", master.spare.cpu_mhz,
                master.spare.memory_mib);
  return "master " + master.id.str() + ": " +
         (master.hosts == 0 ? "stands by, leads no host"
                            : counted(master.hosts, "host") + ", " + room + ", " +
                                  counted(master.surplus_vms, "VM") + " without a place") +
         (master.lost        ? "; NOT HEARD OF, this is of before"
          : master.withdrawn ? "; NOT REACHED by two others"
                             : "") +
         "\n";
}

// Of a node that plans for no host, its own included: who does.
std::string planner_text(const node::View& view) {
  if (view.role == Role::master && view.master == view.id) return "no plan yet\n";
  if (view.master.empty()) return "nothing is planned for it: no master answers\n";
  return (view.role == Role::master
              ? "it stands by for the day that " + view.master.str() + " is gone; "
              : std::string()) +
         view.master.str() + " plans for it: `ballast status` there shows the whole group\n";
}

}  // namespace

std::string status_text(const node::View& view, bool colour) {
  std::string out = "node " + view.id.str() + " (" + name_of(view.role) + ", life " +
                    std::to_string(view.epoch.incarnation) + "), mode " + name_of(view.mode) +
                    ", master " + (view.master.empty() ? "none answers" : view.master.str()) + "\n";
  for (const std::string& line : host_lines(view.hosts, colour)) out += line + "\n";
  out += view.plan ? plan_text(*view.plan) : planner_text(view);
  if (view.plan && view.master != view.id) out += planner_text(view);
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

}  // namespace ballast::cli
