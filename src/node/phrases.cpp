#include "phrases.h"

#include "ballast/base/words.h"
#include "ballast/model/snapshot.h"

namespace ballast::node {

std::string waited_for_in_words(Duration passes_in) {
  return "over, waited for: such overloads passed within " + whole_seconds(passes_in) +
         " half of the times, before a copy would be done (patience)";
}

std::string over_in_words(const Resources& base, const wire::HostFacts& facts) {
  const double alone = excess_of(base.cpu_mhz, facts.capacity.cpu_mhz, facts.thresholds.cpu);
  return alone > load_tolerance ? "over by its own load" : "over";
}

std::string drain_state(std::size_t vms) {
  return vms == 0 ? "drained" : "draining: " + counted_left(vms);
}

std::string counted_left(std::size_t vms) { return counted(vms, "VM") + " left"; }

std::string lost_in_words(const HostView& host) {
  constexpr std::size_t named_max = 3;
  std::string text = "lost: not heard of for " + age_in_words(host.age) + ", ";
  if (host.lost_vms.empty()) return text + "no VM was left there";
  text += counted(host.lost_vms.size(), "VM") + (host.lost_vms.size() == 1 ? " was" : " were") +
          " there: ";
  for (std::size_t i = 0; i < host.lost_vms.size() && i < named_max; ++i)
    text += (i > 0 ? ", " : "") + quoted(host.lost_vms[i].str());
  if (host.lost_vms.size() > named_max) text += ", and others (`ballast status --json`)";
  return text;
}

std::string reason_of(SurplusReason reason) {
  switch (reason) {
    case SurplusReason::no_cpu: return "no host of the group has the CPU for it";
    case SurplusReason::no_memory: return "no host of the group has the memory for it";
    case SurplusReason::no_network: return "no host of the group has the network for it";
    case SurplusReason::no_target: return "no host of the group may take it";
    case SurplusReason::rule: return "its rules allow no host of the group that has room";
    case SurplusReason::immovable: return "it cannot move";
    case SurplusReason::stale: return "the figures of its host cannot be trusted";
    case SurplusReason::own_load:
      return "its host is over its CPU threshold by its own load, without any VM";
    case SurplusReason::not_worth:
      return "it would take too little off its host, which stays over its threshold (min_gain)";
  }
  return "?";
}

std::string presence_in_words(Presence presence) {
  switch (presence) {
    case Presence::absent: return "gone";
    case Presence::running: return "running";
    case Presence::incoming: return "on its way here";
    case Presence::outgoing: return "on its way elsewhere";
    case Presence::paused: return "paused";
    case Presence::unknown: return "in a state that its hypervisor does not tell";
  }
  return "?";
}

std::string refusal_in_words(wire::RefusalReason reason) {
  switch (reason) {
    case wire::RefusalReason::no_room: return "no host of its group has the room";
    case wire::RefusalReason::quota: return "it has given away as much as it may for the moment";
    case wire::RefusalReason::rule: return "it has room only where this VM failed";
    case wire::RefusalReason::quiet: return "it trades nothing at the moment";
  }
  return "?";
}

std::string conflict_in_words(wire::Conflict conflict) {
  switch (conflict) {
    case wire::Conflict::none: return "nothing";
    case wire::Conflict::vm_in_two_plans: return "the same VM is in another plan";
    case wire::Conflict::host_claimed_twice: return "a host has changed its group";
    case wire::Conflict::joint_rule: return "a rule forbids it";
    case wire::Conflict::too_many_streams: return "too many migrations at one host";
    case wire::Conflict::ping_pong: return "it would come back to where it left";
  }
  return "?";
}

}  // namespace ballast::node
