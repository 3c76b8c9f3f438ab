// How the running system's wishes become plain thresholds:
//
//   over its threshold for `dwell` samples   aims at target x threshold, or at the threshold where
//                                            what stays there is above that: a source
//   over it, but not for that long           left alone: neither source nor target
//   between target and threshold             its present use: no source, takes nothing
//   below target x threshold                 target x threshold: takes VMs up to that
//
// and never more than the ledger has room for: what is about to leave a host still fills it.
//
// A VM in flight is counted where it will be; its memory also where it comes from, since it is held
// at both ends until it has left.

#include "picture.h"

#include <algorithm>
#include <set>

#include "ballast/base/planted.h"
#include "ballast/base/words.h"
#include "phrases.h"

namespace ballast::node {
namespace {

// Sets the limits of one host as told above, resource by resource; false when it must be left
// alone. `fixed` of its load is there to stay.
bool set_limits(Host& host, const Resources& load, const Resources& fixed, const Resources& room,
                bool dwelled, const PlanSettings& plan) {
  if (is_overloaded(load, host.capacity, host.thresholds) && !dwelled) return false;
  for (const Resource r : all_resources) {
    const double aim = host.thresholds[r] * plan.target_of(r);
    if (host.capacity[r] == unlimited) continue;
    const double use = load[r] / host.capacity[r];
    const bool over = use > host.thresholds[r] + load_tolerance;
    const double takes = std::min(aim, use + room[r] / host.capacity[r]);
    if (over && fixed[r] > aim * host.capacity[r]) continue;
    host.thresholds[r] = over ? aim : std::clamp(use, takes, 1.0);
  }
  return true;
}

class Builder {
 public:
  Builder(TimePoint now, const Config& config, const Group& group, const ledger::Ledger& ledger,
          const Failures* failures, const std::set<VmId>& leaving,
          const std::map<VmId, std::vector<HostId>>& not_to)
      : now_(now),
        config_(config),
        group_(group),
        ledger_(ledger),
        failures_(failures),
        leaving_(leaving),
        not_to_(not_to) {}

  Picture build() {
    for (const auto& [id, member] : group_.members()) add_host(member);
    find_doubled();
    // An incoming VM is a reservation: it counts only where no lease tells of it and no source has
    // it.
    for (const bool incoming : {false, true}) {
      for (const auto& [id, member] : group_.members()) {
        for (const wire::VmReport& vm : member.report.vms) {
          if ((vm.vm.presence == Presence::incoming) == incoming) add_vm(member, vm);
        }
      }
    }
    add_unseen_arrivals();
    for (VmIndex v = 0; v < picture_.snapshot.vms.size(); ++v) forbid_hosts(v);
    const std::vector<Resources> loads = loads_of(picture_.snapshot);
    std::vector<Resources> fixed;
    for (const Host& host : picture_.snapshot.hosts) fixed.push_back(host.base);
    for (const Vm& vm : picture_.snapshot.vms)
      if (!vm.movable) fixed[vm.host] += vm.load;
    HostIndex index = 0;
    for (const auto& [id, member] : group_.members()) {
      Host& host = picture_.snapshot.hosts[index];
      const bool dwelled = member.report.over_samples >= config_.plan.dwell &&
                           !member.passes(config_.plan.patience, copy_mib_s(config_));
      const bool limited =
          set_limits(host, loads[index], fixed[index], ledger_.room(id), dwelled, config_.plan);
      // One in maintenance is emptied, however it stands.
      if (!limited && !host.maintenance) host.usable = false;
      ++index;
    }
    return std::move(picture_);
  }

 private:
  void add_host(const Member& member) {
    Host host;
    host.id = member.id;
    host.capacity = member.facts.capacity;
    host.base = member.report.base;
    host.thresholds = member.facts.thresholds;
    host.maintenance = member.report.maintenance;
    host.usable = group_.why_unusable(now_, member).empty();
    index_of_.emplace(member.id, static_cast<HostIndex>(picture_.snapshot.hosts.size()));
    picture_.snapshot.hosts.push_back(std::move(host));
  }

  void find_doubled() {
    std::vector<std::pair<const VmId*, const Member*>> running;
    for (const auto& [id, member] : group_.members()) {
      for (const wire::VmReport& vm : member.report.vms) {
        if (vm.vm.presence == Presence::running) running.emplace_back(&vm.vm.id, &member);
      }
    }
    const auto less = [](const auto& a, const auto& b) { return *a.first < *b.first; };
    std::stable_sort(running.begin(), running.end(), less);
    for (std::size_t i = 1; i < running.size(); ++i) {
      auto& [vm, host] = running[i];
      if (*vm == *running[i - 1].first) host = note_doubled(*vm, *running[i - 1].second, *host);
    }
  }

  // The one that said so first is believed once both were asked: a host that claims the VMs of
  // others must not hold them for as long as it likes.
  const Member* note_doubled(const VmId& vm, const Member& one, const Member& other) {
    const bool in_order = one.runs_since(vm) <= other.runs_since(vm);
    const Member& first = in_order ? one : other;
    const Member& second = in_order ? other : one;
    picture_.doubled.insert_or_assign(vm, std::pair(first.id, second.id));
    const TimePoint claimed = second.runs_since(vm);
    const bool unheard = first.reported_at <= claimed || second.reported_at <= claimed;
    if (unheard || planted::on(planted::Bug::picture_holds_claimed)) disputed_.insert(vm);
    return &first;
  }

