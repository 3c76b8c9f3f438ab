// Room is never stored as a running total: it is summed from the open leases of one host whenever
// it is asked for. A host has a handful of leases at most, and a total that is always derived
// cannot drift away from the leases it stands for.

#include "ballast/ledger/ledger.h"

#include <algorithm>
#include <cstdio>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::ledger {
namespace {

std::string figure(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", number);
  return text;
}

const char* unit_of(Resource r) {
  return r == Resource::cpu ? "MHz" : r == Resource::memory ? "MiB" : "Mbit/s";
}

}  // namespace

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::promised: return "promised";
    case Phase::begun: return "begun";
    case Phase::revoking: return "revoking";
  }
  return "?";
}

Ledger::Ledger(NodeId grantor, std::uint64_t incarnation, std::uint64_t first_number)
    : grantor_(std::move(grantor)), incarnation_(incarnation), next_number_(first_number) {}

// A number of ours may be taken by a lease that was adopted; a swap takes two that follow.
void Ledger::skip_taken() {
  while (leases_.contains(LeaseId{grantor_, incarnation_, next_number_}) ||
         leases_.contains(LeaseId{grantor_, incarnation_, next_number_ + 1}))
    ++next_number_;
}

// A node that lost its small state has given numbers of this incarnation in a life before: those
// begin elsewhere, at random in a far wider range.
bool Ledger::may_have_been_issued(const LeaseId& id) const {
  constexpr std::uint64_t in_one_life = std::uint64_t{1} << 32U;
  return id.grantor != grantor_ || id.incarnation != incarnation_ || id.number < next_number_ ||
         id.number - next_number_ >= in_one_life;
}

std::vector<LeaseId> Ledger::leases_to(const HostId& host) const {
  const auto found = by_target_.find(host);
  return found == by_target_.end() ? std::vector<LeaseId>{} : found->second;
}

void Ledger::set_host(const HostId& host, const HostRoom& room) { hosts_[host] = room; }

void Ledger::forget_host(const HostId& host) { hosts_.erase(host); }

Resources Ledger::promised_to(const HostId& host) const {
  Resources sum;
  const auto found = by_target_.find(host);
  if (found == by_target_.end() || planted::on(planted::Bug::ledger_forgets_promises)) return sum;
  for (const LeaseId& id : found->second) {
    const Lease& lease = leases_.at(id);
    for (const Resource r : all_resources)
      sum[r] += std::max(0.0, lease.load[r] - lease.swapped_out[r]);
  }
  return sum;
}

double Ledger::memory_promised_to_mib(const HostId& host) const {
  double sum = 0;
  const auto found = by_target_.find(host);
  if (found == by_target_.end()) return sum;
  for (const LeaseId& id : found->second) sum += leases_.at(id).load.memory_mib;
  return sum;
}

Resources Ledger::balance(const HostId& host) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || !found->second.open) return {};
  const HostRoom& at = found->second;
  const Resources promised = promised_to(host);
  Resources room;
  for (const Resource r : all_resources) {
    room[r] = at.capacity[r] == unlimited
                  ? unlimited
                  : at.capacity[r] * at.limits[r] - at.carried[r] - promised[r];
  }
  return room;
}

Resources Ledger::room(const HostId& host) const {
  Resources room = balance(host);
  for (const Resource r : all_resources) room[r] = std::max(0.0, room[r]);
  return room;
}

Status Ledger::fits(const Ask& ask, const Resources& swapped_out,
                    double memory_leaving_first_mib) const {
  const HostRoom& at = hosts_.at(ask.to);
  const Resources promised = promised_to(ask.to);
  for (const Resource r : all_resources) {
    if (at.capacity[r] == unlimited) continue;
    const double then = at.carried[r] + promised[r] + ask.load[r] - swapped_out[r];
    const double limit = at.capacity[r] * at.limits[r];
    if (planted::on(planted::Bug::ledger_ignores_limits)) continue;
    if (then > limit + load_tolerance * at.capacity[r] && ask.load[r] > swapped_out[r])
      return Error{"host " + quoted(ask.to.str()) + " would carry " + figure(then) + " " +
                   unit_of(r) + " of " + name_of(r) + ", its limit is " + figure(limit)};
  }
  const double memory = at.carried.memory_mib + memory_promised_to_mib(ask.to) +
                        ask.load.memory_mib - memory_leaving_first_mib;
  if (memory > at.capacity.memory_mib * (1 + load_tolerance) &&
      !planted::on(planted::Bug::ledger_ignores_memory))
    return Error{"host " + quoted(ask.to.str()) + " would hold " + figure(memory) +
                 " MiB while the VM arrives, it has " + figure(at.capacity.memory_mib)};
  return {};
}

Result<Lease> Ledger::lease_for(const Ask& ask, TimePoint expires) const {
  const auto host = hosts_.find(ask.to);
  if (host == hosts_.end()) return Error{"host " + quoted(ask.to.str()) + " is not in the group"};
  if (!host->second.open) return Error{"host " + quoted(ask.to.str()) + " takes no VMs now"};
  if (by_vm_.contains(ask.vm)) return Error{"vm " + quoted(ask.vm.str()) + " has a lease already"};
  if (incoming_of(ask.to) >= limits::leases_per_host_max)
    return Error{"host " + quoted(ask.to.str()) + " has " +
                 std::to_string(limits::leases_per_host_max) + " leases, the most it may"};
  Lease lease;
  lease.id = LeaseId{grantor_, incarnation_, next_number_};
  lease.vm = ask.vm;
  lease.from = ask.from;
  lease.to = ask.to;
  lease.load = ask.load;
  lease.expires = expires;
  return lease;
}

