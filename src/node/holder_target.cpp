// The holder as the target of migrations: leases that its master told it of, and who may begin.

#include <algorithm>

#include "ballast/base/planted.h"
#include "ballast/base/words.h"

#include "holder.h"

namespace ballast::node {

namespace {

// A VM that comes shows at the hypervisor within seconds of the yes. From then on it is asked: its
// holder, or the master of that, may have died and forgotten it.
migrate::IncomingSettings arrival_settings() {
  migrate::IncomingSettings settings;
  settings.overdue_after = std::chrono::minutes(3);
  return settings;
}

// What the life before this one said yes to may show at the hypervisor only now: its holder waits
// for an answer that long, and begins a moment later.
constexpr Duration past_shows_within = std::chrono::seconds(6);

wire::LeaseState state_of(const migrate::Incoming& machine, std::uint64_t sequence) {
  wire::LeaseState state;
  state.lease = machine.lease();
  state.sequence = sequence;
  switch (machine.phase()) {
    case migrate::Incoming::Phase::told: state.phase = wire::LeasePhase::told; break;
    case migrate::Incoming::Phase::begun: state.phase = wire::LeasePhase::begun; break;
    case migrate::Incoming::Phase::arrived: state.phase = wire::LeasePhase::arrived; break;
    case migrate::Incoming::Phase::absent: state.phase = wire::LeasePhase::absent; break;
  }
  return state;
}

}  // namespace

std::vector<LeaseView> Holder::leases() const {
  std::vector<LeaseView> views;
  for (const auto& [id, arrival] : arrivals_) {
    const migrate::Incoming& machine = arrival.machine;
    views.push_back(
        {id, machine.vm(), machine.from(), out_.self(), migrate::name_of(machine.phase())});
  }
  return views;
}

void Holder::take(TimePoint, const NodeId& from, const wire::LeaseTell& tell) {
  if (!from_master(from) || tell.target_epoch != attachment_.epoch()) {
    out_.count("leases_refused");
    return;
  }
  // Only one that we have never heard of: a late double must not bring an ended one back.
  if (!arrivals_.contains(tell.lease) && !has_ended(tell.lease)) {
    if (arrivals_.size() >= limits::leases_per_host_max) {
      out_.count("leases_refused");
      return;
    }
    arrivals_.emplace(tell.lease, Arrival{migrate::Incoming(tell.lease, tell.vm, tell.from,
                                                            tell.load, arrival_settings()),
                                          {}});
  }
  const auto found = arrivals_.find(tell.lease);
  if (found != arrivals_.end()) to_master(state_of(found->second.machine, attachment_.sequence()));
}

void Holder::take(TimePoint now, const NodeId& from, const wire::LeaseRevoke& revoke) {
  if (!from_master(from)) return;
  const auto found = arrivals_.find(revoke.lease);
  if (found == arrivals_.end()) {
    if (!untold_.contains(revoke.lease))
      ask_hypervisor({from, revoke.lease, revoke.vm, true, revoke.departed});
    // The word of the lease itself may still be on its way.
    if (!has_ended(revoke.lease)) remember_ended(revoke.lease);
    return;
  }
  Arrival& arrival = found->second;
  if (revoke.departed) arrival.machine.departed();
  if (!arrival.machine.revoke()) {
    if (revoke.holder_is_done && arrival.machine.settle(now))
      out_.command(QueryVm{arrival.machine.vm()});
    to_master(state_of(arrival.machine, attachment_.sequence()));
    return;
  }
  const Arrival ended = arrival;
  arrival_ended(now, ended);
}

void Holder::take(TimePoint, const NodeId& from, const wire::LeaseStateAck& ack) {
  if (!from_master(from)) return;
  const auto found = untold_.find(ack.lease);
  if (found == untold_.end()) return;
  const auto* state = std::get_if<wire::LeaseState>(&found->second.body);
  if (state != nullptr && state->phase == ack.phase) untold_.erase(found);
}

// What the hypervisor takes in although this life of the node knows of no lease: from before a
// restart.
std::size_t Holder::arriving_without_lease() const {
  std::size_t count = 0;
  for (const VmSample& vm : sampler_.vms()) {
    if (vm.presence != Presence::incoming) continue;
    const bool known = std::any_of(arrivals_.begin(), arrivals_.end(), [&](const auto& arrival) {
      return arrival.second.machine.vm() == vm.id;
    });
    if (!known) ++count;
  }
  return count;
}

std::optional<std::string> Holder::why_not(TimePoint now, const NodeId& from,
                                           const wire::Begin& begin) const {
  const auto found = arrivals_.find(begin.lease);
  if (found == arrivals_.end()) return "this node's master has told it of no such lease";
  const migrate::Incoming& machine = found->second.machine;
  if (machine.from() != from || machine.vm() != begin.vm)
    return "the lease is for another VM or another host";
  if (!attachment_.attached()) return "this node has no master at the moment";
  if (maintenance_) return "this host is in maintenance";
  if (incarnation_ > 1 && now < started_ + past_shows_within)
    return "this node has just restarted: what it let in before may still be on its way";
  if (!sampler_.trusted()) return "this host does not trust its own figures at the moment";
  std::size_t begun = arriving_without_lease();
  double reserved_mib = 0;
  for (const auto& [lease, other] : arrivals_) {
    if (other.machine.phase() != migrate::Incoming::Phase::begun) continue;
    ++begun;
    // One that shows as incoming holds its memory already.
    if (sampler_.find(other.machine.vm()) == nullptr)
      reserved_mib += other.machine.load().memory_mib;
  }
  if (begun >= config_.migrate.incoming && !planted::on(planted::Bug::streams_are_endless))
    return "this host takes in " + counted(begun, "VM") + " already, the most it may";
  const double needed = std::max(begin.load.memory_mib, machine.load().memory_mib);
  const double free = sampler_.memory_free_mib() - reserved_mib;
  if (needed > free && !planted::on(planted::Bug::target_ignores_memory))
    return "needs " + std::to_string(static_cast<long long>(needed)) + " MiB, " +
           std::to_string(static_cast<long long>(free)) + " MiB are free";
  return std::nullopt;
}

void Holder::take(TimePoint now, const NodeId& from, const wire::Begin& begin) {
  wire::BeginAnswer answer;
  answer.lease = begin.lease;
  const auto found = arrivals_.find(begin.lease);
  const bool begun_already = found != arrivals_.end() &&
                             found->second.machine.phase() == migrate::Incoming::Phase::begun &&
                             found->second.machine.from() == from;
  if (begun_already) {
    answer.yes = true;
  } else if (const auto reason = why_not(now, from, begin); reason) {
    answer.reason = *reason;
    out_.count("begins_refused");
  } else {
    found->second.machine.begin(now);
    found->second.swing = begin.swing;
    keep(now, begin);
    answer.yes = true;
    to_master(state_of(found->second.machine, attachment_.sequence()));
  }
  if (answer.yes) answer.migration_uri = migration_uri_;
  out_.send(from, {}, std::move(answer));
}

// On disk before the copy begins: this process may die in its midst, and its hypervisor goes on.
void Holder::keep(TimePoint now, const wire::Begin& begin) {
  const auto known = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const auto& kept) { return kept.vm == begin.vm; });
  if (known != kept_.end()) kept_.erase(known);
  if (begin.autostart && kept_.size() < limits::moves_remembered_max &&
      !planted::on(planted::Bug::target_keeps_nothing)) {
    kept_.push_back({begin.vm, begin.autostart});
    kept_until_[begin.vm] = now + kept_for;
  } else if (known == kept_.end()) {
    return;
  }
  out_.save(stored(now));
}

