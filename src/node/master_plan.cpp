// When a master plans, what it makes of the answer, and what becomes of it.

#include <algorithm>

#include "ballast/base/planted.h"
#include "ballast/base/words.h"
#include "ballast/model/heat.h"
#include "ballast/plan/planner.h"
#include "cooler_elsewhere.h"
#include "master.h"
#include "worth_asking.h"

namespace ballast::node {
namespace {

constexpr Duration answers_within = std::chrono::seconds(1);  // of slaves that are asked to report
constexpr int plan_kept_copies = 6;  // a plan that goes well may take as long as so many copies

// Why a host is a source: its first resource over the threshold, with the figures.
std::string why_relieved(const Host& host, const Thresholds& thresholds, const Resources& load) {
  if (host.maintenance) return quoted(host.id.str()) + " is in maintenance";
  for (const Resource r : all_resources) {
    if (excess_of(load[r], host.capacity[r], thresholds[r]) > load_tolerance) {
      return quoted(host.id.str()) + " is at " + percent(load[r] / host.capacity[r]) + " of its " +
             name_of(r) + ", the threshold is " + percent(thresholds[r]);
    }
  }
  return "to make room on " + quoted(host.id.str());
}

}  // namespace

// Not more often than samples come in: a host that stays over would otherwise be planned for with
// the same figures again and again.
void Master::plan_soon(TimePoint now) {
  next_plan_ = std::min(next_plan_, std::max(now, looked_at_ + config_.sample.sample_interval));
}

void Master::plan_if_due(TimePoint now, const std::vector<market::Seller>& sellers) {
  if (now < next_plan_) return;
  if (planted::on(planted::Bug::master_tires_of_planning) && plans_made_ > 5) {
    next_plan_ = time_never;
    return;
  }
  // A plan under way is finished first, but not waited for endlessly; one that somebody approved
  // is, since a newer one would need approval again. Its migrations end by their own timeouts.
  const bool busy = plan_ && plan_->state == PlanState::running;
  const bool approved = config_.plan.mode != Mode::act;
  const Duration age = busy ? now - plan_->made_at : Duration(0);
  const Duration kept_for =
      std::max(config_.plan.plan_interval, plan_kept_copies * conductor_.slowest(now));
  const bool kept = busy && age < kept_for && plan_relieves_all() && plan_->drains == drains_;
  const bool drain_ended = busy && !std::includes(drains_.begin(), drains_.end(),
                                                  plan_->drains.begin(), plan_->drains.end());
  if (busy && !drain_ended && (approved || kept)) {
    next_plan_ = now + config_.sample.sample_interval;
    return;
  }
  if (nothing_to_search(now, sellers)) {
    out_.count("searches_spared");
    looked_at_ = now;
    spared_ = true;
    next_plan_ = last_plan_ + config_.plan.plan_interval;
    std::erase_if(wanting_, [](const SurplusVm& one) { return one.heat_max > 0; });  // they were
    trade_.need(wanting_);
    return;
  }
  if (!were_declined_ && gather(now)) return;
  were_declined_ = false;
  last_plan_ = now;
  looked_at_ = now;
  next_plan_ = now + config_.plan.plan_interval;
  wanting_.clear();
  decide(now, make_plan(now, sellers, wanting_));
  was_held_back_ = held_back(now);
  const bool acts = plan_->state == PlanState::running || plan_->state == PlanState::done;
  if (!acts) wanting_.clear();
  trade_.need(wanting_);
}

// Within a plan interval of the last plan only what could make for a better one is planned for.
bool Master::nothing_to_search(TimePoint now, const std::vector<market::Seller>& sellers) {
  if (planted::on(planted::Bug::master_searches_once) && plan_) return is_unrelieved();
  const bool fresh_reports_came = asked_at_.has_value();
  if (!plan_ || fresh_reports_came || were_declined_ ||
      now >= last_plan_ + config_.plan.plan_interval)
    return false;
  if (plan_->state == PlanState::abandoned || was_held_back_ != held_back(now) ||
      decided_in_ != config_.plan.mode)
    return false;
  return search_.change(picture(now).snapshot, others_for_drains(sellers)) == nullptr;
}

// The last plan left a host over its threshold, or not empty.
bool Master::is_unrelieved() const { return plan_ && !plan_->surplus.empty(); }

std::string Master::why_not_searched(TimePoint now) const {
  if (!spared_ || !is_unrelieved()) return {};
  return "not searched again: nothing has changed since the search " +
         whole_seconds(now - searched_at_) + " ago that could give a better plan";
}

Picture Master::picture(TimePoint now) const {
  return picture_of(now, config_, group_, ledger_, &conductor_.failures(), trade_.leaving(),
                    not_to(now));
}

std::vector<OtherRoom> Master::others_for_drains(const std::vector<market::Seller>& sellers) const {
  return draining() ? rooms_of(sellers) : std::vector<OtherRoom>{};
}

// A chain of moves pays at its end: where copies take long, to plan anew in its midst wastes what
// was moved to make room.
bool Master::plan_relieves_all() const {
  return std::all_of(group_.members().begin(), group_.members().end(), [&](const auto& known) {
    const bool over = known.second.report.over_samples >= config_.plan.dwell;
    return !over || conductor_.relieves(known.first);
  });
}

// Loads of hosts that are well are up to a report interval old, and those of different hosts are of
// different times: before VMs are moved there, everybody is asked once. True: wait for the answers.
bool Master::gather(TimePoint now) {
  if (asked_at_) {
    asked_at_.reset();
    return false;
  }
  const bool needed =
      std::any_of(group_.members().begin(), group_.members().end(), [&](const auto& known) {
        const wire::HostReport& report = known.second.report;
        return report.over_samples >= config_.plan.dwell || report.maintenance;
      });
  if (!needed || config_.sample.report_interval <= config_.sample.sample_interval) return false;
  asked_at_ = now;
  next_plan_ = now + std::min(answers_within, config_.sample.sample_interval / 4);
  for (const auto& [id, member] : group_.members()) {
    if (!member.lost) out_.send(id, {}, wire::ReportAsk{member.epoch});
  }
  return true;
}

std::map<VmId, std::vector<HostId>> Master::not_to(TimePoint now) const {
  std::map<VmId, std::vector<HostId>> hosts;
  for (const auto& [vm, departures] : conductor_.departures()) {
    for (const Conductor::Departure& one : departures) {
      if (now < one.at + config_.plan.no_return) hosts[vm].push_back(one.from);
    }
  }
  return hosts;
}

Master::MadePlan Master::make_plan(TimePoint now, const std::vector<market::Seller>& sellers,
                                   std::vector<SurplusVm>& wanting) {
  const std::map<VmId, std::vector<HostId>> left = not_to(now);
  const Picture picture = this->picture(now);
  const Snapshot& snapshot = picture.snapshot;
  tell_of_doubled(now, picture.doubled);
  const DrainPlan& joint = search_.plan(snapshot, others_for_drains(sellers));
  spared_ = search_.remembered();
  if (!spared_) searched_at_ = now;
  out_.count(spared_ ? "searches_spared" : "searches_made");
  const Plan& made = joint.plan;

  MadePlan plan;
  plan.id = std::to_string(incarnation_) + "." + std::to_string(++plans_made_);
  plan.made_at = now;
  plan.lower_bound = made.lower_bound;
  plan.drains = drains_;
  const std::vector<Resources> loads = loads_of(snapshot);
  const std::map<VmIndex, double> elsewhere = sent_elsewhere(now, snapshot, made, sellers);
  for (const Migration& migration : made.migrations) {
    const Host& from = snapshot.hosts[migration.from];
    const Vm& vm = snapshot.vms[migration.vm];
    if (const auto one = elsewhere.find(migration.vm); one != elsewhere.end()) {
      wanting.push_back({vm.id, from.id, one->second});
      plan.surplus.push_back({vm.id, from.id, asks_for_cooler, {}});
      continue;
    }
    const Member& member = *group_.find(from.id);
    plan.moves.push_back(PlannedMove{
        vm.id, from.id, snapshot.hosts[migration.to].id, migration.step, migration.swap, vm.load,
        why_relieved(from, member.facts.thresholds, loads[migration.from]), std::nullopt});
  }
  std::vector<VmIndex> wanted;
  for (const Surplus& surplus : made.surplus) {
    const VmId& vm = snapshot.vms[surplus.vm].id;
    const auto held = picture.held.find(vm);
    const bool is_held = surplus.reason == SurplusReason::immovable && held != picture.held.end();
    // Barred from hosts that it has left lately, or failed at, not by a rule of its own: others may
    // take it.
    const HostId& at = snapshot.hosts[surplus.host].id;
    const std::string failed = conductor_.failures().why(now, vm, at);
    const bool barred =
        surplus.reason == SurplusReason::rule && (left.contains(vm) || !failed.empty());
    std::string why = is_held                     ? held->second
                      : barred && !failed.empty() ? failed
                      : barred ? "it left the hosts with room too lately to go back (no_return)"
                               : reason_of(surplus.reason);
    const bool is_left =
        surplus.reason == SurplusReason::own_load || surplus.reason == SurplusReason::not_worth;
    if (!is_held && !barred && !is_left && !failed.empty()) why += "; " + failed;
    plan.surplus.push_back(SurplusView{vm, at, std::move(why), {}, is_left});
    const bool room_is_all = barred || surplus.reason == SurplusReason::no_cpu ||
                             surplus.reason == SurplusReason::no_memory ||
                             surplus.reason == SurplusReason::no_network ||
                             surplus.reason == SurplusReason::no_target;
    if (room_is_all) wanted.push_back(surplus.vm);
  }
  for (const VmIndex v :
       worth_asking(applied(snapshot, made), wanted, sellers, config_.plan.min_gain))
    wanting.push_back({snapshot.vms[v].id, snapshot.hosts[snapshot.vms[v].host].id});
  for (const DrainPlan::Out& one : joint.out) {
    const SurplusVm leaves{snapshot.vms[one.vm].id, snapshot.hosts[one.from].id};
    plan.surplus.push_back({leaves.vm, leaves.host, "room is asked for in other groups"});
    wanting.push_back(leaves);
  }
  // What is told to people is measured against the thresholds they have set, not against the aim.
  Snapshot real = snapshot;
  for (Host& host : real.hosts) host.thresholds = group_.find(host.id)->facts.thresholds;
  plan.overload_before = overload_of(real);
  plan.overloaded_before = overloaded_hosts(real);
  const Snapshot after = applied(std::move(real), made);
  plan.overload_after = overload_of(after);
  plan.overloaded_after = overloaded_hosts(after);
  return plan;
}

// Not while they could not be asked: then the plan is told, or carried out, as it is.
std::map<VmIndex, double> Master::sent_elsewhere(TimePoint now, const Snapshot& snapshot,
                                                 const Plan& made,
                                                 const std::vector<market::Seller>& sellers) const {
  std::map<VmIndex, double> vms;
  if (!trades() || held_back(now)) return vms;
  std::vector<Resources> limits;
  for (const Host& host : snapshot.hosts)
    limits.push_back(limit_of(host.capacity, group_.find(host.id)->facts.thresholds));
  std::set<VmId> at_home;
  for (const auto& [vm, until] : at_home_until_)
    if (now < until) at_home.insert(vm);
  for (const Elsewhere& one : cooler_elsewhere(snapshot, made, limits, sellers, at_home))
    vms.emplace(one.vm, one.heat_max);
  return vms;
}

// They go where the plan had a place for them: at once, on the reports that it was made from.
void Master::take_declined(TimePoint now) {
  const std::set<VmId> declined = trade_.take_declined();
  std::erase_if(at_home_until_, [&](const auto& known) { return known.second <= now; });
  for (const VmId& vm : declined) at_home_until_[vm] = now + config_.plan.plan_interval;
  if (declined.empty()) return;
  were_declined_ = true;
  if (!asked_at_) next_plan_ = now;
}

void Master::decide(TimePoint now, MadePlan plan) {
  out_.count("plans_made");
  const Mode mode = config_.plan.mode;
  decided_in_ = mode;
  const bool quiet = now < quiet_until_ && !planted::on(planted::Bug::master_forgets_quiet);
  const bool too_large = plan.moves.size() > config_.plan.max_moves;
  if (plan.moves.empty()) {
    plan.state = PlanState::done;
  } else if (mode == Mode::recommend || quiet || paused_) {
    plan.state = PlanState::recommended;
  } else if (mode == Mode::approve || too_large) {
    plan.state = PlanState::needs_approval;
  } else {
    plan.state = PlanState::running;
  }
  const auto same_moves = [](const PlannedMove& a, const PlannedMove& b) {
    return a.vm == b.vm && a.to == b.to;
  };
  // Said once, not at each interval while nobody acts on it.
  const bool news = !plan_ || plan_->state != plan.state ||
                    !std::equal(plan.moves.begin(), plan.moves.end(), plan_->moves.begin(),
                                plan_->moves.end(), same_moves);
  if (!plan.moves.empty() && news) {
    const std::string and_then =
        plan.state == PlanState::recommended
            ? (paused_                            ? "balancing is paused"
               : quiet && mode != Mode::recommend ? "nothing moves so soon after the start"
                                                  : "recommended only")
        : plan.state == PlanState::needs_approval ? "waits for `ballast approve " + plan.id + "`"
                                                  : "it begins";
    out_.event(now, EventKind::planned, {}, {},
               "plan " + plan.id + ": " + counted(plan.moves.size(), "migration") + " for " +
                   counted(plan.overloaded_before, "overloaded host") + ", " +
                   std::to_string(plan.overloaded_after) + " left; " + and_then);
  }
  tell_of_plan(now, plan);
  // The same proposal keeps its id: somebody may be about to approve it.
  if (!news && plan.state != PlanState::running) plan.id = plan_->id;
  plan_ = std::move(plan);
  if (plan_->state != PlanState::running) conductor_.start(now, {});  // what waits is outdated
  if (plan_->state == PlanState::running) {
    out_.count("plans_begun");
    conductor_.start(now, plan_->moves);
  }
  close_finished_plan(now);
}

void Master::close_finished_plan(TimePoint now) {
  if (!plan_ || plan_->state != PlanState::running || !conductor_.idle()) return;
  const bool all_done = conductor_.abandoned().empty();
  plan_->state = all_done ? PlanState::done : PlanState::abandoned;
  if (all_done) {
    out_.count("plans_done");
    out_.count("plans_done_lower_bounds", plan_->lower_bound);
  } else {
    out_.count("plans_abandoned");
    plan_soon(now);
  }
}

Status Master::approve(TimePoint now, const std::string& plan_id) {
  if (!plan_) return Error{"this master has made no plan yet"};
  if (plan_->id != plan_id)
    return Error{"there is no plan " + quoted(plan_id) + ": the last one is " + plan_->id +
                 (plan_->state == PlanState::needs_approval ? ", which waits for approval" : "")};
  if (plan_->state != PlanState::needs_approval)
    return Error{"plan " + plan_->id + " needs no approval: " + state_in_words()};
  plan_->state = PlanState::running;
  plan_->made_at = now;
  conductor_.start(now, plan_->moves);
  close_finished_plan(now);
  return {};
}

}  // namespace ballast::node
