#include "ballast/world/simulate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "ballast/world/fleet_shape.h"
#include "ballast/world/troubles.h"
#include "ballast/world/world.h"
#include "fitting.h"
#include "healed.h"
#include "honest_groups.h"
#include "tally.h"

namespace ballast::world {
namespace {

using namespace std::chrono_literals;

struct Named {
  FaultProfile profile;
  const char* name;
};
constexpr std::array<Named, 5> profiles = {{{FaultProfile::none, "none"},
                                            {FaultProfile::loss30, "loss30"},
                                            {FaultProfile::crash80, "crash80"},
                                            {FaultProfile::chaos, "chaos"},
                                            {FaultProfile::liars, "liars"}}};

// Plans of small groups are searched for long, because a master can afford it. A simulation of so
// many masters cannot: there, plans are a little worse.
constexpr std::size_t masters_searched_max = 20;
constexpr std::uint32_t effort_small = 300;
// ... of up to a thousand masters; of more, all of them together search as long as those.
constexpr std::size_t masters_of_small_effort = 1000;
constexpr std::uint32_t effort_least = 30;

std::uint32_t effort_of(std::size_t masters) {
  const auto share = static_cast<std::uint32_t>(effort_small * masters_of_small_effort / masters);
  return std::clamp(share, effort_least, effort_small);
}

// Everything quicker, so that minutes are enough for many plans; nothing forgiven by the model.
void hurry(Settings& settings) {
  settings.through_bytes = true;
  settings.timing.refuses_overcommit = false;
  settings.timing.link_mib_s = 250;
  settings.adjust = [](std::size_t, Config& config) {
    config.sample.sample_interval = 5s;
    config.sample.report_interval = 15s;
    config.plan.plan_interval = 30s;
    config.plan.cooldown = 2min;
    config.plan.effort = effort_small;
    config.migrate.timeout = 2min;
  };
}

class Run {
 public:
  Run(const SimulateOptions& options, Settings settings, Trace trace)
      : options_(options),
        length_(duration_of_seconds(options.minutes * 60)),
        world_(std::move(settings), std::make_shared<const Trace>(std::move(trace))),
        tally_(world_) {}

  SimulateResult run() {
    result_.hosts = world_.trace().hosts.size();
    result_.vms = world_.trace().vms.size();
    result_.overload_before = overload_of(world_.truth());
    switch (options_.faults) {
      case FaultProfile::none: calm(length_); break;
      case FaultProfile::loss30:
        world_.set_faults({.loss = 0.3});
        calm(length_);
        break;
      case FaultProfile::crash80: crash_most(); break;
      case FaultProfile::chaos: chaos(); break;
      case FaultProfile::liars: liars(); break;
    }
    finish();
    return std::move(result_);
  }

 private:
  // With an eye on how news spreads, once the mesh has come together.
  void calm(Duration span) {
    const TimePoint end = world_.now() + span;
    while (world_.now() < end) {
      const bool watching = world_.watches_news() || world_.push_gossip().follows;
      world_.run_for(std::min(watching ? step : pause_between_news, Duration(end - world_.now())));
      tally_.look(result_);
      look_at_news(watching);
    }
  }

  void look_at_news(bool watching) {
    if (const auto took = world_.all_know_news()) result_.rounds_to_all.push_back(rounds(*took));
    if (const auto took = world_.all_know_by_push())
      result_.memberlist->rounds_to_all.push_back(rounds(*took));
    if (watching || world_.elapsed() < settled_after) return;
    if (options_.beside_memberlist && !result_.memberlist) {
      result_.memberlist.emplace();
      world_.begin_push_gossip();
    }
    world_.watch_news();
  }

  static double rounds(Duration took) { return std::ceil(seconds_of(took) / seconds_of(round)); }

  void crash_most() {
    calm(length_ / 2);
    Random random(options_.seed ^ 0xC2A5480U);
    std::vector<std::size_t> masters;
    for (std::size_t i = 0; i < world_.nodes(); ++i)
      if (world_.is_master(i)) masters.push_back(i);
    for (std::size_t i = masters.size(); i > 1; --i)
      std::swap(masters[i - 1], masters[random.below(i)]);
    const std::size_t crashed = masters.size() * 4 / 5;
    for (std::size_t i = 0; i < crashed; ++i) world_.crash(masters[i]);
    come_together(masters.size() - crashed);
    calm(length_ - world_.elapsed());
  }

  void come_together(std::size_t masters_left) {
    CrashResult& crash = result_.crash.emplace();
    crash.masters_left = masters_left;
    const Duration patience = std::min(length_ - world_.elapsed(), Duration(1min));
    const TimePoint crashed_at = world_.now();
    while (!crash.one_mesh_s && world_.now() - crashed_at < patience) {
      world_.run_for(step);
      if (world_.largest_mesh_share() >= one_mesh_share)
        crash.one_mesh_s = seconds_of(world_.now() - crashed_at);
    }
    if (!crash.one_mesh_s || duration_of_seconds(*crash.one_mesh_s) > one_mesh_within)
      world_.report("one mesh", "of " + std::to_string(masters_left) +
                                    " masters that were left, fewer than 99 % were one mesh 10 s "
                                    "after the crash");
  }

