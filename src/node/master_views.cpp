// What a master tells of its group: to other masters, in counters, and to people.

#include <algorithm>

#include "ballast/base/words.h"
#include "master.h"

namespace ballast::node {
// --- for other masters --------------------------------------------------------------------------

wire::Summary Master::summary(TimePoint now) const {
  wire::Summary summary;
  summary.hosts = static_cast<std::uint32_t>(group_.members().size());
  const std::vector<market::Hole> holes = trade_.holes(now);
  for (const market::Hole& hole : holes) {
    for (const Resource r : all_resources) {
      if (hole.room[r] > 0) summary.spare[r] += hole.room[r];
    }
  }
  summary.spare = market::whole_units(summary.spare);
  summary.holes = market::told_holes(holes);
  if (plan_) {
    const std::set<VmId> leaving = trade_.leaving();
    for (const SurplusView& surplus : plan_->surplus) {
      const Member* member = group_.find(surplus.host);
      const wire::VmReport* vm = member == nullptr ? nullptr : member->find(surplus.vm);
      if (vm == nullptr || surplus.left || leaving.contains(surplus.vm)) continue;
      ++summary.surplus_vms;
      summary.surplus += vm->vm.load;
    }
  }
  summary.plans = trade_.announced();
  return summary;
}

void Master::count_into(std::map<std::string, std::uint64_t>& counters) const {
  const market::AskerCounters& asked = trade_.asked();
  const market::GrantorCounters& served = trade_.served();
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"requests_sent", asked.sent},
      {"requests_granted", asked.granted},
      {"requests_granted_first", asked.granted_first},
      {"requests_refused", asked.refused},
      {"requests_refused_stale", asked.refused_stale},
      {"requests_unanswered", asked.unanswered},
      {"grants_given", served.granted},
      {"grants_given_as_swaps", served.granted_as_swap},
      {"grants_refused_quota", served.refused_quota},
      {"grants_refused_room", served.refused_room},
  };
  for (const auto& [name, count] : counts) {
    if (count > 0) counters[name] = count;
  }
}

std::uint64_t Master::room_changes() const {
  const market::GrantorCounters& served = trade_.served();
  return served.granted + served.refused_room;
}

bool Master::has_lost(const HostId& host) const {
  const Member* member = find_also_gone(host);
  return member != nullptr && member->lost;
}

std::size_t Master::slaves() const {
  const std::size_t members = group_.members().size();
  return group_.find(out_.self()) == nullptr ? members : members - 1;
}

std::vector<NodeId> Master::nodes() const {
  std::vector<NodeId> nodes;
  for (const auto& [id, member] : group_.members())
    if (!member.lost) nodes.push_back(id);
  return nodes;
}

// --- views --------------------------------------------------------------------------------------

HostView Master::view_of(TimePoint now, const Member& member) const {
  HostView view;
  view.id = member.id;
  view.role = member.id == out_.self() ? Role::master : Role::slave;
  view.capacity = member.facts.capacity;
  view.load = member.load();
  view.thresholds = member.facts.thresholds;
  view.vms = member.report.vms.size();
  view.age = now - member.heard_at;
  const std::string unusable = group_.why_unusable(now, member);
  const bool over = unusable.empty() && is_overloaded(view.load, view.capacity, view.thresholds);
  view.state = !unusable.empty()               ? "stale: " + unusable
               : member.report.maintenance     ? drain_in_words(member)
               : over && is_waited_for(member) ? waited_for_in_words(member.report.passes_in)
               : over                          ? over_in_words(member.report.base, member.facts)
                                               : "ok";
  if (!member.lost) return view;
  for (const wire::VmReport& vm : member.report.vms) {
    const Member* now_at = home_of(vm.vm.id);
    if (now_at == nullptr || now_at->id == member.id) view.lost_vms.push_back(vm.vm.id);
  }
  view.state = lost_in_words(view);
  return view;
}

// Hosts that were given up stay in the table: an operator is to see what was there.
std::vector<HostView> Master::hosts(TimePoint now) const {
  std::vector<HostView> views;
  for (const auto& [id, member] : group_.members()) views.push_back(view_of(now, member));
  for (const auto& [id, member] : group_.gone()) views.push_back(view_of(now, member));
  std::sort(views.begin(), views.end(),
            [](const HostView& a, const HostView& b) { return a.id < b.id; });
  return views;
}

std::vector<LeaseView> Master::leases() const {
  std::vector<LeaseView> views;
  for (const auto& [id, lease] : ledger_.leases())
    views.push_back({id, lease.vm, lease.from, lease.to, ledger::name_of(lease.phase)});
  return views;
}

// A plan without a migration is no good news by itself: what it leaves is told with it.
std::string Master::state_in_words() const {
  switch (plan_->state) {
    case PlanState::recommended: return "recommended";
    case PlanState::needs_approval: return "waits for approval";
    case PlanState::running: return "running";
    case PlanState::abandoned: return "abandoned: " + conductor_.abandoned();
    case PlanState::done: break;
  }
  if (!plan_->moves.empty()) return "done";
  if (plan_->surplus.empty() && plan_->overloaded_before == 0) return "nothing to do";
  if (plan_->surplus.empty())
    return "nothing to do yet: " + counted(plan_->overloaded_before, "host") +
           " over a threshold, for less than " + counted(config_.plan.dwell, "sample") +
           " (dwell), or likely to pass before a copy would be done (patience)";
  const SurplusView& first = plan_->surplus.front();
  if (first.reason == asks_for_cooler)
    return quoted(first.vm.str()) + " of " + quoted(first.host.str()) +
           " has a place, but its host would get hot: " + first.reason;
  std::set<HostId> hosts;
  for (const SurplusView& one : plan_->surplus) hosts.insert(one.host);
  return quoted(first.host.str()) +
         (hosts.size() > 1 ? " and " + counted(hosts.size() - 1, "other host") : std::string()) +
         " cannot be relieved by its group: " + quoted(first.vm.str()) + ": " + first.reason;
}

std::optional<PlanView> Master::plan(TimePoint now) const {
  if (!plan_) return std::nullopt;
  PlanView view;
  view.id = plan_->id;
  view.age = now - plan_->made_at;
  view.surplus = plan_->surplus;
  for (SurplusView& one : view.surplus) one.pause = trade_.pause_of(now, one.vm);
  view.pause = why_not_searched(now);
  view.overload_before = plan_->overload_before;
  view.overload_after = plan_->overload_after;
  view.overloaded_before = plan_->overloaded_before;
  view.overloaded_after = plan_->overloaded_after;
  view.lower_bound = plan_->lower_bound;
  const bool conducted = plan_->state == PlanState::running ||
                         plan_->state == PlanState::abandoned ||
                         (plan_->state == PlanState::done && !plan_->moves.empty());
  if (conducted) {
    view.moves = conductor_.moves();
  } else {
    for (const PlannedMove& move : plan_->moves)
      view.moves.push_back(
          {move.vm, move.from, move.to, move.step, move.swap, "planned", move.why});
  }
  view.state = state_in_words();
  return view;
}

}  // namespace ballast::node
