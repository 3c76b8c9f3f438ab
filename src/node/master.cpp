#include "master.h"

#include <algorithm>

#include "ballast/base/planted.h"
#include "ballast/base/words.h"
#include "ballast/plan/planner.h"
#include "drain.h"

namespace ballast::node {
namespace {

constexpr Duration asleep_min = std::chrono::seconds(10);  // after it should have done something

// Anywhere in a range that no life uses up, and short enough to read.
std::uint64_t first_lease_of(std::uint64_t seed) { return 1 + (seed >> 24U); }

}  // namespace

Master::Master(TimePoint now, const Config& config, std::uint64_t incarnation, std::uint64_t seed,
               Outbox& out)
    : config_(config),
      incarnation_(incarnation),
      out_(out),
      ledger_(config.node.id, incarnation, first_lease_of(seed)),
      group_(config),
      conductor_(config, group_, ledger_, out),
      trade_(config, incarnation, seed, group_, ledger_, conductor_, out),
      quiet_until_(now + 2 * config.plan.plan_interval),
      next_plan_(now + config.plan.plan_interval),
      last_plan_(now),
      search_(planner_options()),
      searched_at_(now),
      looked_at_(now) {}

// --- messages -----------------------------------------------------------------------------------

void Master::take(TimePoint now, const NodeId& from, const Epoch& epoch,
                  const wire::Attach& attach) {
  const Member* known = group_.find(from);
  // A node that lost its small state counts its lives anew. Once its past self has been silent for
  // so long that nothing of it can still be under way, it is taken as it comes.
  if (known != nullptr && epoch < known->epoch && !known->lost) {
    out_.count("attaches_from_the_past");
    return;
  }
  // The master's own host does not count as one of its slaves.
  const bool leads_itself = group_.find(out_.self()) != nullptr;
  const std::size_t slaves = group_.members().size() - (leads_itself ? 1 : 0);
  if (known == nullptr && from != out_.self() && slaves >= config_.limits.max_slaves) {
    out_.count("attaches_refused");
    out_.send(
        from, {},
        wire::AttachAnswer{epoch, false,
                           "this master has " + counted(slaves, "slave") + ", the most it may"});
    return;
  }
  const bool again = known != nullptr && epoch == known->epoch;
  const bool new_life = known != nullptr && epoch.incarnation != known->epoch.incarnation;
  // A late double of an Attach is older than the reports since.
  if (!again || attach.sequence > known->sequence) {
    if (known == nullptr)
      out_.event(now, EventKind::attached, {}, from, quoted(from.str()) + " joined the group");
    const std::optional<wire::HostFacts> before =
        known == nullptr ? std::nullopt : std::optional(known->facts);
    const Member& member = group_.attach(now, from, epoch, attach, ledger_);
    if (before) watch_facts(now, member, *before);
    if (!again) conductor_.reattached(now, member, new_life);
    watch_drain(now, member);
    if (member.report.over_samples >= config_.plan.dwell) plan_soon(now);
  }
  if (planted::on(planted::Bug::master_answers_once) && epoch.attachment > 1) return;
  out_.send(from, {}, wire::AttachAnswer{epoch, true, {}});
}

bool Master::known_epoch(TimePoint, const NodeId& from, const Epoch& epoch) {
  const Member* member = group_.find(from);
  if (member == nullptr || epoch > member->epoch) {
    out_.send(from, {},
              wire::AttachAnswer{epoch, false, "this master does not know you: attach again"});
    return false;
  }
  if (epoch < member->epoch) {
    out_.count("messages_from_the_past");
    return false;
  }
  return true;
}

void Master::take(TimePoint now, const NodeId& from, const Epoch& epoch,
                  const wire::Report& report) {
  if (!known_epoch(now, from, epoch)) return;
  Member& member = *group_.find(from);
  const std::string distrust = member.report.distrust;
  const std::optional<wire::HostFacts> facts =
      report.facts ? std::optional(member.facts) : std::nullopt;
  if (group_.report(now, member, report, ledger_)) {
    watch_figures(now, member, distrust);
    if (facts) watch_facts(now, member, *facts);
    conductor_.reported(now, member);
    watch_drain(now, member);
    // What relieves a host may have changed on any other.
    if (member.report.over_samples >= config_.plan.dwell || is_unrelieved()) plan_soon(now);
  } else {
    out_.count("reports_outdated");
  }
  out_.send(from, {}, wire::ReportAck{epoch, report.sequence});
  if (paused_) out_.send(from, {}, wire::Paused{epoch, true});
}

void Master::take(TimePoint now, const NodeId& from, const Epoch& epoch,
                  const wire::Outcome& outcome) {
  if (!known_epoch(now, from, epoch)) return;
  conductor_.heard(now, from, outcome);
  close_finished_plan(now);
}

void Master::take(TimePoint now, const NodeId& from, const Epoch& epoch,
                  const wire::LeaseState& state) {
  if (!known_epoch(now, from, epoch)) return;
  conductor_.heard(now, from, state);
  trade_.heard(from, state);
  close_finished_plan(now);
}

void Master::take(TimePoint now, const NodeId& from, const Epoch&, const wire::Leave& leave) {
  out_.send(from, {}, wire::LeaveAck{leave.left});
  const Member* member = find_also_gone(from);
  if (member == nullptr || leave.left < member->epoch) return;
  let_go(from);
  group_.left(from);
  out_.event(now, EventKind::lost, {}, from,
             quoted(from.str()) + " leaves the group: " + leave.why);
}

void Master::let_go(const HostId& host) {
  conductor_.left(host);
  ledger_.forget_host(host);
  drains_.erase(host);
  emptied_.erase(host);
  stuck_.erase(host);
  silent_.erase(host);
}

Status Master::forget_lost(TimePoint now, const HostId& host) {
  const Member* member = find_also_gone(host);
  if (member == nullptr) return Error{quoted(host.str()) + " is no host of this group"};
  if (!member->lost)
    return Error{quoted(host.str()) + " is not lost: it was heard " +
                 age_in_words(now - member->heard_at) + " ago. Stop its node first"};
  if (group_.find(host) != nullptr) let_go(host);
  group_.left(host);
  out_.event(now, EventKind::lost, {}, host,
             quoted(host.str()) + " is forgotten, as an operator said");
  return {};
}

const Member* Master::find_also_gone(const HostId& host) const {
  if (const Member* member = group_.find(host); member != nullptr) return member;
  const auto gone = group_.gone().find(host);
  return gone == group_.gone().end() ? nullptr : &gone->second;
}

// --- time ---------------------------------------------------------------------------------------

void Master::config_changed(TimePoint now) {
  conductor_.config_changed();
  trade_.config_changed();
  // What was decided in another mode is decided anew, and until then nothing of it begins.
  const bool may_begin =
      plan_ && (plan_->state == PlanState::running || plan_->state == PlanState::needs_approval);
  if (may_begin && decided_in_ != config_.plan.mode) {
    plan_->state = PlanState::recommended;
    conductor_.start(now, {});
  }
  next_plan_ = std::min(next_plan_, now + config_.plan.plan_interval);
  plan_soon(now);
}

void Master::tick(TimePoint now, const std::vector<market::Seller>& sellers, bool paused) {
  if (paused_ != paused) {
    for (const auto& [id, member] : group_.members())
      out_.send(id, {}, wire::Paused{member.epoch, paused});
  }
  paused_ = paused;
  if (due_ != time_never && now > due_ + asleep_min) woke(now, now - due_);
  for (const HostId& id : group_.newly_lost(now)) {
    conductor_.lost(now, id);
    group_.update_room(*group_.find(id), ledger_);
    const std::string vms = counted(group_.find(id)->report.vms.size(), "VM");
    out_.event(now, EventKind::lost, {}, id,
               id == out_.self() ? "the hypervisor of this host gives no figures: its " + vms +
                                       " are left alone until it does"
                                 : "nothing heard of " + quoted(id.str()) + ": it and its " + vms +
                                       " are left alone until it reports");
  }
  for (const HostId& id : group_.give_up(now)) let_go(id);
  conductor_.tick(now);
  close_finished_plan(now);
  take_declined(now);
  plan_if_due(now, sellers);
  const bool acts = config_.plan.mode == Mode::act && config_.market.enabled;
  const bool only_starts = acts && !paused && now < quiet_until_;
  trade_.tick(now, sellers, !acts || paused || now < quiet_until_,
              only_starts ? quiet_until_ : time_never);
  end_stuck_drains(now);
  due_ = std::max(now, next_deadline());
}

// Its process stood still. What others said meanwhile is still to be read, so that they were silent
// cannot be told yet.
void Master::woke(TimePoint now, Duration slept) {
  if (planted::on(planted::Bug::master_wakes_rashly)) return;
  group_.slept(slept);
  conductor_.slept(slept);
  out_.event(now, EventKind::recovered, {}, out_.self(),
             "this master stood still for " + age_in_words(slept) +
                 ": what happened meanwhile is asked for before anything is concluded from it");
  for (const auto& [id, member] : group_.members()) {
    if (!member.lost) out_.send(id, {}, wire::ReportAsk{member.epoch});
  }
}

bool Master::wants_room(TimePoint now) const {
  if (trade_.wants_room() || draining()) return true;
  return now >= next_plan_ && std::any_of(group_.members().begin(), group_.members().end(),
                                          [&](const auto& known) { return is_over(known.second); });
}

TimePoint Master::next_deadline() const {
  return std::min(
      {next_plan_, conductor_.next_deadline(), group_.next_loss(), trade_.next_deadline()});
}

}  // namespace ballast::node