  void chaos() {
    Troubles troubles(world_, options_.seed);
    const TimePoint healed = world_.now() + length_ * 2 / 3;
    const TimePoint end = world_.now() + length_;
    while (world_.now() < healed) {
      world_.run_for(std::min(troubles.pause(), Duration(healed - world_.now())));
      if (world_.now() < healed) troubles.stir();
    }
    troubles.end();
    world_.audit_all();
    Healed judge(world_);
    // Of a run of a few minutes the time after the faults is longer than its last third.
    world_.run_for(std::max(Duration(0), Duration(end - world_.now() - settles_within)));
    judge.note_leases();
    world_.run_for(settles_within);
    // Long chains of moves may still be under way: what fits must be placed within the bound, not
    // within this run.
    for (Duration more{0}; more < placed_within && judge.left() > 0; more += settles_within)
      world_.run_for(settles_within);
    judge.judge();
    world_.audit_all();
  }

  void liars() {
    const TimePoint end = world_.now() + length_;
    // Of two that claim a VM in their very first word nobody can know who is honest.
    world_.run_for(groups_stand_after);
    HonestGroups honest(world_, options_.seed);
    while (world_.now() < end) {
      world_.run_for(std::min(looked_at_every, Duration(end - world_.now())));
      world_.audit_all();
    }
    for (Duration more{0}; more < placed_within && honest.left() > 0; more += settles_within)
      world_.run_for(settles_within);
    honest.judge();
    world_.audit_all();
  }

  void finish() {
    const Snapshot truth = world_.truth();
    result_.overload_after = overload_of(truth);
    result_.surplus_left_that_fits =
        fitting_surplus(truth, world_.config(0).plan.target, [&](const VmId& vm, HostIndex host) {
          return !world_.fleet().refuses(host, vm);
        }).vms;
    result_.simulated_s = seconds_of(world_.elapsed());
    tally_.fill(result_);
    if (result_.memberlist) {
      const PushGossipFigures push = world_.push_gossip();
      result_.memberlist->lost = push.lost;
      result_.memberlist->bytes_per_master_s = push.bytes_per_node_s;
    }
    result_.findings = world_.findings();
    result_.hash = world_.hash();
    result_.steps = world_.steps();
    result_.messages = world_.messages();
  }

  static constexpr Duration settles_within = 3min;
  static constexpr Duration placed_within = 20min;  // after the end of the run
  static constexpr Duration groups_stand_after = 30s;
  static constexpr Duration looked_at_every = 15s;
  static constexpr Duration settled_after = 30s;
  static constexpr Duration pause_between_news = 5s;
  static constexpr Duration step = 100ms;
  static constexpr double one_mesh_share = 0.99;
  static constexpr Duration one_mesh_within = 10s;
  static constexpr Duration round = 1s;  // the default of mesh.gossip_interval
  const SimulateOptions& options_;
  Duration length_;
  World world_;
  Tally tally_;
  SimulateResult result_;
};

}  // namespace

const char* name_of(FaultProfile profile) {
  for (const Named& known : profiles)
    if (known.profile == profile) return known.name;
  return "?";
}

std::optional<FaultProfile> fault_profile(std::string_view name) {
  for (const Named& known : profiles)
    if (name == known.name) return known.profile;
  return std::nullopt;
}

SimulateResult simulate(const SimulateOptions& options) {
  const bool chaos = options.faults == FaultProfile::chaos || options.faults == FaultProfile::liars;
  FleetShape shape;
  shape.seed = options.seed;
  shape.masters = options.masters;
  shape.slaves = options.slaves;
  shape.vms = options.vms;
  shape.minutes = static_cast<std::size_t>(options.minutes) + 1;
  if (chaos) {
    shape.change_share = 0.1;
    shape.host_change_share = 0.1;
    shape.memory_min = 0.4;
    shape.memory_max = 0.95;
    if (options.faults == FaultProfile::liars) shape.host_change_share = 0.3;
    shape.calm_from_minute = static_cast<std::size_t>(options.minutes * 2 / 3);
  }
  Settings settings;
  settings.seed = options.seed;
  settings.log = options.log;
  if (chaos) {
    hurry(settings);
  } else if (options.masters > masters_searched_max) {
    settings.adjust = [effort = effort_of(options.masters)](std::size_t, Config& config) {
      config.plan.effort = effort;
    };
  }
  return Run(options, std::move(settings), make_fleet(shape)).run();
}

}  // namespace ballast::world
