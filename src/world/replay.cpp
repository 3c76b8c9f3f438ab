#include "ballast/world/replay.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/world/world.h"
#include "meter.h"
#include "tally.h"

namespace ballast::world {
namespace {

Settings settings_of(const ReplayOptions& options, std::size_t hosts) {
  Settings settings;
  settings.seed = options.seed;
  settings.log = options.log;
  settings.adjust = [config = options.config, moves = options.moves, one_group = options.one_group,
                     hosts](std::size_t, Config& node) {
    Config own = config;
    own.node.id = node.node.id;
    own.node.role = node.node.role;
    own.node.master = node.node.master;
    own.plan.thresholds = node.plan.thresholds;
    own.plan.mode = moves ? Mode::act : Mode::recommend;
    if (!moves) own.plan.effort = 1;  // nobody follows these plans
    if (one_group)
      own.limits.max_slaves =
          static_cast<std::uint32_t>(std::min<std::size_t>(hosts, limits::slaves_max));
    node = std::move(own);
  };
  return settings;
}

}  // namespace

ReplayResult replay(ReplayOptions options) {
  if (options.one_group) {
    for (TraceHost& host : options.trace.hosts) host.group = "all";
  }
  const auto trace = std::make_shared<const Trace>(std::move(options.trace));
  ReplayResult result;
  result.hosts = trace->hosts.size();
  result.vms = trace->vms.size();
  result.intervals = intervals_of(*trace);
  std::set<std::string> groups;
  for (const TraceHost& host : trace->hosts) groups.insert(host.group);
  result.groups = groups.size();

  World world(settings_of(options, result.hosts), trace);
  Meter meter(trace);
  Tally tally(world);
  tally.on_moved([&](VmIndex vm, HostIndex from, HostIndex to) {
    meter.moved(world.elapsed(), vm, from, to);
    if (result.first_moves.size() < ReplayResult::moves_told)
      result.first_moves.push_back(
          {world.elapsed(), trace->vms[vm].id, trace->hosts[from].id, trace->hosts[to].id});
  });
  for (std::size_t interval = 0; interval < result.intervals; ++interval) {
    if (interval > 0) meter.interval(world.elapsed());
    world.run_for(trace->interval);
  }
  meter.close(world.elapsed());
  world.audit_all();

  SimulateResult counted;
  tally.fill(counted);
  result.time_over_threshold = meter.time_over_threshold();
  result.time_saturated = meter.time_saturated();
  result.demand_not_served = meter.demand_not_served();
  result.utilisation_mean = meter.utilisation_mean();
  result.utilisation_max = meter.utilisation_max();
  result.moved_mib = meter.moved_mib();
  for (HostIndex host = 0; host < trace->hosts.size(); ++host) {
    if (meter.over()[host] > Duration(0))
      result.over.push_back({trace->hosts[host].id, meter.over()[host]});
  }
  std::stable_sort(result.over.begin(), result.over.end(),
                   [](const auto& a, const auto& b) { return a.span > b.span; });
  result.returns_2h = meter.returns();
  result.migrations = counted.migrations;
  result.migrations_remote = counted.migrations_remote;
  result.migrations_swaps = counted.migrations_swaps;
  result.requests_sent = counted.requests_sent;
  result.requests_granted = counted.requests_granted;
  result.requests_granted_first = counted.requests_granted_first;
  result.requests_refused = counted.requests_refused;
  result.requests_refused_stale = counted.requests_refused_stale;
  result.bytes_per_master_s = counted.out_bytes_per_master_s;
  result.findings = world.findings();
  result.hash = world.hash();
  return result;
}

}  // namespace ballast::world
