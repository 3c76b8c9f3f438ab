// What a master notices in the reports of its group beside their loads, and tells: figures that are
// not to be trusted or are back, VMs of which nothing is heard, what two hosts say to run; and what
// that means for what failed.

#include "ballast/base/words.h"
#include "master.h"

namespace ballast::node {

// The master's own host says these things itself.
void Master::watch_figures(TimePoint now, const Member& member,
                           const std::string& distrust_before) {
  const std::string& distrust = member.report.distrust;
  if (!distrust_before.empty() && distrust.empty()) conductor_.failures().reachable(member.id);
  if (member.id == out_.self()) return;
  if (distrust != distrust_before && !distrust.empty())
    out_.event(now, EventKind::alarm, {}, member.id,
               "the figures of " + quoted(member.id.str()) + " are not acted upon: " + distrust);
  if (!distrust_before.empty() && distrust.empty())
    out_.event(
        now, EventKind::recovered, {}, member.id,
        "the figures of " + quoted(member.id.str()) + " are back; before: " + distrust_before);
  if (!distrust.empty()) return;
  SilentVms& silent = silent_[member.id];
  silent.begin();
  for (const wire::VmReport& vm : member.report.vms) silent.see(now, member.id, vm.vm, out_);
  silent.end();
}

// Its own node raised them: nobody else can know.
void Master::take(TimePoint now, const NodeId& from, const Epoch& epoch,
                  const wire::Alarms& alarms) {
  if (!known_epoch(now, from, epoch) || from == out_.self()) return;
  Member& member = *group_.find(from);
  // What is left over is said again with its next report.
  if (now >= member.alarms_since + config_.sample.report_interval) {
    member.alarms_since = now;
    member.alarms_taken = 0;
  }
  for (const wire::AlarmNote& note : alarms.notes) {
    if (note.number <= member.alarms_heard) continue;
    if (++member.alarms_taken > limits::alarms_told_max) {
      out_.count("alarms_of_slaves_too_many");
      return;
    }
    member.alarms_heard = note.number;
    out_.event(now, note.over ? EventKind::recovered : EventKind::alarm, {}, from,
               "at host " + quoted(from.str()) + ": " + note.text);
  }
}

void Master::watch_facts(TimePoint now, const Member& member, const wire::HostFacts& before) {
  if (member.facts == before) return;
  conductor_.failures().changed(member.id);
  plan_soon(now);
}

std::string Master::retry(TimePoint now, const VmId& vm) {
  const Member* home = home_of(vm);
  if (home == nullptr) return {};
  const std::size_t ended = conductor_.failures().retry(now, vm, home->id);
  plan_soon(now);
  out_.tell(now, vm, "retry", home->id, "an operator asked that what failed is tried again");
  return ended == 0 ? "nothing rests that keeps " + quoted(vm.str()) + " from moving"
                    : quoted(vm.str()) + " may be tried again: " + counted(ended, "rest") +
                          (ended == 1 ? " has" : " have") + " ended";
}

// A report may have been written just before a switch-over that is known from the other end: such a
// VM is left alone at once, but only what the next plan still sees is worth an alarm.
void Master::tell_of_doubled(TimePoint now, const Doubled& doubled) {
  constexpr std::size_t named_max = 3;
  std::size_t lasting = 0;
  std::string which;
  for (const auto& [vm, two] : doubled) {
    if (!doubled_before_.contains(vm) || ++lasting > named_max) continue;
    which += (which.empty() ? ": " : "; ") + quoted(vm.str()) + " by " + quoted(two.first.str()) +
             " and " + quoted(two.second.str());
  }
  trade_.leave_alone(doubled);
  doubled_before_ = doubled;
  if (lasting == 0) return;
  out_.event(now, EventKind::alarm, {}, {},
             counted(lasting, "VM") + (lasting == 1 ? " is" : " are") +
                 " reported as running by two hosts; the one that said so first is believed" +
                 which);
}

}  // namespace ballast::node
