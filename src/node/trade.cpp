#include "trade.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/words.h"
#include "phrases.h"

namespace ballast::node {
namespace {

constexpr Duration repeat_every = std::chrono::seconds(2);
constexpr Duration note_for = std::chrono::seconds(70);  // a lease not begun is gone by then
constexpr Duration previous_asked_for = std::chrono::minutes(10);
constexpr Duration other_awaited_for = std::chrono::minutes(10);

// News is with all masters of a middling mesh after two or three rounds.
market::AskerSettings asker_settings(const Config& config) {
  market::AskerSettings settings;
  settings.self = config.node.id;
  settings.news_take = 2 * config.mesh.gossip_interval;
  settings.pause_first = config.plan.plan_interval;
  return settings;
}

}  // namespace

Trade::Trade(const Config& config, std::uint64_t incarnation, std::uint64_t seed, Group& group,
             ledger::Ledger& ledger, Conductor& conductor, Outbox& out)
    : config_(config),
      group_(group),
      ledger_(ledger),
      conductor_(conductor),
      out_(out),
      asker_(asker_settings(config), seed),
      grantor_(ledger),
      proposals_(incarnation << 32U) {}

void Trade::config_changed() { asker_.set_pause_first(config_.plan.plan_interval); }

// --- what is asked for --------------------------------------------------------------------------

// As far as resources are known that it has.
double Trade::overload_of(const Member& member) {
  const Resources load = member.load();
  double overload = 0;
  for (const Resource r : all_resources) {
    if (member.facts.capacity[r] > 0)
      overload += excess_of(load[r], member.facts.capacity[r], member.facts.thresholds[r]);
  }
  return std::min(overload, limits::heat_max);
}

wire::Want Trade::want_of(TimePoint now, const SurplusVm& surplus, const Member& member,
                          const wire::VmReport& vm) const {
  wire::Want want;
  want.vm = surplus.vm;
  want.load = vm.vm.load;
  want.from = surplus.host;
  want.from_endpoint = member.facts.endpoint;
  want.drain = member.report.maintenance;
  for (const HostId& host : conductor_.failures().not_to(now, surplus.vm, surplus.host))
    if (want.not_to.size() < limits::want_not_to_max) want.not_to.push_back(host);
  want.heat_max = surplus.heat_max;
  if (want.drain || want.heat_max > 0) return want;
  Resources takes = ledger_.room(surplus.host);
  const Resources& capacity = member.facts.capacity;
  for (const Resource r : all_resources) {
    if (capacity[r] == unlimited) continue;
    const double limit = capacity[r] * member.facts.thresholds[r] * config_.plan.target_of(r);
    takes[r] = std::max(0.0, limit - (member.load()[r] - want.load[r]));
  }
  want.takes_back = market::whole_units(takes);
  want.takes_back_first_mib =
      std::clamp(capacity.memory_mib - member.load().memory_mib, 0.0, limits::memory_mib_max);
  return want;
}

void Trade::need_what_is_new(TimePoint now, const std::vector<market::Seller>& sellers) {
  if (!surplus_) return;
  const std::set<VmId> gone = leaving();
  std::set<VmId> asked_before;
  std::swap(asked_before, asked_for_);
  for (const SurplusVm& one : *surplus_) asked_for_.insert(one.vm);
  std::vector<wire::Want> wants;
  for (const SurplusVm& one : *surplus_) {
    const Member* member = group_.find(one.host);
    const wire::VmReport* vm = member == nullptr ? nullptr : member->find(one.vm);
    if (vm == nullptr || gone.contains(one.vm)) continue;
    const bool in_vain = one.heat_max <= 0 && asked_before.contains(one.vm);
    if (in_vain && !fits_somewhere(vm->vm.load, sellers)) {
      if (const wire::VmReport* other = substitute(now, *member, sellers); other != nullptr) {
        asked_for_.insert(other->vm.id);
        wants.push_back(want_of(now, {other->vm.id, one.host}, *member, *other));
        continue;
      }
    }
    wants.push_back(want_of(now, one, *member, *vm));
  }
  surplus_.reset();
  asker_.need(now, std::move(wants));
  rounds_lost_.clear();
}

bool Trade::fits_somewhere(const Resources& load, const std::vector<market::Seller>& sellers) {
  return std::any_of(sellers.begin(), sellers.end(), [&](const market::Seller& seller) {
    return std::any_of(seller.holes.begin(), seller.holes.end(),
                       [&](const Resources& hole) { return market::fits(hole, load); });
  });
}

// The plan names the VMs whose leaving helps most. Where nobody has room for one of them, and it
// was asked for in vain, the largest VM of its host for which there is room somewhere goes instead.
const wire::VmReport* Trade::substitute(TimePoint now, const Member& member,
                                        const std::vector<market::Seller>& sellers) const {
  const wire::VmReport* best = nullptr;
  if (!group_.why_unusable(now, member).empty()) return best;
  for (const wire::VmReport& vm : member.report.vms) {
    const bool better = best == nullptr || vm.vm.load.cpu_mhz > best->vm.load.cpu_mhz;
    if (better && !asked_for_.contains(vm.vm.id) && may_leave(now, vm) &&
        fits_somewhere(vm.vm.load, sellers))
      best = &vm;
  }
  return best;
}

bool Trade::may_leave(TimePoint now, const wire::VmReport& vm) const {
  const bool outbound = std::any_of(outbound_.begin(), outbound_.end(),
                                    [&](const auto& known) { return known.second.vm == vm.vm.id; });
  return vm.vm.presence == Presence::running && vm.vm.movable && vm.rest <= Duration(0) &&
         !outbound && !doubled_.contains(vm.vm.id) && ledger_.find(vm.vm.id) == nullptr &&
         !conductor_.failures().rests(now, vm.vm.id);
}

std::set<VmId> Trade::take_declined() {
  std::set<VmId> vms = asker_.take_declined();
  vms.merge(declined_);
  declined_.clear();
  return vms;
}

std::set<VmId> Trade::leaving() const {
  std::set<VmId> vms;
  for (const auto& [lease, outbound] : outbound_) vms.insert(outbound.vm);
  return vms;
}

std::string Trade::stage_of(const VmId& vm) const {
  const auto found = std::find_if(outbound_.begin(), outbound_.end(),
                                  [&](const auto& known) { return known.second.vm == vm; });
  if (found == outbound_.end()) return {};
  const Outbound& outbound = found->second;
  const std::string with = " master " + quoted(outbound.with.master.str());
  switch (outbound.stage) {
    case Stage::pledged: return "pledged to" + with;
    case Stage::telling: return "the room for what comes back is being told, for" + with;
    case Stage::waiting_for_other: return "waits for what comes back from" + with;
    case Stage::proposed: return "proposed to" + with;
    case Stage::moving: return "agreed with" + with;
  }
  return {};
}

std::string Trade::pause_of(TimePoint now, const VmId& vm) const {
  const std::optional<market::Asker::Pause> pause = asker_.pause_of(now, vm);
  if (!pause) return {};
  return "other groups were asked " + std::to_string(pause->asked) +
         (pause->asked == 1 ? " time" : " times") + " in vain; they are asked again in " +
         whole_seconds(pause->left + std::chrono::seconds(1)) +
         ", or when one tells of room that fits";
}

std::vector<wire::Announced> Trade::announced() const {
  std::vector<wire::Announced> plans;
  for (const auto& [lease, outbound] : outbound_) {
    if (plans.size() >= limits::announced_max) break;
    if (outbound.stage == Stage::moving) plans.push_back({outbound.vm, outbound.from, outbound.to});
  }
  return plans;
}

std::vector<market::Hole> Trade::holes(TimePoint now) const {
  std::map<HostId, Resources> promised;  // by the plan, but not yet by the ledger
  for (const PlannedMove& move : conductor_.without_lease()) promised[move.to] += move.load;
  std::vector<market::Hole> holes;
  for (const auto& [id, member] : group_.members()) {
    if (member.report.maintenance || !group_.why_unusable(now, member).empty()) continue;
    market::Hole hole;
    hole.host = id;
    hole.endpoint = member.facts.endpoint;
    hole.room = ledger_.balance(id);
    hole.limit = limit_of(member.facts.capacity, member.facts.thresholds);
    for (const Resource r : all_resources) {
      const double capacity = member.facts.capacity[r];
      if (capacity == unlimited) continue;
      hole.carried[r] = hole.limit[r] - hole.room[r];
      hole.room[r] -= (1 - config_.plan.target_of(r)) * member.facts.thresholds[r] * capacity;
    }
    for (const wire::VmReport& vm : member.report.vms) hole.variance += squared(vm.swing);
    if (const auto waits = promised.find(id); waits != promised.end()) {
      hole.room -= waits->second;
      hole.carried += waits->second;
    }
    holes.push_back(std::move(hole));
  }
  return holes;
}

// --- time ---------------------------------------------------------------------------------------

void Trade::tick(TimePoint now, const std::vector<market::Seller>& sellers, bool quiet,
                 TimePoint quiet_until) {
  quiet_ = quiet;
  quiet_until_ = quiet_until;
  note_previous(now, sellers);
  need_what_is_new(now, sellers);
  for (const ForeignEnd& end : conductor_.take_foreign_ends()) ended(now, end);
  end_drains(now);
  grantor_.tidy();
  std::vector<LeaseId> open;
  for (const auto& [lease, outbound] : outbound_) open.push_back(lease);
  for (const LeaseId& lease : open) {
    if (const auto found = outbound_.find(lease); found != outbound_.end())
      step(now, lease, found->second);
  }
  std::erase_if(telling_, [&](const auto& known) { return ledger_.find(known.first) == nullptr; });
  for (auto& [lease, telling] : telling_) {
    if (!telling.told && telling.next <= now) tell(now, lease, telling);
  }
  std::erase_if(notes_, [&](const auto& known) { return known.second.until <= now; });
  for (auto& [lease, note] : notes_) {
    if (note.next > now) continue;
    note.next = now + repeat_every;
    out_.send(note.to.master, note.to.endpoint, note.body);
  }
  const Duration remembered = std::max(config_.plan.cooldown, config_.plan.no_return);
  std::erase_if(departures_,
                [&](const auto& known) { return now >= known.second.at + remembered; });
  if (!quiet) {
    for (market::Asker::Send& send : asker_.tick(now, sellers)) {
      for (const wire::Want& want : send.request.wants)
        out_.tell(now, want.vm, "request", send.to,
                  "asked master " + quoted(send.to.str()) + " for room");
      out_.send(send.to, send.endpoint, std::move(send.request));
    }
  }
  for (exchange::Proposals::Send& send : proposals_.tick(now))
    out_.send(send.to, send.endpoint, std::move(send.proposal));
  for (const exchange::Proposals::Settled& one : proposals_.take_settled()) settled(now, one);
}

// A host that takes VMs again need not lose those that have not begun to leave it.
void Trade::end_drains(TimePoint now) {
  std::vector<LeaseId> over;
  for (const auto& [lease, outbound] : outbound_) {
    const Member* member = group_.find(outbound.from);
    if (outbound.drain && member != nullptr && !member->report.maintenance) over.push_back(lease);
  }
  for (const LeaseId& lease : over) give_up(now, lease, "the drain of its host has ended");
}

TimePoint Trade::next_deadline() const {
  if (!declined_.empty() || asker_.has_declined()) return {};  // the master shall hear of it
  TimePoint next = proposals_.next_deadline();
  if (!quiet_) next = std::min(next, asker_.next_deadline());
  for (const auto& [lease, telling] : telling_) {
    if (!telling.told) next = std::min(next, telling.next);
  }
  for (const auto& [lease, note] : notes_) next = std::min({next, note.next, note.until});
  for (const auto& [lease, outbound] : outbound_) {
    if (outbound.stage == Stage::waiting_for_other || outbound.stage == Stage::pledged)
      next = std::min(next, outbound.since + other_awaited_for);
  }
  return next;
}

void Trade::tell(TimePoint now, const LeaseId& lease, Telling& telling) {
  telling.next = now + repeat_every;
  const ledger::Lease* known = ledger_.find(lease);
  const Member* target = known == nullptr ? nullptr : group_.find(known->to);
  if (target == nullptr || known->phase != ledger::Phase::promised) return;
  out_.send(target->id, {},
            wire::LeaseTell{lease, target->epoch, known->vm, known->from, telling.from_endpoint,
                            known->load});
}

void Trade::note(TimePoint now, const LeaseId& lease, const Party& to, wire::Body body) {
  out_.send(to.master, to.endpoint, body);
  if (notes_.size() >= limits::news_untold_max && !notes_.contains(lease)) {
    out_.count("notes_dropped");  // the lease expires by its grantor's clock
    return;
  }
  notes_.insert_or_assign(lease, Note{to, std::move(body), now + repeat_every, now + note_for});
}

void Trade::release(TimePoint now, const Party& to, const LeaseId& lease) {
  out_.count("grants_released");
  note(now, lease, to, wire::Release{lease});
}

// --- one VM that leaves -------------------------------------------------------------------------

bool Trade::arrived(const VmId& vm, const HostId& host) const {
  const Member* member = group_.find(host);
  const wire::VmReport* report = member == nullptr ? nullptr : member->find(vm);
  return report != nullptr && report->vm.presence == Presence::running;
}

void Trade::step(TimePoint now, const LeaseId& lease, Outbound& outbound) {
  switch (outbound.stage) {
    case Stage::telling: {  // asker, of a swap: the room for what comes back
      const auto telling = telling_.find(*outbound.other);
      if (telling == telling_.end() || ledger_.find(*outbound.other) == nullptr)
        return give_up(now, lease, "the room for what comes back is gone");
      if (!telling->second.told) return;
      const Member* home = group_.find(outbound.from);
      if (home == nullptr) return give_up(now, lease, "its host has left the group");
      note(now, *outbound.other, outbound.with,
           wire::SwapBack{lease, *outbound.other, home->id, home->facts.endpoint,
                          home->hypervisor()});
      outbound.stage = Stage::waiting_for_other;
      outbound.since = now;
      if (!outbound.other_first) propose(now, lease, outbound);
      return;
    }
    case Stage::waiting_for_other:
    case Stage::pledged:
      if (ledger_.find(*outbound.other) == nullptr) {
        if (!arrived(outbound.other_vm, outbound.from))
          return give_up(now, lease, "the VM to be exchanged did not come");
        // Of one that is pledged, the lease has not been named yet.
        if (outbound.stage == Stage::waiting_for_other) return propose(now, lease, outbound);
      }
      if (now >= outbound.since + other_awaited_for)
        give_up(now, lease, "the other half of the swap took too long");
      return;
    case Stage::proposed:
    case Stage::moving: return;
  }
}

void Trade::propose(TimePoint now, const LeaseId& lease, Outbound& outbound) {
  const Member* member = group_.find(outbound.from);
  if (member == nullptr) return give_up(now, lease, "its host has left the group");
  outbound.stage = Stage::proposed;
  outbound.since = now;
  const auto lost = rounds_lost_.find(outbound.vm);
  outbound.rank = {outbound.drain ? wire::PlanKind::drain : wire::PlanKind::remote,
                   lost == rounds_lost_.end() ? 0 : lost->second, judge_.next_stamp(), out_.self()};
  wire::ProposedMove move{lease,         outbound.vm, outbound.from,
                          member->epoch, outbound.to, outbound.heat};
  out_.tell(now, outbound.vm, "exchange", outbound.to,
            "proposed to master " + quoted(outbound.with.master.str()) + " as a " +
                wire::name_of(outbound.rank.kind) + " plan");
  proposals_.propose(now, outbound.rank.kind, outbound.rank.stamp, outbound.rank.rounds_lost, move,
                     concerned(outbound));
}

void Trade::note_previous(TimePoint now, const std::vector<market::Seller>& sellers) {
  previous_.clear();
  for (const auto& [id, member] : group_.members()) {
    if (member.previous.empty() || now >= member.attached_at + previous_asked_for) continue;
    for (const market::Seller& seller : sellers)
      if (seller.master == member.previous) previous_[id] = {seller.master, seller.endpoint};
  }
}

// The other party; and the master from which the host came lately, if it lives: it may still have
// plans with it.
std::vector<exchange::Concerned> Trade::concerned(const Outbound& outbound) const {
  std::vector<exchange::Concerned> concerned{{outbound.with.master, outbound.with.endpoint}};
  const auto previous = previous_.find(outbound.from);
  if (previous != previous_.end() && previous->second.master != outbound.with.master)
    concerned.push_back({previous->second.master, previous->second.endpoint});
  return concerned;
}

void Trade::settled(TimePoint now, const exchange::Proposals::Settled& settled) {
  const auto found = outbound_.find(settled.move.lease);
  if (found == outbound_.end()) return;
  Outbound& outbound = found->second;
  if (!settled.agreed) {
    if (settled.conflict != wire::Conflict::none) {
      out_.count(std::string("conflicts_lost_") + wire::name_of(settled.conflict));
      out_.tell(now, outbound.vm, "exchange", outbound.to,
                "gives way: " + conflict_in_words(settled.conflict) + ": " + settled.detail);
      ++rounds_lost_[outbound.vm];
    }
    return give_up(now, settled.move.lease, settled.detail);
  }
  outbound.stage = Stage::moving;
  outbound.since = now;
  out_.tell(now, outbound.vm, "exchange", outbound.to,
            "agreed with master " + quoted(outbound.with.master.str()));
  PlannedMove move;
  move.vm = outbound.vm;
  move.from = outbound.from;
  move.to = outbound.to;
  move.step = 0;
  move.load = outbound.load;
  move.why = "agreed with master " + quoted(outbound.with.master.str()) +
             (outbound.other ? ", in exchange for " + quoted(outbound.other_vm.str()) : "");
  move.foreign = Foreign{settled.move.lease, outbound.to_endpoint, outbound.to_hypervisor};
  conductor_.add_foreign(now, std::move(move));
}

void Trade::ended(TimePoint now, const ForeignEnd& end) {
  const auto found = outbound_.find(end.lease);
  if (found == outbound_.end()) return;
  Outbound& outbound = found->second;
  if (!end.arrived) return give_up(now, end.lease, end.detail);
  out_.count("remote_migrations");
  if (outbound.other) out_.count("remote_migrations_in_swaps");
  if (outbound.other) ledger_.drop_credit(*outbound.other);
  if (departures_.size() >= limits::moves_remembered_max) departures_.erase(departures_.begin());
  departures_[outbound.vm] = {outbound.from, now};
  outbound_.erase(found);
}

std::set<NodeId> Trade::awaited() const {
  std::set<NodeId> masters;
  for (const auto& [lease, telling] : telling_) {
    const ledger::Lease* known = ledger_.find(lease);
    if (known != nullptr && known->phase == ledger::Phase::promised)
      masters.insert(telling.swap_with);
  }
  masters.erase(NodeId());
  return masters;
}

// A promise that is taken back stays taken until its target has agreed, and that is the one who
// says whether the VM comes: should its holder have had the order already, it hears a no, or it was
// first, and then the VM arrives.
void Trade::lost(TimePoint now, const NodeId& master) {
  std::vector<LeaseId> kept;
  for (const auto& [lease, telling] : telling_) {
    const ledger::Lease* known = ledger_.find(lease);
    if (telling.swap_with == master && known != nullptr && known->phase == ledger::Phase::promised)
      kept.push_back(lease);
  }
  for (const LeaseId& lease : kept) {
    out_.count("swaps_with_the_lost");
    const auto half = std::find_if(outbound_.begin(), outbound_.end(),
                                   [&](const auto& known) { return known.second.other == lease; });
    if (half != outbound_.end())
      give_up(now, LeaseId(half->first), "master " + quoted(master.str()) + " is lost");
    conductor_.take_back(now, lease, false);
  }
}

// The VM stays: whoever counts on its leaving is told.
void Trade::give_up(TimePoint now, const LeaseId& lease, const std::string& why) {
  const auto found = outbound_.find(lease);
  if (found == outbound_.end()) return;
  const Outbound outbound = found->second;
  if (!conductor_.withdraw(now, outbound.vm, why)) return;  // under way: its end will come
  if (outbound.may_stay) declined_.insert(outbound.vm);
  outbound_.erase(lease);
  proposals_.withdraw(lease);
  out_.event(
      now, EventKind::not_moved, outbound.vm, outbound.to,
      quoted(outbound.vm.str()) + " does not go to " + quoted(outbound.to.str()) + ": " + why);
  const bool is_grant = lease.grantor == outbound.with.master;
  if (is_grant) release(now, outbound.with, lease);
  if (!outbound.other) return;
  ledger_.drop_credit(*outbound.other);
  notes_.erase(*outbound.other);
  // Ours for what was to come back: unless it has come already, it shall not come now.
  if (ledger_.find(*outbound.other) != nullptr) {
    note(now, *outbound.other, outbound.with, wire::SwapOver{*outbound.other, why});
    conductor_.take_back(now, *outbound.other, false);
  }
}

}  // namespace ballast::node
