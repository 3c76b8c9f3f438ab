// Time, and what nodes do in it. Of all that is due at one moment the fleet goes first, then what
// arrives, in the order in which it was sent, then the nodes' own deadlines, by index.
#include "ballast/world/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "ballast/base/assert.h"
#include "state.h"

namespace ballast::world {
namespace {

constexpr TimePoint begin_of_time = TimePoint(std::chrono::hours(1));
constexpr std::size_t seeds_count = 3;  // masters whose addresses every node has
constexpr Duration answer_of_hypervisor = std::chrono::milliseconds(1);

// An address in 10.0.0.0/8 for each node: of the length that real ones have.
std::string address(std::uint32_t index, int port) {
  char text[48];
  std::snprintf(text, sizeof text, "tcp://10.%u.%u.%u:%d", (index >> 16U) & 255U,
                (index >> 8U) & 255U, index & 255U, port);
  return text;
}

}  // namespace

World::State::State(Settings settings_, std::shared_ptr<const Trace> trace_)
    : settings(std::move(settings_)),
      trace(std::move(trace_)),
      origin(begin_of_time),
      now(begin_of_time),
      random(settings.seed),
      fleet(trace, settings.timing, now),
      network(settings.network, trace->hosts.size(), settings.seed * 0x9E3779B97F4A7C15U + 1,
              settings.through_bytes,
              {[this](TimePoint at, std::uint32_t node, std::uint32_t life, InputPtr input) {
                 queue.push(at, node, life, std::move(input));
               },
               [this](const std::string& what) { complain("codec", what); },
               settings.log ? [this](std::uint32_t from, std::uint32_t to, const wire::Body& body,
                                     bool lost) {
                 say("    " + name(from) + " -> " + name(to) + "  " + wire::name_of(body) +
                     (lost ? "  (lost)" : ""));
               } : decltype(Network::Hooks::sent){}}),
      deadlines(trace->hosts.size()),
      slots(trace->hosts.size()),
      arrived(trace->vms.size()),
      vms(
          fleet, *trace,
          [this](const std::string& auditor, const std::string& detail) {
            complain(auditor, detail);
          },
          [this](VmIndex vm, HostIndex from, HostIndex to) { moved(vm, from, to); }),
      leases(trace->hosts.size(),
             [this](const std::string& auditor, const std::string& detail) {
               complain(auditor, detail);
             }),
      words(fleet, [this](const std::string& auditor, const std::string& detail) {
        complain(auditor, detail);
      }),
      tries([this](const std::string& auditor, const std::string& detail) {
        complain(auditor, detail);
      }),
      spread(trace->hosts.size()) {
  BALLAST_ASSERT(!slots.empty(), "a world without hosts");
  std::unordered_map<std::string, std::uint32_t> first_of;
  for (std::uint32_t i = 0; i < slots.size(); ++i) {
    slots[i].master_slot = first_of.emplace(trace->hosts[i].group, i).first->second;
    network.introduce(i, trace->hosts[i].id, address(i, 7720), address(i, 7721));
    node_of_uri.emplace(fleet.migration_uri(i), i);
    node_of_id.emplace(trace->hosts[i].id, i);
  }
  if (settings.trusts) network.set_trust(settings.trusts);
  std::vector<std::uint32_t> seeds;
  for (std::uint32_t i = 0; i < slots.size() && seeds.size() < seeds_count; ++i) {
    if (slots[i].master_slot == i) seeds.push_back(i);
  }
  network.set_seeds(std::move(seeds));
}

Config World::State::config_of(std::uint32_t index) const {
  const Slot& slot = slots[index];
  Config config;
  config.node.id = trace->hosts[index].id;
  config.node.role = slot.master_slot == index ? Role::master : Role::slave;
  if (slot.master_slot != index)
    config.node.master =
        PeerAddress{trace->hosts[slot.master_slot].id, network.endpoint(slot.master_slot)};
  config.plan.mode = Mode::act;
  config.plan.thresholds = trace->thresholds;
  if (settings.adjust) settings.adjust(index, config);
  return config;
}

void World::State::start_node(std::uint32_t index) {
  Slot& slot = slots[index];
  ++slot.life;
  slot.life_began = now;
  ++slot.stored.incarnation;
  slot.paused = false;
  slot.clock = LocalClock(now, duration_of_seconds(random.between(0, 1e6)), slot.ppm);
  const Config config = config_of(index);
  slot.node.emplace(slot.clock.local(now), config, network.endpoint(index),
                    fleet.migration_uri(index), slot.stored, random.next(),
                    node::MeshAccess{network.feed(index), &signer, settings.fleet});
  slot.leads = slot.node->is_master();
  leases.restarted(index);
  network.node_up(index, slot.life, slot.leads);
  if (settings.log) say(name(index) + " starts, life " + std::to_string(slot.life));
  if (settings.trusts) {
    auto nodes = std::make_shared<std::map<NodeId, bool>>();
    for (std::uint32_t i = 0; i < slots.size(); ++i)
      nodes->emplace(trace->hosts[i].id, settings.trusts(index, i));
    step_node(index, node::TrustLoaded{std::move(nodes)});
  }
  if (!slot.fleet.records.empty()) step_node(index, slot.fleet);
  step_node(index, node::Tick{});
}

void World::State::stop_node(std::uint32_t index, bool at_once) {
  Slot& slot = slots[index];
  if (!slot.node) return;
  if (settings.log) say(name(index) + " dies");
  for (const auto& [what, times] : slot.node->view(slot.clock.local(now)).counters)
    slot.counted[what] += times;
  slot.node.reset();
  slot.held.clear();
  slot.paused = false;
  network.node_down(now, index, at_once);
  if (push_gossip) push_gossip->set_up(now, index, false);
  deadlines.set(index, time_never);
}

void World::State::schedule(std::uint32_t index) {
  const Slot& slot = slots[index];
  const bool acts = slot.node && !slot.paused;
  deadlines.set(index, acts ? slot.clock.world(slot.node->next_deadline()) : time_never);
}

void World::State::step_node(std::uint32_t index, const node::Input& input) {
  Slot& slot = slots[index];
  ++steps;
  apply(index, slot.node->step(slot.clock.local(now), input));
  if (const ledger::Ledger* ledger = slot.node->ledger(); ledger != nullptr && !lies(index))
    leases.look(index, *ledger);
  if (slot.node->is_master() != slot.leads) {
    slot.leads = slot.node->is_master();
    network.node_up(index, slot.life, slot.leads);
  }
  schedule(index);
}

void World::State::apply(std::uint32_t index, node::Effects&& effects) {
  if (effects.save) slots[index].stored = *std::move(effects.save);
  auto& kept = slots[index].fleet.records;
  kept.insert(kept.end(), effects.learned.begin(), effects.learned.end());
  if (settings.log) say_events(index, effects.events);
  for (node::Answer& answer : effects.answers)
    slots[index].answers[answer.ticket] = std::move(answer.reply);
  for (wire::Subscription& wanted : effects.subscriptions)
    network.subscribe(now, index, std::move(wanted));
  speak(index, effects);
  for (const node::Event& event : effects.events) check_event(index, event);
  for (const HypervisorCommand& wanted : effects.commands) command(index, wanted);
}

void World::State::speak(std::uint32_t index, node::Effects& effects) {
  const bool lying = lies(index);
  if (lying) {
    for (wire::Envelope& envelope : effects.sends) liars->bend(index, envelope.message);
    for (wire::Publication& said : effects.publications) liars->bend(index, said.message);
    for (wire::BeaconSend& beacon : effects.beacons) liars->bend(index, beacon);
    if (!effects.sends.empty()) {
      for (wire::Envelope& made_up : liars->invent(index, effects.sends.front().message.header))
        effects.sends.push_back(std::move(made_up));
    }
  }
  for (wire::Envelope& envelope : effects.sends) {
    mix(envelope.message.body.index());
    words.said(index, envelope.message.body, lying);
    network.send(now, index, std::move(envelope));
  }
  for (wire::Publication& said : effects.publications) {
    note_word(index, said.message);
    network.publish(now, index, std::move(said));
  }
  for (wire::BeaconSend& beacon : effects.beacons) network.call(now, index, std::move(beacon));
}

void World::State::note_word(std::uint32_t index, const wire::Message& message) {
  const wire::ItemPtr word = spread.published(now, index, trace->hosts[index].id, message);
  if (!word || !push_gossip) return;
  push_gossip->say(now, index, word->bytes.size() + sizeof(wire::Signature));
  if (spread.follows_word_of(*word)) push_gossip->mark(index);
}

void World::State::command(std::uint32_t index, const HypervisorCommand& command) {
  if (const auto* start = std::get_if<StartMigration>(&command)) {
    ++migrations_started;
    started_in_life[start->vm] = slots[index].life;
    check_start(index, *start);
  }
  step_fleet(hypermodel::HostCommand{index, command});
}

void World::State::step_fleet(const hypermodel::FleetInput& input) {
  for (hypermodel::FleetEvent& event : fleet.step(now, input)) {
    std::uint32_t life = slots[event.host].life;
    // A call returns to the process that made it, or to nobody.
    if (const auto* ended = std::get_if<MigrationEnded>(&event.event)) {
      life = started_in_life[ended->vm];
      if (!ended->ok) ++migrations_failed;
      tries.ended(ended->vm, ended->ok);
    }
    queue.push(now + answer_of_hypervisor, event.host, life,
               std::make_shared<const node::Input>(std::move(event.event)));
  }
  vms.look(fleet.touched());
}

void World::State::arrive(const Arrival& arrival) {
  Slot& slot = slots[arrival.node];
  mix(static_cast<std::uint64_t>(now.time_since_epoch().count()) * 31 + arrival.node);
  if (!slot.node || (arrival.life != 0 && arrival.life != slot.life)) return;
  if (slot.paused) {
    slot.held.push_back(arrival.input);
    return;
  }
  spread.heard(arrival.node, *arrival.input);
  step_node(arrival.node, *arrival.input);
}

void World::State::run_until(TimePoint end) {
  for (;;) {
    const TimePoint next =
        std::min({queue.next(), deadlines.next(), fleet.next_deadline(), network.next_deadline()});
    if (next > end) break;
    now = std::max(now, next);
    if (fleet.next_deadline() <= now) step_fleet(hypermodel::TimePasses{});
    if (network.next_deadline() <= now) network.tick(now);
    while (queue.next() <= now) arrive(queue.pop());
    while (deadlines.next() <= now) step_node(deadlines.first(), node::Tick{});
  }
  now = end;
}

World::World(Settings settings, std::shared_ptr<const Trace> trace)
    : state_(std::make_unique<State>(std::move(settings), std::move(trace))) {
  for (std::uint32_t i = 0; i < state_->slots.size(); ++i) state_->start_node(i);
}
void World::on_moved(std::function<void(VmIndex vm, HostIndex from, HostIndex to)> call) {
  state_->on_moved = std::move(call);
}
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;
World::~World() = default;

void World::run_for(Duration span) {
  BALLAST_ASSERT(span >= Duration(0), "time does not go back");
  state_->run_until(state_->now + span);
}
TimePoint World::now() const { return state_->now; }
Duration World::elapsed() const { return state_->now - state_->origin; }
std::size_t World::nodes() const { return state_->slots.size(); }
const Trace& World::trace() const { return *state_->trace; }
Config World::config(std::size_t node) const {
  return state_->config_of(static_cast<std::uint32_t>(node));
}
bool World::is_master(std::size_t node) const { return state_->slots[node].leads; }
const hypermodel::Fleet& World::fleet() const { return state_->fleet; }
bool World::is_up(std::size_t node) const { return state_->slots[node].node.has_value(); }
bool World::is_paused(std::size_t node) const { return state_->slots[node].paused; }

node::View World::view(std::size_t node) const {
  const State::Slot& slot = state_->slots[node];
  BALLAST_ASSERT(slot.node.has_value(), "a view of a node that is down");
  return slot.node->view(slot.clock.local(state_->now));
}

std::uint64_t World::ask(std::size_t node, const node::Question& question) {
  State::Slot& slot = state_->slots[node];
  BALLAST_ASSERT(slot.node.has_value(), "a question to a node that is down");
  const std::uint64_t ticket = slot.node->ask(slot.clock.local(state_->now), question);
  state_->step_node(static_cast<std::uint32_t>(node), node::Tick{});
  return ticket;
}

void World::load_fleet(std::size_t node, const node::FleetLoaded& loaded) {
  State::Slot& slot = state_->slots[node];
  if (loaded.anew) {
    slot.fleet = loaded;
  } else {
    slot.fleet.records.insert(slot.fleet.records.end(), loaded.records.begin(),
                              loaded.records.end());
  }
  if (slot.node) state_->step_node(static_cast<std::uint32_t>(node), loaded);
}

const node::FleetLoaded& World::fleet_files(std::size_t node) const {
  return state_->slots[node].fleet;
}

std::optional<wire::Reply> World::answer(std::size_t node, std::uint64_t ticket) const {
  const auto& answers = state_->slots[node].answers;
  const auto found = answers.find(ticket);
  return found == answers.end() ? std::nullopt : std::optional(found->second);
}

Status World::demote(std::size_t node) {
  State::Slot& slot = state_->slots[node];
  BALLAST_ASSERT(slot.node.has_value(), "demotion of a node that is down");
  Status status = slot.node->demote(slot.clock.local(state_->now));
  state_->step_node(static_cast<std::uint32_t>(node), node::Tick{});
  return status;
}

Status World::set_balancing(std::size_t node, bool paused) {
  State::Slot& slot = state_->slots[node];
  BALLAST_ASSERT(slot.node.has_value(), "a word to a node that is down");
  Status status = slot.node->pause(slot.clock.local(state_->now), paused);
  state_->step_node(static_cast<std::uint32_t>(node), node::Tick{});
  return status;
}

Status World::approve(std::size_t node, const std::string& plan_id) {
  State::Slot& slot = state_->slots[node];
  BALLAST_ASSERT(slot.node.has_value(), "approval by a node that is down");
  Status status = slot.node->approve(slot.clock.local(state_->now), plan_id);
  state_->step_node(static_cast<std::uint32_t>(node), node::Tick{});
  return status;
}

std::map<std::string, std::uint64_t> World::counters() const {
  std::map<std::string, std::uint64_t> sum;
  for (std::uint32_t i = 0; i < state_->slots.size(); ++i) {
    for (const auto& [what, times] : state_->slots[i].counted) sum[what] += times;
    if (!is_up(i)) continue;
    for (const auto& [what, times] : view(i).counters) sum[what] += times;
  }
  return sum;
}
std::uint64_t World::words() const { return state_->spread.words(); }
void World::watch_news() { state_->spread.watch(); }
bool World::watches_news() const { return state_->spread.watches(); }
std::vector<std::uint32_t> World::State::living_masters() const {
  std::vector<std::uint32_t> masters;
  for (std::uint32_t i = 0; i < slots.size(); ++i)
    if (slots[i].node && slots[i].leads) masters.push_back(i);
  return masters;
}
std::optional<Duration> World::all_know_news() {
  return state_->spread.all_know(state_->now, state_->living_masters());
}
void World::begin_push_gossip() {
  State& s = *state_;
  s.push_gossip.emplace(s.now, s.slots.size(), s.living_masters(), s.settings.seed ^ 0x9055U,
                        [&s](std::uint32_t from, std::uint32_t to) -> std::optional<Duration> {
                          if (s.network.loses(from, to)) return std::nullopt;
                          return s.network.delay(from, to);
                        });
}
std::optional<Duration> World::all_know_by_push() {
  if (!state_->push_gossip) return std::nullopt;
  state_->push_gossip->run_until(state_->now);
  return state_->push_gossip->all_know();
}
PushGossipFigures World::push_gossip() const {
  if (!state_->push_gossip) return {};
  return {state_->push_gossip->bytes_per_node_s(state_->now), state_->push_gossip->lost(),
          state_->push_gossip->follows()};
}
double World::largest_mesh_share() const {
  return state_->network.largest_mesh_share(state_->living_masters());
}
std::map<std::string, double> World::bytes_by_kind() const {
  return state_->network.bytes_by_kind();
}
std::uint64_t World::hash() const { return state_->hash; }
std::uint64_t World::steps() const { return state_->steps; }
std::uint64_t World::messages() const { return state_->network.messages(); }
Traffic World::traffic(std::size_t node) const {
  return state_->network.traffic(static_cast<std::uint32_t>(node));
}
std::uint64_t World::migrations_started() const { return state_->migrations_started; }
std::uint64_t World::migrations_failed() const { return state_->migrations_failed; }

}  // namespace ballast::world
