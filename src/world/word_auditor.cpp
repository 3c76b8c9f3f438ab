#include "word_auditor.h"

namespace ballast::world {

void WordAuditor::said(HostIndex host, const wire::Body& body, bool lies) {
  if (const auto* order = std::get_if<wire::Order>(&body)) {
    if (lies)
      ordered_by_liars_[order->lease].insert(host);
    else
      ordered_.insert(order->lease);
  }
  if (lies) return;
  if (const auto* outcome = std::get_if<wire::Outcome>(&body)) {
    check(*outcome, host);
  } else if (const auto* state = std::get_if<wire::LeaseState>(&body)) {
    check(*state, host);
  }
}

void WordAuditor::check(const wire::Outcome& outcome, HostIndex host) {
  const bool ends =
      outcome.kind == wire::OutcomeKind::arrived || outcome.kind == wire::OutcomeKind::failed;
  if (!ends || !first(outcome.lease, static_cast<int>(outcome.kind))) return;
  if (fleet_.is_gone(outcome.vm)) return;
  const hypermodel::Copy* copy = fleet_.host(host).find(outcome.vm);
  if (outcome.kind == wire::OutcomeKind::arrived && copy != nullptr)
    complain_("untrue outcome", quoted(outcome.vm.str()) + " is said to have arrived, and is " +
                                    hypermodel::name_of(copy->state) + " at its source");
  const auto known = started_.find(outcome.lease);
  if (outcome.kind != wire::OutcomeKind::failed || known == started_.end()) return;
  if (known->second.vm != outcome.vm) return;  // a liar has given one number to two
  // It may have arrived and gone on from there, as long as its source was asked in vain.
  const hypermodel::Copy* there = fleet_.host(known->second.to).find(outcome.vm);
  const bool in_between = copy != nullptr && !hypermodel::runs(copy->state);
  if (there != nullptr || in_between)
    complain_("untrue outcome",
              quoted(outcome.vm.str()) + " is said to have stayed (" + outcome.detail +
                  "), and is " +
                  (in_between ? std::string(hypermodel::name_of(copy->state)) + " at its source"
                              : std::string(hypermodel::name_of(there->state)) + " at its target"));
}

void WordAuditor::check(const wire::LeaseState& state, HostIndex host) {
  const bool ends =
      state.phase == wire::LeasePhase::arrived || state.phase == wire::LeasePhase::absent;
  if (!ends || !first(state.lease, 100 + static_cast<int>(state.phase))) return;
  const auto known = started_.find(state.lease);
  if (known == started_.end() || fleet_.is_gone(known->second.vm)) return;
  if (known->second.to != host) return;  // a liar has given one number to two
  const std::string vm = quoted(known->second.vm.str());
  const hypermodel::Copy* copy = fleet_.host(host).find(known->second.vm);
  const bool runs = copy != nullptr && hypermodel::runs(copy->state);
  if (state.phase == wire::LeasePhase::arrived && !runs)
    complain_("untrue lease", vm + " is said to be here, and is not");
  if (state.phase == wire::LeasePhase::absent && copy != nullptr && known->second.to == host)
    complain_("untrue lease", vm + " is said not to be here nor to come, and is " +
                                  hypermodel::name_of(copy->state));
}

void WordAuditor::told(const node::Event& event, HostIndex to) {
  if (event.kind != node::EventKind::moved || fleet_.is_gone(event.vm)) return;
  const hypermodel::Copy* copy = fleet_.host(to).find(event.vm);
  const bool not_there = copy == nullptr || copy->state == hypermodel::CopyState::incoming;
  // A master that was cut off hears of it late: it may have gone on from there meanwhile.
  if (not_there && !ran_.contains({event.vm, to}))
    complain_("untrue event", quoted(event.vm.str()) + " is not there: " + event.text);
}

void WordAuditor::starts(const StartMigration& command, const Start& start) {
  started_[command.lease] = Known{command.vm, start.to};
  const std::string vm = quoted(command.vm.str());
  const auto ordered = ordered_by_liars_.find(command.lease);
  // What a master orders itself to do it does not send.
  const bool allowed = start.master == start.from || ordered_.contains(command.lease) ||
                       ordered == ordered_by_liars_.end() || ordered->second.contains(start.master);
  if (!allowed)
    complain_("move without order", vm + " leaves, and its holder's master has not said so");
  if (start.from == start.to) complain_("move to itself", vm);
  const hypermodel::Copy* copy = fleet_.host(start.from).find(command.vm);
  if (fleet_.is_up(start.from) &&
      (copy == nullptr || copy->state != hypermodel::CopyState::running))
    complain_("move of what is not there",
              vm + " is " + (copy == nullptr ? "absent" : hypermodel::name_of(copy->state)) +
                  " where it is told to leave");
  if (!start.target_may_have_forgotten && !start.target_honours)
    complain_("move without lease", vm + " is sent to a host that has promised nothing");
  if (start.quiet) complain_("move too soon", vm + " moves though its grantor has just started");
  const hypermodel::Fleet::Streams from = fleet_.streams(start.from);
  const hypermodel::Fleet::Streams to = fleet_.streams(start.to);
  if (from.outgoing >= start.outgoing_max)
    complain_("too many streams",
              vm + " leaves a host that sends " + std::to_string(from.outgoing) + " VMs already");
  if (to.incoming >= start.incoming_max)
    complain_("too many streams",
              vm + " goes to a host that takes in " + std::to_string(to.incoming) + " VMs already");
}

}  // namespace ballast::world
