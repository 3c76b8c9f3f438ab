// What is looked at, and what is told to people.
#include <algorithm>
#include <cstdio>

#include "ballast/base/limits.h"
#include "state.h"

namespace ballast::world {
namespace {
constexpr std::size_t findings_max = 100;
constexpr std::size_t counters_max = 256;
// Longer than a holder waits for a yes, and for it to arrive.
constexpr Duration clock_slack = std::chrono::seconds(3);  // of one that drifted meanwhile
constexpr Duration yes_is_fresh = std::chrono::seconds(60);
}  // namespace

void World::State::complain(const std::string& auditor, const std::string& detail) {
  if (settings.log) say("FINDING " + auditor + ": " + detail);
  if (findings.size() >= findings_max) return;
  findings.push_back(Finding{auditor, settings.seed, seconds_of(now - origin), detail});
}

void World::State::moved(VmIndex vm, HostIndex from, HostIndex to) {
  if (settings.log)
    say("        " + quoted(trace->vms[vm].id.str()) + " runs on " + name(to) + " now, was on " +
        name(from));
  words.runs(trace->vms[vm].id, to);
  const ArrivedAt before = arrived[vm];
  arrived[vm] = {now, before.promised, 0};
  if (on_moved) on_moved(vm, from, to);
  if (lies(from)) return;
  // A node that has died since has forgotten that the VM should rest.
  if (before.life == 0 || before.life != slots[from].life || !slots[from].node) return;
  const Config config = config_of(from);
  if (!before.detour && now - before.at < config.plan.cooldown - clock_slack)
    complain("moved within its cooldown",
             quoted(trace->vms[vm].id.str()) + " leaves " + name(from) + " after " +
                 std::to_string(static_cast<long>(seconds_of(now - before.at))) + " s");
}

bool World::State::is_detour(const VmId& vm, const HostId& over) const {
  return std::any_of(slots.begin(), slots.end(), [&](const Slot& slot) {
    if (!slot.node || !slot.node->is_master()) return false;
    const node::View view = slot.node->view(slot.clock.local(now));
    if (!view.plan) return false;
    const std::vector<node::MoveView>& moves = view.plan->moves;
    const auto has = [&](auto end) {
      return std::any_of(moves.begin(), moves.end(), [&](const node::MoveView& move) {
        return move.vm == vm && move.*end == over;
      });
    };
    return has(&node::MoveView::to) && has(&node::MoveView::from);
  });
}

void World::State::check_start(std::uint32_t index, const StartMigration& command) {
  if (lies(index)) return;
  const auto target = node_of_uri.find(command.target_uri);
  if (target == node_of_uri.end()) {
    complain("move to nowhere", quoted(command.vm.str()) + " to " + quoted(command.target_uri));
    return;
  }
  // Then the hypervisor refuses.
  if (!command.target_host.empty() && command.target_host != trace->hosts[target->second].id.str())
    return;
  WordAuditor::Start start;
  start.from = index;
  start.to = target->second;
  const NodeId master = slots[index].node->view(slots[index].clock.local(now)).master;
  const auto leads = node_of_id.find(master);
  start.master = leads == node_of_id.end() ? UINT32_MAX : leads->second;
  const Slot& there = slots[target->second];
  start.target_may_have_forgotten =
      !there.node || now < there.life_began + yes_is_fresh || lies(target->second);
  if (there.node) {
    for (const node::LeaseView& lease : there.node->honoured())
      start.target_honours =
          start.target_honours || (lease.vm == command.vm && lease.phase != "told");
  }
  const auto grantor = node_of_id.find(command.lease.grantor);
  if (grantor == node_of_id.end()) {
    complain("move without lease", quoted(command.vm.str()) + ": nobody is called " +
                                       quoted(command.lease.grantor.str()));
    return;
  }
  const Slot& by = slots[grantor->second];
  const Config config = config_of(grantor->second);
  // One that lost what it stores counts its lives anew: its numbers do not tell them apart.
  const bool of_this_life = by.node && by.life == by.stored.incarnation &&
                            by.stored.incarnation == command.lease.incarnation;
  // As its own clock tells it.
  const Duration quiet = 2 * config.plan.plan_interval - clock_slack;
  start.quiet = of_this_life && !lies(grantor->second) &&
                by.clock.local(now) - by.clock.local(by.life_began) < quiet;
  start.outgoing_max = config.migrate.outgoing;
  start.incoming_max = lies(target->second) ? UINT32_MAX : config.migrate.incoming;
  ArrivedAt& last = arrived[fleet.index_of(command.vm)];
  last.promised = there.life;
  if (last.life != 0 && now - last.at < config.plan.cooldown)
    last.detour = is_detour(command.vm, trace->hosts[index].id);
  words.starts(command, start);
  if (leads != node_of_id.end() && !lies(leads->second))
    tries.starts(now, command.vm, target->second, master, slots[leads->second].life);
}

// What a liar says of a VM that it has itself is believed, and may be wrong; so is what it says to
// have of other groups, of whom its master knows nothing.
void World::State::check_event(std::uint32_t index, const node::Event& event) {
  const auto to = node_of_id.find(event.host);
  if (lies(index) || to == node_of_id.end() || lies(to->second) || event.vm.empty()) return;
  const HostIndex at = vms.host_of(fleet.index_of(event.vm));
  const bool not_its_own = at == VmAuditor::nowhere || slots[at].master_slot != index;
  if (liars && (not_its_own || lies(at))) return;
  words.told(event, to->second);
}

void World::audit_all() {
  State& s = *state_;
  for (const hypermodel::Finding& finding : s.fleet.audit()) {
    // Of hosts whose nodes lie nothing is promised; of the others it was looked after.
    if (s.liars && finding.kind == hypermodel::Finding::Kind::memory_over_capacity) continue;
    s.complain(hypermodel::name_of(finding.kind), finding.detail);
  }
  for (std::uint32_t i = 0; i < s.slots.size(); ++i) {
    const State::Slot& slot = s.slots[i];
    if (!slot.node || s.lies(i)) continue;
    const auto bounded = [&](const char* what, std::size_t size, std::size_t bound) {
      if (size > bound)
        s.complain("bound", s.name(i) + " has " + std::to_string(size) + " " + what + ", at most " +
                                std::to_string(bound));
    };
    bounded("leases honoured", slot.node->honoured().size(), limits::leases_per_host_max);
    const node::View view = slot.node->view(slot.clock.local(s.now));
    bounded("events kept", view.events.size(), limits::events_kept);
    bounded("counters", view.counters.size(), counters_max);
    if (!slot.node->is_master()) bounded("jobs", view.in_flight.size(), limits::jobs_per_host_max);
    if (const ledger::Ledger* ledger = slot.node->ledger(); ledger != nullptr) {
      std::map<HostId, std::size_t> towards;
      for (const auto& [id, lease] : ledger->leases()) ++towards[lease.to];
      for (const auto& [host, count] : towards)
        bounded("leases towards one host", count, limits::leases_per_host_max);
    }
    bounded("leases given", view.leases.size(), view.hosts.size() * limits::leases_per_host_max);
  }
}

Snapshot World::truth() const {
  const State& s = *state_;
  Snapshot snapshot;
  const Duration passed = elapsed();
  for (const TraceHost& from : s.trace->hosts) {
    Host host;
    host.id = from.id;
    host.capacity = from.capacity;
    host.base = base_in(from, interval_of(*s.trace, passed));
    host.thresholds = s.trace->thresholds;
    snapshot.hosts.push_back(std::move(host));
  }
  for (VmIndex i = 0; i < s.trace->vms.size(); ++i) {
    const TraceVm& from = s.trace->vms[i];
    if (s.fleet.is_gone(from.id)) continue;
    Vm vm;
    vm.id = from.id;
    vm.host = s.vms.host_of(i);
    vm.load = load_at(*s.trace, from, passed);
    snapshot.vms.push_back(std::move(vm));
  }
  return snapshot;
}

const std::vector<Finding>& World::findings() const { return state_->findings; }
void World::report(const std::string& auditor, const std::string& detail) {
  state_->complain(auditor, detail);
}

void World::State::say(const std::string& line) const {
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, "%12.6f  ", seconds_of(now - origin));
  settings.log(stamp + line);
}

void World::State::say_events(std::uint32_t index, const std::vector<node::Event>& events) const {
  for (const node::Event& event : events)
    say(name(index) + ": " + node::name_of(event.kind) + ": " + event.text);
}

std::string World::State::name(std::uint32_t index) const { return trace->hosts[index].id.str(); }

}  // namespace ballast::world
