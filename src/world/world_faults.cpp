// What is done to a world from outside.
#include <utility>

#include "ballast/base/assert.h"
#include "state.h"

namespace ballast::world {
namespace {
std::uint32_t index(std::size_t node) { return static_cast<std::uint32_t>(node); }
}  // namespace

void World::crash(std::size_t node) { state_->stop_node(index(node), true); }

void World::restart(std::size_t node, bool with_state) {
  State::Slot& slot = state_->slots[node];
  if (slot.node || !state_->fleet.is_up(index(node))) return;
  if (!with_state) slot.stored = {};
  state_->start_node(index(node));
}

void World::pause(std::size_t node) {
  State::Slot& slot = state_->slots[node];
  if (!slot.node || slot.paused) return;
  if (state_->settings.log) state_->say(state_->name(index(node)) + " is paused");
  slot.paused = true;
  state_->network.set_paused(state_->now, index(node), true);
  state_->schedule(index(node));
}

void World::resume(std::size_t node) {
  State::Slot& slot = state_->slots[node];
  if (!slot.node || !slot.paused) return;
  if (state_->settings.log) state_->say(state_->name(index(node)) + " goes on");
  slot.paused = false;
  state_->network.set_paused(state_->now, index(node), false);
  for (InputPtr& input : std::exchange(slot.held, {}))
    state_->queue.push(state_->now, index(node), slot.life, std::move(input));
  state_->schedule(index(node));
}

void World::drift(std::size_t node, int ppm) {
  BALLAST_ASSERT(ppm >= -100000 && ppm <= 100000, "a clock that drifts by more than a tenth");
  State::Slot& slot = state_->slots[node];
  slot.clock = slot.clock.with_rate(state_->now, ppm);
  slot.ppm = ppm;
  state_->schedule(index(node));
}

void World::set_faults(const MessageFaults& faults) { state_->network.faults = faults; }

void World::set_side(std::size_t node, std::uint32_t side) {
  if (state_->settings.log)
    state_->say(state_->name(index(node)) + " is on side " + std::to_string(side));
  state_->network.set_side(state_->now, index(node), side);
}
void World::block(std::size_t from, std::size_t to) {
  if (state_->settings.log)
    state_->say("nothing gets from " + state_->name(index(from)) + " to " +
                state_->name(index(to)));
  state_->network.set_blocked(state_->now, index(from), index(to), true);
}
void World::unblock(std::size_t from, std::size_t to) {
  state_->network.set_blocked(state_->now, index(from), index(to), false);
}
void World::unblock_all() {
  if (state_->settings.log) state_->say("the network is whole");
  state_->network.unblock_all(state_->now);
}
void World::clog(std::size_t from, std::size_t to, TimePoint until) {
  if (state_->settings.log)
    state_->say("clogged from " + state_->name(index(from)) + " to " + state_->name(index(to)));
  state_->network.clog(index(from), index(to), until);
}

void World::tell_fleet(const hypermodel::FleetInput& input) { state_->step_fleet(input); }

void World::lose_host(std::size_t node) {
  if (state_->settings.log) state_->say("host " + state_->name(index(node)) + " loses its power");
  state_->step_fleet(hypermodel::HostFails{index(node)});
  state_->stop_node(index(node), false);
}

void World::return_host(std::size_t node) {
  state_->step_fleet(hypermodel::HostReturns{index(node)});
  restart(node, true);
}

void World::make_liar(std::size_t node) {
  State& s = *state_;
  if (!s.liars) {
    std::vector<Party> parties;
    std::vector<std::uint32_t> leaders;
    for (std::uint32_t i = 0; i < s.slots.size(); ++i) {
      parties.push_back({s.trace->hosts[i].id, s.network.endpoint(i), s.network.feed(i),
                         s.fleet.migration_uri(i)});
      leaders.push_back(s.slots[i].master_slot);
    }
    Insight insight;
    insight.epoch = [&s](std::uint32_t i) {
      return s.slots[i].node ? s.slots[i].node->view(s.slots[i].clock.local(s.now)).epoch : Epoch{};
    };
    insight.leases = [&s] {
      std::vector<LeaseId> open;
      for (const State::Slot& slot : s.slots) {
        if (!slot.node || slot.node->ledger() == nullptr) continue;
        for (const auto& [id, lease] : slot.node->ledger()->leases()) open.push_back(id);
      }
      return open;
    };
    s.liars.emplace(*s.trace, std::move(parties), std::move(leaders), std::move(insight), s.signer,
                    s.settings.seed ^ 0x11A5U);
  }
  const std::string about = s.liars->add(index(node));
  s.vms.spare(index(node));
  s.leases.spare(s.trace->hosts[node].id);
  if (s.settings.log) s.say(s.name(index(node)) + " lies from now on about " + about);
}
bool World::is_liar(std::size_t node) const { return state_->lies(index(node)); }

}  // namespace ballast::world