Result<Lease> Ledger::promise(const Ask& ask, TimePoint expires) {
  skip_taken();
  Result<Lease> lease = lease_for(ask, expires);
  if (!lease) return lease;
  if (Status no = fits(ask, {}, 0); !no) return no.error();
  insert(*lease);
  ++next_number_;
  return lease;
}

Result<std::pair<Lease, Lease>> Ledger::promise_swap(const Ask& first, const Ask& second,
                                                     TimePoint expires) {
  BALLAST_ASSERT(first.from == second.to && first.to == second.from && first.vm != second.vm,
                 "a swap exchanges two VMs of two hosts");
  skip_taken();
  Result<Lease> one = lease_for(first, expires);
  if (!one) return one.error();
  Result<Lease> other = lease_for(second, expires);
  if (!other) return other.error();
  if (Status no = fits(first, second.load, 0); !no) return no.error();
  if (Status no = fits(second, first.load, first.load.memory_mib); !no) return no.error();
  other->id.number = next_number_ + 1;
  one->swapped_out = second.load;
  one->partner = other->id;
  other->swapped_out = first.load;
  other->partner = one->id;
  insert(*one);
  insert(*other);
  next_number_ += 2;
  return std::pair{*one, *other};
}

Result<Lease> Ledger::promise_exchange(const Ask& ask, const Resources& leaving, bool leaves_first,
                                       TimePoint expires) {
  skip_taken();
  Result<Lease> lease = lease_for(ask, expires);
  if (!lease) return lease;
  if (Status no = fits(ask, leaving, leaves_first ? leaving.memory_mib : 0); !no) return no.error();
  lease->swapped_out = leaving;
  lease->leaves_first = leaves_first;
  insert(*lease);
  ++next_number_;
  return lease;
}

void Ledger::drop_credit(const LeaseId& id) {
  const auto found = leases_.find(id);
  if (found != leases_.end()) found->second.swapped_out = {};
}

void Ledger::extend(const LeaseId& id, TimePoint expires) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.phase != Phase::promised) return;
  found->second.expires = std::max(found->second.expires, expires);
}

bool Ledger::adopt(const Lease& lease) {
  if (const Lease* known = find(lease.id); known != nullptr) {
    // What it names must be what was promised, or the room of another would be held by its word.
    const bool is_it = known->to == lease.to && known->vm == lease.vm;
    if (is_it) begun(lease.id);
    return is_it;
  }
  if (!planted::on(planted::Bug::ledger_adopts_anything) &&
      (!may_have_been_issued(lease.id) || incoming_of(lease.to) >= limits::leases_per_host_max))
    return false;
  // A promise for the same VM to another host stays: a claim ends nothing but what it names. If it
  // is true, the VM is not where the promise says, and the migration is refused.
  Lease taken = lease;
  taken.phase = Phase::begun;
  taken.expires = time_never;
  taken.partner.reset();
  taken.swapped_out = {};
  insert(taken);
  return true;
}

void Ledger::insert(const Lease& lease) {
  BALLAST_ASSERT(!leases_.contains(lease.id), "two leases of one id");
  leases_.emplace(lease.id, lease);
  by_vm_.emplace(lease.vm, lease.id);
  by_target_[lease.to].push_back(lease.id);
}

void Ledger::begun(const LeaseId& id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  found->second.phase = Phase::begun;
  found->second.expires = time_never;
}

void Ledger::revoke(const LeaseId& id) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.phase != Phase::promised) return;
  found->second.phase = Phase::revoking;
  found->second.expires = time_never;
}

void Ledger::end(const LeaseId& id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  const Lease lease = found->second;
  if (planted::on(planted::Bug::ledger_keeps_ended) && id.number % 3 == 0) return;
  leases_.erase(found);
  if (const auto of_vm = by_vm_.find(lease.vm); of_vm != by_vm_.end() && of_vm->second == id)
    by_vm_.erase(of_vm);
  const auto target = by_target_.find(lease.to);
  std::erase(target->second, id);
  if (target->second.empty()) by_target_.erase(target);
  drop_credit_of_partner(lease);
}

// The other half of a swap can no longer count on what this one was to take away. It keeps its
// lease: it may have begun.
void Ledger::drop_credit_of_partner(const Lease& lease) {
  if (!lease.partner) return;
  const auto partner = leases_.find(*lease.partner);
  if (partner == leases_.end()) return;
  partner->second.swapped_out = {};
  partner->second.partner.reset();
}

void Ledger::departed(const LeaseId& id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  drop_credit_of_partner(found->second);
  found->second.partner.reset();
}

std::vector<Lease> Ledger::expire(TimePoint now) {
  std::vector<Lease> expired;
  for (auto& [id, lease] : leases_) {
    if (lease.phase != Phase::promised || lease.expires > now) continue;
    if (planted::on(planted::Bug::ledger_never_expires)) {
      lease.expires = time_never;
      continue;
    }
    lease.phase = Phase::revoking;
    lease.expires = time_never;
    expired.push_back(lease);
  }
  return expired;
}

TimePoint Ledger::next_expiry() const {
  TimePoint next = time_never;
  for (const auto& [id, lease] : leases_) next = std::min(next, lease.expires);
  return next;
}

const Lease* Ledger::find(const LeaseId& id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

const Lease* Ledger::find(const VmId& vm) const {
  const auto found = by_vm_.find(vm);
  return found == by_vm_.end() ? nullptr : &leases_.at(found->second);
}

std::size_t Ledger::incoming_of(const HostId& host) const {
  const auto found = by_target_.find(host);
  return found == by_target_.end() ? 0 : found->second.size();
}

}  // namespace ballast::ledger
