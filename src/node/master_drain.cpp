// Hosts of a master's group that are to be emptied: whether that can be done, that it is noticed,
// and that it is said when it is done.

#include <algorithm>

#include "ballast/base/words.h"
#include "master.h"

namespace ballast::node {
namespace {

// What holds a VM for the moment (it is on its way, it rests) does not hold it for ever; what its
// hypervisor says does.
std::string why_fixed(const Picture& picture, const Member& member, const VmId& vm) {
  if (const auto two = picture.doubled.find(vm); two != picture.doubled.end())
    return "hosts " + quoted(two->second.first.str()) + " and " + quoted(two->second.second.str()) +
           " both say that it runs there";
  const wire::VmReport* report = member.find(vm);
  if (report == nullptr) return {};  // on its way here
  if (report->vm.presence == Presence::paused) return "it is paused";
  if (!report->vm.movable) return report->vm.immovable_reason;
  return {};
}

wire::Fact stays_fact(const Picture& picture, const DrainPlan& planned,
                      const std::vector<OtherRoom>& others, const Surplus& surplus) {
  const Snapshot& snapshot = picture.snapshot;
  const Vm& vm = snapshot.vms[surplus.vm];
  wire::Fact fact;
  fact.kind = "stays";
  fact.vm = vm.id;
  fact.host = snapshot.hosts[surplus.host].id;
  fact.room = vm.load;
  const auto held = picture.held.find(vm.id);
  if (surplus.reason == SurplusReason::immovable && held != picture.held.end()) {
    fact.text = held->second;
  } else {
    fact.text = reason_of(surplus.reason) + ": " + figures_of(snapshot, planned, others, vm.load);
  }
  fact.text = cleaned_text(fact.text, limits::text_bytes_max);
  return fact;
}

wire::Fact move_fact(const Vm& vm, const HostId& to, const NodeId& master, std::string text) {
  wire::Fact fact;
  fact.kind = "move";
  fact.vm = vm.id;
  fact.host = to;
  fact.master = master;
  fact.room = vm.load;
  fact.text = std::move(text);
  return fact;
}

}  // namespace

std::vector<OtherRoom> rooms_of(const std::vector<market::Seller>& sellers) {
  std::vector<OtherRoom> rooms;
  for (const market::Seller& seller : sellers) {
    for (const Resources& hole : seller.holes) rooms.push_back({seller.master, {}, hole});
  }
  return rooms;
}

plan::Options Master::planner_options() const {
  plan::Options options;
  options.outgoing_max = config_.migrate.outgoing;
  options.incoming_max = config_.migrate.incoming;
  options.effort = config_.plan.effort;
  options.min_gain = config_.plan.min_gain;
  return options;
}

void Master::watch_drain(TimePoint now, const Member& member) {
  const bool drains = member.report.maintenance;
  const bool changed = drains ? drains_.insert(member.id).second : drains_.erase(member.id) > 0;
  if (changed) {
    plan_soon(now);
    if (drains) drain_anew(now, member.id);
    out_.event(
        now, EventKind::drain, {}, member.id,
        quoted(member.id.str()) +
            (drains ? " is to be emptied: " + counted(member.report.vms.size(), "VM") + " there"
                    : " takes VMs again"));
  }
  if (!drains || !member.report.vms.empty()) {
    emptied_.erase(member.id);
  } else if (member.report.distrust.empty() && emptied_.insert(member.id).second) {
    out_.event(now, EventKind::drain, {}, member.id,
               quoted(member.id.str()) + " is drained: no VM is left there");
  }
}

std::string Master::why_still(TimePoint now) const {
  if (config_.plan.mode == Mode::recommend) return "mode is \"recommend\": nothing is moved";
  if (paused_) return "balancing is paused: nothing moves until `ballast resume`";
  if (config_.plan.mode == Mode::approve) return "mode is \"approve\": the plan waits for approval";
  if (now < quiet_until_)
    return "this master started lately: nothing moves for another " +
           whole_seconds(quiet_until_ - now + std::chrono::seconds(1));
  return {};
}

// What the drains that are under way would leave over, without another one.
std::set<VmId> Master::left_by_drains(TimePoint now, const std::vector<OtherRoom>& others) const {
  std::set<VmId> left;
  if (!draining()) return left;
  const Picture picture =
      picture_of(now, config_, group_, ledger_, nullptr, trade_.leaving(), not_to(now));
  const plan::Options options = planner_options();
  const DrainPlan planned =
      with_others(picture.snapshot, plan::make_plan(picture.snapshot, options), others, options);
  for (const Surplus& one : planned.plan.surplus) left.insert(picture.snapshot.vms[one.vm].id);
  return left;
}

Master::DrainCheck Master::check_drain(TimePoint now, const HostId& host,
                                       const std::vector<OtherRoom>& others) const {
  DrainCheck check;
  Group imagined = group_;
  Member& member = *imagined.find(host);
  if (const std::string stale = group_.why_unusable(now, member); !stale.empty()) {
    check.refusal = quoted(host.str()) + " is left alone: " + stale;
    return check;
  }
  member.report.maintenance = true;
  Picture picture =
      picture_of(now, config_, imagined, ledger_, nullptr, trade_.leaving(), not_to(now));
  Snapshot& snapshot = picture.snapshot;
  std::set<VmId> silent;
  for (Vm& vm : snapshot.vms) {
    if (snapshot.hosts[vm.host].id != host) continue;
    // One that hangs does not keep the others there.
    if (const wire::VmReport* report = member.find(vm.id);
        report != nullptr && report->vm.presence == Presence::unknown) {
      silent.insert(vm.id);
      continue;
    }
    const std::string why = why_fixed(picture, member, vm.id);
    vm.movable = why.empty();
    picture.held.erase(vm.id);
    if (!why.empty()) picture.held.emplace(vm.id, "it cannot move: " + why);
  }
  const plan::Options options = planner_options();
  const DrainPlan planned =
      with_others(snapshot, plan::make_plan(snapshot, options), others, options);
  check.lacks_room = lacks_room(snapshot, planned.plan);
  const std::set<VmId> left_anyway = left_by_drains(now, others);
  std::size_t stays = 0;
  for (const Surplus& one : planned.plan.surplus) {
    const Host& at = snapshot.hosts[one.host];
    const bool others_fault = at.id != host && left_anyway.contains(snapshot.vms[one.vm].id);
    if (!at.maintenance || others_fault) continue;
    silent.contains(snapshot.vms[one.vm].id) ? ++check.silent : ++stays;
    check.facts.push_back(stays_fact(picture, planned, others, one));
  }
  for (const Migration& one : planned.plan.migrations) {
    if (snapshot.hosts[one.from].id != host) continue;
    ++check.at_home;
    check.facts.push_back(move_fact(snapshot.vms[one.vm], snapshot.hosts[one.to].id, {},
                                    "within the group, in step " + std::to_string(one.step)));
  }
  for (const DrainPlan::Out& one : planned.out) {
    if (snapshot.hosts[one.from].id != host) continue;
    ++check.elsewhere;
    check.facts.push_back(
        move_fact(snapshot.vms[one.vm], one.to.host, one.to.master,
                  "through the market: master " + quoted(one.to.master.str()) + " has room"));
  }
  if (stays > 0)
    check.refusal = quoted(host.str()) + " cannot be drained: " + counted(stays, "VM") +
                    (stays == 1 ? " has" : " have") + " no other place";
  if (check.facts.size() > limits::facts_max) check.facts.resize(limits::facts_max);
  return check;
}

// --- drains that can go no further --------------------------------------------------------------

void Master::drain_anew(TimePoint now, const HostId& host) {
  const Member* member = group_.find(host);
  if (member == nullptr) return;
  for (const wire::VmReport& vm : member->report.vms)
    (void)conductor_.failures().retry(now, vm.vm.id, host);
  stuck_.erase(host);
  plan_soon(now);
}

std::string Master::why_left(TimePoint now, const Member& member, const VmId& vm) const {
  const std::string failed = conductor_.failures().why(now, vm, member.id);
  if (!failed.empty()) return failed;
  const auto surplus = std::find_if(plan_->surplus.begin(), plan_->surplus.end(),
                                    [&](const SurplusView& one) { return one.vm == vm; });
  return surplus == plan_->surplus.end() ? std::string("no plan names it") : surplus->reason;
}

// Something is under way for a VM of this host, or may yet begin. `surplus`: of the last plan.
bool Master::may_still_leave(TimePoint now, const Member& member,
                             const std::set<VmId>& surplus) const {
  if (!plan_->drains.contains(member.id) || !why_still(now).empty() ||
      plan_->state == PlanState::running || conductor_.relieves(member.id) ||
      !group_.why_unusable(now, member).empty())
    return true;
  const std::set<VmId> leaving = trade_.leaving();
  const auto may_leave = [&](const wire::VmReport& vm) {
    const VmId& id = vm.vm.id;
    const bool moves = vm.vm.presence == Presence::incoming || vm.vm.presence == Presence::outgoing;
    return moves || !surplus.contains(id) || leaving.contains(id) || trade_.asks_for(id) ||
           ledger_.find(id) != nullptr;
  };
  return std::any_of(member.report.vms.begin(), member.report.vms.end(), may_leave);
}

bool Master::is_stuck(const HostId& host) const {
  const auto stuck = stuck_.find(host);
  return stuck != stuck_.end() && !stuck->second.told.empty();
}

std::string Master::drain_in_words(const Member& member) const {
  const std::size_t vms = member.report.vms.size();
  return is_stuck(member.id) ? "drain stopped: " + counted_left(vms) : drain_state(vms);
}

// Said once for the VMs that are left. It is no end for good: what rests is tried again when its
// rest is over, and then this is said again.
void Master::end_stuck_drains(TimePoint now) {
  constexpr std::size_t named_max = 3;
  const Duration lasting = 3 * config_.sample.sample_interval;
  if (drains_.empty() || !plan_) return;
  std::set<VmId> surplus;
  for (const SurplusView& one : plan_->surplus) surplus.insert(one.vm);
  for (const HostId& host : drains_) {
    const Member* member = group_.find(host);
    if (member == nullptr || member->report.vms.empty() || may_still_leave(now, *member, surplus)) {
      stuck_.erase(host);
      continue;
    }
    Stuck& stuck = stuck_.try_emplace(host, Stuck{now, {}}).first->second;
    std::set<VmId> left;
    for (const wire::VmReport& vm : member->report.vms) left.insert(vm.vm.id);
    if (now < stuck.since + lasting || stuck.told == left) continue;
    stuck.told = left;
    std::string text = "the drain of " + quoted(host.str()) + " can go no further, " +
                       counted(left.size(), "VM") + (left.size() == 1 ? " is" : " are") + " left: ";
    std::size_t named = 0;
    for (const VmId& vm : left) {
      if (named == named_max) text += ", and others";
      if (named++ >= named_max) break;
      text += (named > 1 ? ", " : "") + quoted(vm.str()) + " (" + why_left(now, *member, vm) + ")";
    }
    out_.event(now, EventKind::alarm, {}, host,
               text + ". `ballast drain " + host.str() + "` tries again, `ballast undrain " +
                   host.str() + "` gives it up");
  }
}

std::vector<wire::Fact> Master::left_over(TimePoint now, const HostId& host) const {
  std::vector<wire::Fact> facts;
  const Member* member = group_.find(host);
  if (!is_stuck(host) || member == nullptr) return facts;
  for (const wire::VmReport& vm : member->report.vms) {
    if (facts.size() >= limits::facts_max) break;
    wire::Fact fact;
    fact.kind = "stays";
    fact.vm = vm.vm.id;
    fact.host = host;
    fact.room = vm.vm.load;
    fact.text = cleaned_text(why_left(now, *member, vm.vm.id), limits::text_bytes_max);
    facts.push_back(std::move(fact));
  }
  return facts;
}

}  // namespace ballast::node