  // Why this VM must stay, whatever its hypervisor allows.
  std::string why_held(const Member& member, const wire::VmReport& vm) const {
    if (const auto two = picture_.doubled.find(vm.vm.id);
        two != picture_.doubled.end() && disputed_.contains(vm.vm.id))
      return "hosts " + quoted(two->second.first.str()) + " and " +
             quoted(two->second.second.str()) + " both say that it runs there";
    if (vm.vm.presence != Presence::running) return "it is " + presence_in_words(vm.vm.presence);
    if (ledger_.find(vm.vm.id) != nullptr) return "it is in flight";
    if (failures_ != nullptr && failures_->rests(now_, vm.vm.id))
      return failures_->why(now_, vm.vm.id, member.id);
    // Drain overrides the cooldown: the host is to be emptied.
    if (vm.rest > Duration(0) && !member.report.maintenance)
      return "it moved lately and rests for " + in_words(vm.rest);
    return {};
  }

  void add_vm(const Member& member, const wire::VmReport& report) {
    const bool incoming = report.vm.presence == Presence::incoming;
    if (incoming && (seen_.contains(report.vm.id) || ledger_.find(report.vm.id) != nullptr)) return;
    const auto two = picture_.doubled.find(report.vm.id);
    const bool is_second = two != picture_.doubled.end() && two->second.first != member.id;
    if (is_second || !seen_.insert(report.vm.id).second) {
      // The same id again, on another host: its load counts there too, but nothing is planned.
      picture_.snapshot.hosts[index_of_.at(member.id)].base += report.vm.load;
      return;
    }
    if (leaving_.contains(report.vm.id)) {
      picture_.snapshot.hosts[index_of_.at(member.id)].base.memory_mib += report.vm.load.memory_mib;
      return;
    }
    const ledger::Lease* lease = ledger_.find(report.vm.id);
    HostId at = member.id;
    if (lease != nullptr && lease->from == member.id && index_of_.contains(lease->to) &&
        !planted::on(planted::Bug::picture_forgets_flight)) {
      at = lease->to;
      picture_.snapshot.hosts[index_of_.at(member.id)].base.memory_mib += report.vm.load.memory_mib;
    }
    Vm vm;
    vm.id = report.vm.id;
    vm.host = index_of_.at(at);
    vm.load = report.vm.load;
    vm.swing = report.swing;
    vm.dirty_rate_mib_s = report.vm.dirty_rate_mib_s;
    const std::string held = why_held(member, report);
    vm.movable = report.vm.movable && held.empty();
    if (!held.empty()) picture_.held.emplace(vm.id, held);
    if (!report.vm.movable) picture_.held.emplace(vm.id, report.vm.immovable_reason);
    picture_.snapshot.vms.push_back(std::move(vm));
  }

  // A rule for this VM: every host but those that it failed at, and those that it left lately,
  // which drain overrides.
  void forbid_hosts(VmIndex index) {
    const Vm& vm = picture_.snapshot.vms[index];
    if (!vm.movable) return;
    const Host& at = picture_.snapshot.hosts[vm.host];
    std::set<HostId> barred;
    if (failures_ != nullptr) barred = failures_->not_to(now_, vm.id, at.id);
    picture_.snapshot.vms[index].failed_lately = !barred.empty();
    if (const auto left = not_to_.find(vm.id); left != not_to_.end() && !at.maintenance)
      barred.insert(left->second.begin(), left->second.end());
    if (barred.empty()) return;
    Rule rule;
    rule.type = RuleType::hosts;
    rule.vms = {index};
    for (HostIndex h = 0; h < picture_.snapshot.hosts.size(); ++h) {
      if (h == vm.host || !barred.contains(picture_.snapshot.hosts[h].id)) rule.hosts.push_back(h);
    }
    if (rule.hosts.size() < picture_.snapshot.hosts.size())
      picture_.snapshot.rules.push_back(std::move(rule));
  }

  // Room that is promised to a VM which no host of the group reports.
  void add_unseen_arrivals() {
    for (const auto& [id, lease] : ledger_.leases()) {
      if (seen_.contains(lease.vm)) continue;
      const auto target = index_of_.find(lease.to);
      if (target != index_of_.end()) picture_.snapshot.hosts[target->second].base += lease.load;
    }
  }

  TimePoint now_;
  const Config& config_;
  const Group& group_;
  const ledger::Ledger& ledger_;
  const Failures* failures_;
  const std::set<VmId>& leaving_;
  const std::map<VmId, std::vector<HostId>>& not_to_;
  Picture picture_;
  std::map<HostId, HostIndex> index_of_;
  std::set<VmId> seen_;
  std::set<VmId> disputed_;  // doubled, and not both were asked yet
};

}  // namespace

Picture picture_of(TimePoint now, const Config& config, const Group& group,
                   const ledger::Ledger& ledger, const Failures* failures,
                   const std::set<VmId>& leaving,
                   const std::map<VmId, std::vector<HostId>>& not_to) {
  return Builder(now, config, group, ledger, failures, leaving, not_to).build();
}

}  // namespace ballast::node
