// What a world consists of, for the files that work on it: world.cpp (time, nodes, what they do),
// world_faults.cpp (what is done to them), world_audit.cpp (what is looked at).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/world/world.h"
#include "clock.h"
#include "lease_auditor.h"
#include "liars.h"
#include "network.h"
#include "push_gossip.h"
#include "queue.h"
#include "spread.h"
#include "try_auditor.h"
#include "vm_auditor.h"
#include "word_auditor.h"

namespace ballast::world {

struct World::State {
  State(Settings settings, std::shared_ptr<const Trace> trace);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() = default;

  // One node, whether it is up or not.
  struct Slot {
    std::optional<node::Node> node;
    node::StoredState stored;
    node::FleetLoaded fleet;  // its files
    LocalClock clock;
    int ppm = 0;
    std::uint32_t life = 0;
    TimePoint life_began;
    std::uint32_t master_slot = 0;  // first host of its group
    bool leads = false;
    bool paused = false;
    std::map<std::uint64_t, wire::Reply> answers;  // to operators, by ticket
    std::vector<InputPtr> held;                    // what came while it was paused
    std::map<std::string, std::uint64_t> counted;  // by its lives that have ended
  };

  // Nobody forges anything in a world: what is signed is not its business.
  class NoSigner final : public wire::Signer {
   public:
    wire::Signature sign(std::string_view) const override { return {}; }
    bool verify(const NodeId&, std::string_view, const wire::Signature&) const override {
      return true;
    }
  };

  // world.cpp
  void run_until(TimePoint end);
  void step_node(std::uint32_t index, const node::Input& input);
  void apply(std::uint32_t index, node::Effects&& effects);
  bool lies(std::uint32_t index) const { return liars && liars->lies(index); }
  void speak(std::uint32_t index, node::Effects& effects);
  void note_word(std::uint32_t index, const wire::Message& message);
  std::vector<std::uint32_t> living_masters() const;
  void command(std::uint32_t index, const HypervisorCommand& command);
  void step_fleet(const hypermodel::FleetInput& input);
  void schedule(std::uint32_t index);
  void arrive(const Arrival& arrival);
  Config config_of(std::uint32_t index) const;
  void start_node(std::uint32_t index);
  void stop_node(std::uint32_t index, bool at_once);
  void mix(std::uint64_t word) { hash = (hash ^ word) * 0x100000001B3U; }

  // world_audit.cpp
  void complain(const std::string& auditor, const std::string& detail);
  void moved(VmIndex vm, HostIndex from, HostIndex to);
  bool is_detour(const VmId& vm, const HostId& over) const;
  void check_start(std::uint32_t index, const StartMigration& start);
  void check_event(std::uint32_t index, const node::Event& event);
  void say(const std::string& line) const;
  void say_events(std::uint32_t index, const std::vector<node::Event>& events) const;
  std::string name(std::uint32_t index) const;

  const Settings settings;
  const std::shared_ptr<const Trace> trace;
  const TimePoint origin;
  TimePoint now;
  Random random;
  hypermodel::Fleet fleet;
  Network network;
  ArrivalQueue queue;
  Deadlines deadlines;
  NoSigner signer;
  std::vector<Slot> slots;
  std::unordered_map<VmId, std::uint32_t> started_in_life;     // looked up, never walked
  std::unordered_map<std::string, std::uint32_t> node_of_uri;  // the same
  std::unordered_map<NodeId, std::uint32_t> node_of_id;        // the same
  // When a VM arrived last, and in which life the node there said that it may come.
  struct ArrivedAt {
    TimePoint at;
    std::uint32_t life = 0;      // 0: it is where it began
    std::uint32_t promised = 0;  // of the next move: the life of the node that it goes to
    bool detour = false;         // it goes on by the same plan, which opened a cycle through here
  };
  std::vector<ArrivedAt> arrived;
  std::vector<Finding> findings;
  std::function<void(VmIndex, HostIndex, HostIndex)> on_moved;
  std::uint64_t hash = 0xCBF29CE484222325U;
  std::uint64_t steps = 0;
  std::uint64_t migrations_started = 0;
  std::uint64_t migrations_failed = 0;
  VmAuditor vms;
  LeaseAuditor leases;
  WordAuditor words;
  TryAuditor tries;
  Spread spread;
  std::optional<PushGossip> push_gossip;
  std::optional<Liars> liars;
};

}  // namespace ballast::world
