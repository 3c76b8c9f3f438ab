#include "healed.h"

#include <map>

#include "fitting.h"

namespace ballast::world {
namespace {

constexpr std::size_t text_max = 4000;

std::string lease_text(const std::string& who, const node::LeaseView& lease) {
  return who + ": " + lease.vm.str() + " from " + lease.from.str() + " to " + lease.to.str();
}

}  // namespace

void Healed::note_leases() {
  for (std::size_t i = 0; i < world_.nodes(); ++i) {
    if (!world_.is_up(i)) continue;
    const node::View view = world_.view(i);
    for (const node::LeaseView& lease : view.leases) open_.emplace(view.id, lease.lease);
  }
}

std::size_t Healed::left() const { return fitting().vms; }

Fitting Healed::fitting() const {
  return fitting_surplus(
      world_.truth(), world_.config(0).plan.target,
      [&](const VmId& vm, HostIndex host) { return !world_.fleet().refuses(host, vm); });
}

void Healed::judge() {
  judge_slaves();
  judge_leases();
  const Fitting left = fitting();
  if (left.vms > 0)
    world_.report("left over", std::to_string(left.vms) +
                                   " VMs of overloaded hosts fit elsewhere: " + left.example +
                                   "; not done: " + unfinished());
}

// What masters are still at, so that who reads the finding sees where it hangs.
std::string Healed::unfinished() const {
  std::string text;
  for (std::size_t i = 0; i < world_.nodes() && text.size() < text_max; ++i) {
    if (!world_.is_up(i) || !world_.is_master(i)) continue;
    const node::View view = world_.view(i);
    std::vector<node::MoveView> moves = view.in_flight;
    if (view.plan) moves.insert(moves.end(), view.plan->moves.begin(), view.plan->moves.end());
    for (const node::HostView& host : view.hosts) {
      if (host.state != "ok")
        text += "\n  " + view.id.str() + ": " + host.id.str() + " is " + host.state;
    }
    if (view.plan) {
      text += "\n  " + view.id.str() + ": plan " + view.plan->id + ", " + view.plan->state;
      for (const node::SurplusView& surplus : view.plan->surplus)
        text += "\n  " + view.id.str() + ": " + surplus.vm.str() + " stays on " +
                surplus.host.str() + ": " + surplus.reason;
    }
    for (const node::MoveView& move : moves) {
      if (move.state.starts_with("done") || move.state.starts_with("failed")) continue;
      text += "\n  " + view.id.str() + ": " + move.vm.str() + " from " + move.from.str() + " to " +
              move.to.str() + ", " + move.state;
    }
  }
  return text.empty() ? "nothing" : text;
}

void Healed::judge_slaves() {
  std::map<NodeId, std::map<HostId, std::string>> known;
  for (std::size_t i = 0; i < world_.nodes(); ++i) {
    if (!world_.is_up(i) || !world_.is_master(i)) continue;
    const node::View view = world_.view(i);
    for (const node::HostView& host : view.hosts) known[view.id][host.id] = host.state;
  }
  for (std::size_t i = 0; i < world_.nodes(); ++i) {
    if (!world_.is_up(i)) {
      if (world_.fleet().is_up(static_cast<HostIndex>(i)))
        world_.report("node down", world_.trace().hosts[i].id.str());
      continue;
    }
    const node::View view = world_.view(i);
    const auto master = known.find(view.master);
    if (view.master.empty() || master == known.end()) {
      world_.report("no master", quoted(view.id.str()) + " is attached to nobody");
    } else if (const auto host = master->second.find(view.id); host == master->second.end()) {
      world_.report("no master", quoted(view.id.str()) + " is unknown to its master");
    } else if (host->second.starts_with("stale") || host->second.starts_with("lost")) {
      world_.report("no master", quoted(view.id.str()) + " is " + host->second + " to its master");
    }
  }
}

void Healed::judge_leases() {
  for (std::size_t i = 0; i < world_.nodes(); ++i) {
    if (!world_.is_up(i)) continue;
    const node::View view = world_.view(i);
    for (const node::LeaseView& lease : view.leases) {
      if (open_.contains({view.id, lease.lease}))
        world_.report("lease without end", lease_text(view.id.str(), lease) + ", " + lease.phase);
    }
  }
}

}  // namespace ballast::world
