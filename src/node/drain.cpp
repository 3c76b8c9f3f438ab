#include "drain.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace ballast::node {
namespace {

// A host without any network left still takes a VM that uses none.
constexpr double least_capacity = 1e-6;

bool is_want_of_room(SurplusReason reason) {
  return reason == SurplusReason::no_cpu || reason == SurplusReason::no_memory ||
         reason == SurplusReason::no_network || reason == SurplusReason::no_target;
}

// A host that has the room and nothing else: VMs fit up to the last of it.
Host host_of(const OtherRoom& other, std::size_t number) {
  Host host;
  host.id = HostId("other-room-" + std::to_string(number));
  host.capacity = other.room;
  for (const Resource r : all_resources) {
    host.capacity[r] = std::max(host.capacity[r], least_capacity);
    host.thresholds[r] = 1;
  }
  return host;
}

Snapshot extended(Snapshot snapshot, const std::vector<OtherRoom>& others) {
  Rule stay;
  stay.type = RuleType::hosts;
  for (HostIndex h = 0; h < snapshot.hosts.size(); ++h) stay.hosts.push_back(h);
  for (VmIndex v = 0; v < snapshot.vms.size(); ++v) {
    if (!snapshot.hosts[snapshot.vms[v].host].maintenance) stay.vms.push_back(v);
  }
  for (const OtherRoom& other : others)
    snapshot.hosts.push_back(host_of(other, snapshot.hosts.size()));
  if (!stay.vms.empty()) snapshot.rules.push_back(std::move(stay));
  return snapshot;
}

std::string amount(double number, Resource resource) {
  const char* unit = resource == Resource::cpu      ? "MHz"
                     : resource == Resource::memory ? "MiB"
                                                    : "Mbit/s";
  char text[48];
  std::snprintf(text, sizeof text, "%.0f %s", number, unit);
  return text;
}

}  // namespace

bool lacks_room(const Snapshot& snapshot, const Plan& plan) {
  return std::any_of(plan.surplus.begin(), plan.surplus.end(), [&](const Surplus& one) {
    return snapshot.hosts[one.host].maintenance && is_want_of_room(one.reason);
  });
}

DrainPlan with_others(const Snapshot& snapshot, Plan made, const std::vector<OtherRoom>& others,
                      const plan::Options& options) {
  DrainPlan result;
  if (others.empty() || !lacks_room(snapshot, made)) {
    result.plan = std::move(made);
    return result;
  }
  result.plan = plan::make_plan(extended(snapshot, others), options);
  const std::size_t own = snapshot.hosts.size();
  // That all other VMs stay at home is no rule of theirs: why they do is told by the first plan.
  for (Surplus& one : result.plan.surplus) {
    if (snapshot.hosts[one.host].maintenance) continue;
    const auto before = std::find_if(made.surplus.begin(), made.surplus.end(),
                                     [&](const Surplus& known) { return known.vm == one.vm; });
    one.reason = before == made.surplus.end() ? SurplusReason::no_target : before->reason;
  }
  for (const Migration& one : result.plan.migrations) {
    if (one.to >= own) result.out.push_back({one.vm, one.from, others[one.to - own]});
  }
  std::erase_if(result.plan.migrations, [&](const Migration& one) { return one.to >= own; });
  for (const Spare& one : result.plan.spare) {
    if (one.host >= own)
      result.other_spare.push_back({static_cast<HostIndex>(one.host - own), one.room});
  }
  std::erase_if(result.plan.spare, [&](const Spare& one) { return one.host >= own; });
  return result;
}

std::string amounts(const Resources& load) {
  std::vector<std::string> parts;
  for (const Resource r : all_resources) {
    if (load[r] >= 0.5 && load[r] != unlimited) parts.push_back(amount(load[r], r));
  }
  if (parts.empty()) return "0 MHz";
  std::string out = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i)
    out += (i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return out;
}

std::string figures_of(const Snapshot& snapshot, const DrainPlan& plan,
                       const std::vector<OtherRoom>& others, const Resources& needed) {
  std::string out = "it needs " + amounts(needed);
  std::string left;
  for (const Resource r : all_resources) {
    if (needed[r] <= 0) continue;
    double most = 0;
    std::string where;
    for (const Spare& one : plan.plan.spare) {
      if (one.room[r] <= most) continue;
      most = one.room[r];
      where = quoted(snapshot.hosts[one.host].id.str());
    }
    for (const Spare& one : plan.other_spare) {
      if (one.room[r] <= most) continue;
      const OtherRoom& other = others[one.host];
      most = one.room[r];
      where = (other.host.empty() ? "a host" : quoted(other.host.str())) + std::string(" of ") +
              quoted(other.master.str());
    }
    if (most == unlimited) continue;
    left += (left.empty() ? "" : ", ") + amount(most, r) + (where.empty() ? "" : " on " + where);
  }
  return left.empty() ? out : out + "; the most that is left is " + left;
}

}  // namespace ballast::node
