#include "honest_groups.h"

#include <algorithm>
#include <map>

#include "ballast/base/random.h"
#include "fitting.h"

namespace ballast::world {
namespace {

// Of the fleet what these hosts hold.
Snapshot part_of(const Snapshot& truth, const std::vector<std::size_t>& hosts) {
  Snapshot part;
  std::map<HostIndex, HostIndex> place;
  for (const std::size_t host : hosts) {
    place.emplace(static_cast<HostIndex>(host), static_cast<HostIndex>(part.hosts.size()));
    part.hosts.push_back(truth.hosts[host]);
  }
  for (const Vm& vm : truth.vms) {
    const auto here = place.find(vm.host);
    if (here == place.end()) continue;
    part.vms.push_back(vm);
    part.vms.back().host = here->second;
  }
  return part;
}

std::vector<std::vector<std::size_t>> groups_of(const Trace& trace) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::string, std::size_t> number;
  for (std::size_t i = 0; i < trace.hosts.size(); ++i) {
    const auto [found, is_new] = number.try_emplace(trace.hosts[i].group, groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(i);
  }
  return groups;
}

}  // namespace

HonestGroups::HonestGroups(World& world, std::uint64_t seed) : world_(world) {
  Random random(seed ^ 0x11A55U);
  std::vector<std::vector<std::size_t>> groups = groups_of(world.trace());
  if (groups.size() < 2) return;
  for (std::size_t i = groups.size(); i > 1; --i) std::swap(groups[i - 1], groups[random.below(i)]);
  world.make_liar(groups[0].front());
  for (std::size_t i = 1; i < groups.size(); i += 2) {
    // The last group that is left stays honest.
    if (groups[i].size() < 2 || (i == 1 && groups.size() == 2)) continue;
    world.make_liar(groups[i][1 + random.below(groups[i].size() - 1)]);
  }
}

std::vector<std::vector<std::size_t>> HonestGroups::groups() const {
  std::vector<std::vector<std::size_t>> honest = groups_of(world_.trace());
  std::erase_if(
      honest, [&](const std::vector<std::size_t>& group) { return world_.is_liar(group.front()); });
  for (std::vector<std::size_t>& group : honest)
    std::erase_if(group, [&](std::size_t node) { return world_.is_liar(node); });
  return honest;
}

std::string HonestGroups::example(std::size_t& vms) const {
  vms = 0;
  std::string example;
  const Snapshot truth = world_.truth();
  for (const std::vector<std::size_t>& group : groups()) {
    const Fitting fitting =
        fitting_surplus(part_of(truth, group), world_.config(group.front()).plan.target);
    vms += fitting.vms;
    if (example.empty()) example = fitting.example;
  }
  return example;
}

std::size_t HonestGroups::left() const {
  std::size_t vms = 0;
  example(vms);
  return vms;
}

void HonestGroups::judge() {
  std::size_t vms = 0;
  const std::string text = example(vms);
  if (vms > 0)
    world_.report(
        "left over",
        std::to_string(vms) + " VMs of overloaded hosts fit elsewhere in their group: " + text);
  for (const std::vector<std::size_t>& group : groups()) {
    const NodeId& master = world_.trace().hosts[group.front()].id;
    for (const std::size_t node : group) {
      const node::View view = world_.view(node);
      if (view.master != master)
        world_.report("lured away", quoted(view.id.str()) + " belongs to " +
                                        quoted(view.master.str()) + ", expected " +
                                        quoted(master.str()));
      if (view.paused) world_.report("paused", quoted(view.id.str()) + " has paused");
    }
  }
}

}  // namespace ballast::world