// Asked for until a look shows it: what was asked for once may have got lost. Of a VM that has not
// come it is remembered for as long as it may.
void Holder::give_back_what_was_kept(TimePoint now) {
  const std::size_t before = kept_.size();
  std::erase_if(kept_, [&](const StoredState::Kept& kept) {
    const VmSample* vm = sampler_.find(kept.vm);
    const bool here =
        vm != nullptr && (vm->presence == Presence::running || vm->presence == Presence::paused);
    if (here && vm->autostart != kept.autostart && vm->persistent) {
      out_.command(SetAutostart{kept.vm, kept.autostart});
      return false;
    }
    return here || now >= kept_until_[kept.vm];
  });
  if (kept_.size() == before) return;
  std::erase_if(kept_until_, [&](const auto& known) {
    return std::none_of(kept_.begin(), kept_.end(),
                        [&](const auto& kept) { return kept.vm == known.first; });
  });
  out_.save(stored(now));
}

void Holder::take(TimePoint now, const NodeId& from, const wire::Settle& settle) {
  const auto found = arrivals_.find(settle.lease);
  if (found == arrivals_.end()) {
    ask_hypervisor({from, settle.lease, settle.vm, false, settle.departed});
    return;
  }
  Arrival& arrival = found->second;
  if (arrival.machine.from() != from || arrival.machine.vm() != settle.vm) return;
  if (planted::on(planted::Bug::target_answers_for_hypervisor))
    return out_.send(from, {}, wire::SettleAnswer{settle.lease, settle.vm, Presence::absent, {}});
  if (settle.departed) arrival.machine.departed();
  if (arrival.machine.settle(now)) {
    arrival.asked_by = from;
    out_.command(QueryVm{settle.vm});
    return;
  }
  arrival.asked_by = from;
  const Arrival ended = arrival;
  arrival_ended(now, ended);
}

