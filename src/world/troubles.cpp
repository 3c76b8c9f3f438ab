#include "ballast/world/troubles.h"

namespace ballast::world {
namespace {

// A lost host takes its VMs with it, for good: enough must be left to balance.
constexpr std::size_t hosts_lost_max = 2;
constexpr int drift_ppm_max = 5000;

}  // namespace

Troubles::Troubles(World& world, std::uint64_t seed)
    : world_(world),
      random_(seed ^ 0x7120B1E5U),
      guests_(seed ^ 0x6E575U),
      host_lost_(world.nodes(), false) {
  draw_refusals();
}

void Troubles::draw_refusals() {
  if (guests_.chance(0.3))
    world_.tell_fleet(
        hypermodel::HostRefuses{static_cast<HostIndex>(guests_.below(world_.nodes())), {}});
  if (!guests_.chance(0.6)) return;
  for (int host = 0; host < 2; ++host) {
    const auto at = static_cast<HostIndex>(guests_.below(world_.nodes()));
    for (const TraceVm& vm : world_.trace().vms) {
      if (guests_.chance(0.2)) world_.tell_fleet(hypermodel::HostRefuses{at, vm.id});
    }
  }
}

// Somebody pauses one that is on its way, if one is; a QEMU hangs.
void Troubles::trouble_guest() {
  const std::size_t begin = guests_.below(world_.nodes());
  for (std::size_t i = 0; i < world_.nodes() && guests_.chance(0.9); ++i) {
    const auto host = static_cast<HostIndex>((begin + i) % world_.nodes());
    for (const auto& [vm, copy] : world_.fleet().host(host).copies()) {
      if (copy.state != hypermodel::CopyState::outgoing || copy.suspended) continue;
      suspended_.push_back(vm);
      world_.tell_fleet(hypermodel::GuestSuspends{suspended_.back(), true});
      return;
    }
  }
  if (!guests_.chance(0.4)) return;
  hanging_.push_back(world_.trace().vms[guests_.below(world_.trace().vms.size())].id);
  world_.tell_fleet(hypermodel::GuestHangs{hanging_.back(), true});
}

void Troubles::let_guests_go_on(double share) {
  std::erase_if(suspended_, [&](const VmId& vm) {
    if (!guests_.chance(share)) return false;
    world_.tell_fleet(hypermodel::GuestSuspends{vm, false});
    return true;
  });
  std::erase_if(hanging_, [&](const VmId& vm) {
    if (!guests_.chance(share)) return false;
    world_.tell_fleet(hypermodel::GuestHangs{vm, false});
    return true;
  });
}

Duration Troubles::pause() { return duration_of_seconds(random_.between(0.5, 12)); }

void Troubles::stir() {
  const std::size_t node = any_node();
  switch (random_.below(3)) {
    case 0: trouble_node(node); break;
    case 1: trouble_network(node); break;
    default: trouble_hypervisor(node); break;
  }
  trouble_guest();
  let_guests_go_on(0.2);
  bring_back();
}

void Troubles::trouble_node(std::size_t node) {
  switch (random_.below(8)) {
    case 0:
    case 1:
    case 2: world_.crash(node); break;
    case 3:
    case 4: world_.pause(node); break;
    case 5:
    case 6:
      world_.drift(
          node, static_cast<int>(random_.below(std::uint64_t{2} * drift_ppm_max)) - drift_ppm_max);
      break;
    default:
      if (hosts_lost_in_all_ < hosts_lost_max && random_.chance(0.2)) {
        ++hosts_lost_in_all_;
        host_lost_[node] = true;
        world_.lose_host(node);
      }
  }
}

void Troubles::trouble_network(std::size_t node) {
  MessageFaults faults;
  switch (random_.below(6)) {
    case 0:
      faults.loss = random_.between(0, 0.3);
      faults.doubling = random_.between(0, 0.3);
      faults.late = random_.between(0, 1);
      faults.late_max = duration_of_seconds(random_.between(0.01, 8));
      world_.set_faults(faults);
      break;
    case 1: world_.set_faults({}); break;
    case 2: world_.block(node, any_node()); break;
    case 3: {
      // A node, or a whole group with those that happen to be beside it.
      const auto side = static_cast<std::uint32_t>(1 + random_.below(3));
      world_.set_side(node, side);
      if (random_.chance(0.3)) {
        for (std::size_t other = 0; other < world_.nodes(); ++other)
          if (random_.chance(0.4)) world_.set_side(other, side);
      }
      break;
    }
    case 4:
      world_.clog(node, any_node(), world_.now() + duration_of_seconds(random_.between(1, 40)));
      break;
    default:
      if (random_.chance(0.5)) world_.unblock_all();
  }
}

void Troubles::trouble_hypervisor(std::size_t node) {
  const auto host = static_cast<HostIndex>(node);
  if (random_.chance(0.15)) {
    world_.tell_fleet(hypermodel::DaemonFails{host});
    return;
  }
  if (random_.chance(0.1)) {
    const auto other = static_cast<HostIndex>(any_node());
    if (random_.chance(0.5)) {
      world_.tell_fleet(hypermodel::LinkFails{host, other});
    } else {
      for (HostIndex peer = 0; peer < world_.nodes(); ++peer)
        world_.tell_fleet(hypermodel::LinkReturns{host, peer});
    }
    return;
  }
  // Losing a host in the middle of a migration is rare: it costs VMs. See trouble_node.
  const VmId vm = world_.trace().vms[random_.below(world_.trace().vms.size())].id;
  const auto phase = static_cast<hypermodel::Phase>(random_.below(5));
  const auto failure = static_cast<hypermodel::Failure>(random_.below(5));
  world_.tell_fleet(hypermodel::MigrationFails{vm, phase, failure});
}

void Troubles::bring_back() {
  for (std::size_t node = 0; node < world_.nodes(); ++node) {
    if (host_lost_[node]) {
      if (!random_.chance(0.05)) continue;
      host_lost_[node] = false;
      world_.return_host(node);
    }
    if (!world_.is_up(node) && random_.chance(0.2)) world_.restart(node, random_.chance(0.8));
    if (world_.is_paused(node) && random_.chance(0.3)) world_.resume(node);
    if (random_.chance(0.15))
      world_.tell_fleet(hypermodel::DaemonReturns{static_cast<HostIndex>(node)});
  }
}

void Troubles::end() {
  world_.set_faults({});
  world_.unblock_all();
  world_.tell_fleet(hypermodel::NothingFails{});
  let_guests_go_on(1);
  for (std::size_t node = 0; node < world_.nodes(); ++node) {
    const auto host = static_cast<HostIndex>(node);
    world_.tell_fleet(hypermodel::DaemonReturns{host});
    if (host_lost_[node]) world_.return_host(node);
    host_lost_[node] = false;
    world_.resume(node);
    if (!world_.is_up(node)) world_.restart(node, true);
    for (HostIndex other = 0; other < host; ++other)
      world_.tell_fleet(hypermodel::LinkReturns{host, other});
  }
}

}  // namespace ballast::world
