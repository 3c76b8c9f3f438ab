#include "group.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "ballast/base/words.h"
#include "ballast/model/plausible.h"

namespace ballast::node {
namespace {

// A slave writes one report after the other: a number far ahead of the last is a mistake.
constexpr std::uint64_t sequence_jump_max = 100000;

}  // namespace

const wire::VmReport* Member::find(const VmId& vm) const {
  const auto found = std::find_if(report.vms.begin(), report.vms.end(),
                                  [&](const wire::VmReport& known) { return known.vm.id == vm; });
  return found == report.vms.end() ? nullptr : &*found;
}

Resources Member::load() const {
  Resources sum = report.base;
  for (const wire::VmReport& vm : report.vms) sum += vm.vm.load;
  return sum;
}

// A copy takes what the median of its movable VMs takes. Memory does not pass.
bool Member::passes(double patience, double bandwidth_mib_s) const {
  if (report.passes_in <= Duration(0) || patience <= 0) return false;
  const Resources now = load();
  const double held = excess_of(now.memory_mib, facts.capacity.memory_mib, facts.thresholds.memory);
  if (held > load_tolerance || is_saturated(now, facts.capacity)) return false;
  std::vector<double> copies;
  for (const wire::VmReport& vm : report.vms)
    if (vm.vm.movable) copies.push_back(vm.vm.load.memory_mib);
  if (copies.empty()) return false;
  const auto median = copies.begin() + static_cast<std::ptrdiff_t>(copies.size() / 2);
  std::nth_element(copies.begin(), median, copies.end());
  return seconds_of(report.passes_in) <= patience * *median / bandwidth_mib_s;
}

Group::Group(const Config& config) : config_(config) {}

// A slave judges its own figures; one that is broken may not, so its master does, too.
void Group::distrust_what_cannot_be(Member& member) {
  if (!member.report.distrust.empty()) return;
  std::vector<Resources> loads;
  for (const wire::VmReport& vm : member.report.vms) {
    if (vm.vm.presence == Presence::running) loads.push_back(vm.vm.load);
  }
  member.report.distrust = distrust_of(member.facts.capacity, member.report.base,
                                       member.report.cpu_used_mhz, member.facts.thresholds, loads);
}

Member* Group::find(const HostId& host) {
  const auto found = members_.find(host);
  return found == members_.end() ? nullptr : &found->second;
}

const Member* Group::find(const HostId& host) const {
  const auto found = members_.find(host);
  return found == members_.end() ? nullptr : &found->second;
}

void Group::update_room(const Member& member, ledger::Ledger& ledger) const {
  ledger::HostRoom room;
  room.capacity = member.facts.capacity;
  room.carried = member.load();
  // An incoming VM is in the report and under its lease: it counts once, under the lease.
  for (const wire::VmReport& vm : member.report.vms) {
    const ledger::Lease* lease = ledger.find(vm.vm.id);
    if (lease != nullptr && lease->to == member.id) room.carried -= vm.vm.load;
  }
  room.limits = member.facts.thresholds;
  room.open = !member.report.maintenance && member.report.distrust.empty() && !member.lost &&
              member.not_itself.empty();
  ledger.set_host(member.id, room);
}

// The one whose id it is, else the one who said so first.
std::string Group::why_not_itself(const Member& member) const {
  const std::string& claimed = member.facts.hypervisor;
  if (claimed.empty() || claimed == member.id.str()) return {};
  if (planted::on(planted::Bug::group_believes_names)) return {};
  for (const auto& [id, other] : members_) {
    const bool same = other.facts.hypervisor == claimed && other.not_itself.empty();
    if (id == member.id || (!same && id.str() != claimed)) continue;
    return "it says that its hypervisor is host " + quoted(claimed) + ", and so does " +
           quoted(id.str());
  }
  return {};
}

void Group::look_who_is_who(Member& member, ledger::Ledger& ledger) {
  member.not_itself = why_not_itself(member);
  if (member.facts.hypervisor.empty()) return;
  for (auto& [id, other] : members_) {
    if (id == member.id || other.facts.hypervisor != member.facts.hypervisor) continue;
    other.not_itself = why_not_itself(other);
    update_room(other, ledger);
  }
}

TimePoint Member::runs_since(const VmId& vm) const {
  const auto claimed = claimed_at.find(vm);
  return claimed == claimed_at.end() ? member_since : claimed->second;
}

// What it says to run that it did not say before.
void Group::note_claims(TimePoint now, Member& member, const wire::HostReport& next) {
  const auto same = [](const wire::VmReport& a, const wire::VmReport& b) {
    return a.vm.presence == b.vm.presence && a.vm.id == b.vm.id;
  };
  const std::vector<wire::VmReport>& before = member.report.vms;
  if (std::equal(before.begin(), before.end(), next.vms.begin(), next.vms.end(), same)) return;
  std::set<std::string_view> ran;
  for (const wire::VmReport& vm : before)
    if (vm.vm.presence == Presence::running) ran.insert(vm.vm.id.str());
  std::map<VmId, TimePoint> claimed;
  for (const wire::VmReport& vm : next.vms) {
    if (vm.vm.presence != Presence::running) continue;
    if (!ran.contains(vm.vm.id.str()))
      claimed.emplace(vm.vm.id, now);
    else if (const auto known = member.claimed_at.find(vm.vm.id); known != member.claimed_at.end())
      claimed.insert(*known);
  }
  member.claimed_at = std::move(claimed);
}

Member& Group::attach(TimePoint now, const NodeId& from, const Epoch& epoch,
                      const wire::Attach& attach, ledger::Ledger& ledger) {
  gone_.erase(from);
  const auto [place, is_new] = members_.try_emplace(from);
  Member& member = place->second;
  member.id = from;
  if (is_new)
    member.member_since = now;
  else
    note_claims(now, member, attach.report);
  member.reported_at = now;
  if (member.epoch != epoch) member.attached_at = now;
  if (member.epoch.incarnation != epoch.incarnation) member.alarms_heard = 0;
  member.epoch = epoch;
  member.facts = attach.facts;
  member.report = attach.report;
  member.sequence = attach.sequence;
  member.older_than_news = 0;
  heard(now, member);
  member.previous = attach.previous;
  look_who_is_who(member, ledger);
  distrust_what_cannot_be(member);
  update_room(member, ledger);
  return member;
}

bool Group::report(TimePoint now, Member& member, const wire::Report& report,
                   ledger::Ledger& ledger) {
  heard(now, member);
  if (report.sequence <= member.sequence || report.sequence - member.sequence > sequence_jump_max)
    return false;
  member.sequence = report.sequence;
  if (report.facts) member.facts = *report.facts;
  // The other one may have gone meanwhile.
  if (report.facts || !member.not_itself.empty()) look_who_is_who(member, ledger);
  if (report.sequence <= member.older_than_news) return false;
  note_claims(now, member, report.report);
  member.reported_at = now;
  member.report = report.report;
  distrust_what_cannot_be(member);
  update_room(member, ledger);
  return true;
}

void Group::news_from(const HostId& host, std::uint64_t sequence) {
  if (Member* member = find(host); member != nullptr) {
    const std::uint64_t plausible = std::min(sequence, member->sequence + sequence_jump_max);
    member->older_than_news = std::max(member->older_than_news, plausible);
  }
}

void Group::moved(const ledger::Lease& lease, Duration rest, ledger::Ledger& ledger,
                  Presence presence) {
  Member* source = find(lease.from);
  Member* target = find(lease.to);
  wire::VmReport report;
  report.vm.id = lease.vm;
  report.vm.load = lease.load;
  const auto is_it = [&](const wire::VmReport& v) { return v.vm.id == lease.vm; };
  if (source != nullptr) {
    if (const wire::VmReport* known = source->find(lease.vm); known != nullptr) report = *known;
    std::erase_if(source->report.vms, is_it);
    update_room(*source, ledger);
  }
  if (target == nullptr) return;
  const wire::VmReport* there = target->find(lease.vm);
  if (there == nullptr || there->vm.presence != Presence::running) {
    std::erase_if(target->report.vms, is_it);
    report.vm.presence = presence;
    report.rest = rest;
    target->report.vms.push_back(report);
  }
  update_room(*target, ledger);
}

void Group::heard(TimePoint now, Member& member) {
  member.heard_at = now;
  member.lost = false;
  next_loss_ = std::min(next_loss_, now + lost_after());
}

void Group::slept(Duration span) {
  for (auto& [id, member] : members_)
    if (!member.lost) member.heard_at += span;
}

std::vector<HostId> Group::newly_lost(TimePoint now) {
  std::vector<HostId> lost;
  if (now < next_loss_) return lost;
  next_loss_ = time_never;
  for (auto& [id, member] : members_) {
    if (member.lost) continue;
    if (now < member.heard_at + lost_after()) {
      next_loss_ = std::min(next_loss_, member.heard_at + lost_after());
      continue;
    }
    member.lost = true;
    some_are_lost_ = true;
    lost.push_back(id);
  }
  return lost;
}

std::vector<HostId> Group::give_up(TimePoint now) {
  std::vector<HostId> gone;
  if (!some_are_lost_) return gone;
  some_are_lost_ = false;
  for (const auto& [id, member] : members_) {
    if (!member.lost) continue;
    if (now >= member.heard_at + 10 * lost_after())
      gone.push_back(id);
    else
      some_are_lost_ = true;
  }
  for (const HostId& id : gone) {
    auto member = members_.extract(id);
    if (gone_.size() < limits::slaves_max) gone_.insert(std::move(member));
  }
  return gone;
}

std::string Group::why_unusable(TimePoint now, const Member& member) const {
  if (!member.report.distrust.empty()) return member.report.distrust;
  if (!member.not_itself.empty()) return member.not_itself;
  if (member.lost || now >= member.heard_at + lost_after()) {
    return "not heard of for " + age_in_words(now - member.heard_at);
  }
  for (const Resource r : all_resources) {
    if (!(member.facts.capacity[r] >= 1)) return std::string("no ") + name_of(r) + " capacity";
  }
  return {};
}

}  // namespace ballast::node