// The lease has ended here, or is of a life before this one. Who asks repeats himself: a question
// that finds no place, or no answer, is asked again.
void Holder::ask_hypervisor(const Question& question) {
  const bool known = std::any_of(questions_.begin(), questions_.end(), [&](const Question& one) {
    return one.lease == question.lease && one.from == question.from;
  });
  const auto of_node =
      std::count_if(questions_.begin(), questions_.end(),
                    [&](const Question& one) { return one.from == question.from; });
  if (!known && (questions_.size() >= limits::questions_max ||
                 static_cast<std::size_t>(of_node) >= limits::questions_of_node_max))
    return out_.count("questions_dropped");
  if (!known) questions_.push_back(question);
  out_.command(QueryVm{question.vm});
}

void Holder::answer_questions(const VmQueried& says) {
  const auto& [vm, presence, detail] = says;
  for (const Question& one : questions_) {
    if (one.vm != vm) continue;
    const bool paused = presence == Presence::paused && one.departed;
    if (!one.grantor) {
      out_.send(one.from, {}, wire::SettleAnswer{one.lease, vm, presence, detail});
    } else if (from_master(one.from) && presence != Presence::unknown) {
      wire::LeaseState state;
      state.lease = one.lease;
      state.phase = presence == Presence::absent              ? wire::LeasePhase::absent
                    : presence == Presence::running || paused ? wire::LeasePhase::arrived
                                                              : wire::LeasePhase::begun;
      if (paused) state.detail = migrate::paused_in_words(detail);
      state.sequence = attachment_.sequence();
      to_master(std::move(state));
    }
  }
  std::erase_if(questions_, [&](const Question& one) { return one.vm == says.vm; });
}

void Holder::arrival_heard(TimePoint now, const VmQueried& says) {
  const auto& [vm, presence, detail] = says;
  std::vector<LeaseId> ended;
  for (auto& [lease, arrival] : arrivals_) {
    if (arrival.machine.vm() != vm) continue;
    if (arrival.machine.hypervisor_says(now, presence)) {
      arrival.paused_why = detail;
      ended.push_back(lease);
    } else if (!arrival.asked_by.empty()) {
      out_.send(arrival.asked_by, {}, wire::SettleAnswer{lease, vm, presence, detail});
      arrival.asked_by = {};
    }
  }
  for (const LeaseId& lease : ended) {
    const Arrival arrival = arrivals_.at(lease);
    arrival_ended(now, arrival);
  }
}

void Holder::arrival_ended(TimePoint now, const Arrival& arrival) {
  const migrate::Incoming& machine = arrival.machine;
  const bool here = machine.phase() == migrate::Incoming::Phase::arrived;
  if (here) {
    sampler_.arrived(now, machine.vm(), machine.load(), arrival.swing,
                     machine.paused() ? Presence::paused : Presence::running);
    if (!planted::on(planted::Bug::target_forgets_cooldown))
      sampler_.rest(now, machine.vm(), config_.plan.cooldown);
    sampler_.sample_now(now);
    out_.save(stored(now));
  }
  if (!arrival.asked_by.empty()) {
    out_.send(arrival.asked_by, {},
              wire::SettleAnswer{machine.lease(), machine.vm(),
                                 machine.paused() ? Presence::paused
                                 : here           ? Presence::running
                                                  : Presence::absent,
                                 arrival.paused_why});
  }
  wire::LeaseState state = state_of(machine, attachment_.sequence());
  if (machine.paused()) state.detail = migrate::paused_in_words(arrival.paused_why);
  tell_master(now, machine.lease(), std::move(state));
  remember_ended(machine.lease());
  arrivals_.erase(LeaseId(machine.lease()));
}

}  // namespace ballast::node
