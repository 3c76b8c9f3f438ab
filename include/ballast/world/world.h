// A world: the same nodes that run in the daemon, by the thousand, in one thread under virtual
// time, over a simulated network and the model of hosts and migrations. Everything follows from the
// seed: the same settings and trace give the same hash.
//
// Auditors look after every step. A finding is kept, never thrown: the world goes on, so that what
// follows from it can be seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/hypermodel/fleet.h"
#include "ballast/model/config.h"
#include "ballast/model/snapshot.h"
#include "ballast/model/trace.h"
#include "ballast/node/node.h"
#include "ballast/world/finding.h"
#include "ballast/world/network.h"

namespace ballast::world {

struct Settings {
  std::uint64_t seed = 1;
  hypermodel::Timing timing;
  NetworkSettings network;
  // Every message is encoded and decoded on its way, and must come out as it went in.
  bool through_bytes = false;
  // The first host of each group leads it; the others follow. This may change any setting of a
  // node but its id, before the node begins.
  std::function<void(std::size_t node, Config& config)> adjust;
  // Whether the trust file of node `at` holds the key of node `about` as a master's. Without: all
  // do.
  std::function<bool(std::size_t at, std::size_t about)> trusts;
  // Looks at what a fleet's key has signed; must outlive the world. See load_fleet().
  const wire::FleetVerifier* fleet = nullptr;
  // A line for a person whenever something happens. Costs time: for replaying one seed.
  std::function<void(const std::string& line)> log;
};

// Of one node, between masters only.
struct Traffic {
  double in_bytes = 0;
  double out_bytes = 0;
  std::uint32_t connections = 0;  // TCP, open now: both directions, links and feeds
  std::uint32_t connections_max = 0;
  std::uint32_t feeds = 0;  // masters it is subscribed to now
  std::uint32_t feeds_max = 0;
};

// What the push gossip beside our mesh has done so far.
struct PushGossipFigures {
  double bytes_per_node_s = 0;  // sent by one node
  std::uint64_t lost = 0;       // words that were followed and never known by all
  bool follows = false;         // a word, now
};

class World {
 public:
  // Hosts are the trace's; node i runs on host i. At least one host.
  World(Settings settings, std::shared_ptr<const Trace> trace);
  World(World&&) noexcept;
  World& operator=(World&&) noexcept;
  ~World();

  void run_for(Duration span);
  TimePoint now() const;
  Duration elapsed() const;  // virtual time since it began

  std::size_t nodes() const;
  const Trace& trace() const;
  Config config(std::size_t node) const;
  // Leads a group now, or would if it were up.
  bool is_master(std::size_t node) const;
  const hypermodel::Fleet& fleet() const;

  // --- nodes ---
  bool is_up(std::size_t node) const;
  void crash(std::size_t node);  // the process dies; its hypervisor and VMs live on
  // With or without the small state that it saved.
  void restart(std::size_t node, bool with_state = true);
  // A process that stands still: what comes in waits. Others notice it as they notice silence.
  void pause(std::size_t node);
  void resume(std::size_t node);
  bool is_paused(std::size_t node) const;
  // From now on its clock runs that much too fast (parts per million; negative: too slow), at most
  // 100,000 either way.
  void drift(std::size_t node, int ppm);
  node::View view(std::size_t node) const;  // it must be up
  Status approve(std::size_t node, const std::string& plan_id);
  Status demote(std::size_t node);
  // Pauses or resumes the balancing of the fleet, as an operator at this node.
  Status set_balancing(std::size_t node, bool paused);
  // Asks as an operator at this node; the ticket names the answer, which comes as time passes.
  std::uint64_t ask(std::size_t node, const node::Question& question);
  std::optional<wire::Reply> answer(std::size_t node, std::uint64_t ticket) const;

  // What the files of this node say of the fleet, from now on and over restarts with state; what it
  // learns is added to them.
  void load_fleet(std::size_t node, const node::FleetLoaded& loaded);
  const node::FleetLoaded& fleet_files(std::size_t node) const;

  // From now on it lies in what it says, about things drawn from the seed; its hypervisor is told
  // the truth. The promises are then looked after on the hosts of the others.
  void make_liar(std::size_t node);
  bool is_liar(std::size_t node) const;

  // --- network ---
  void set_faults(const MessageFaults& faults);
  // Nodes on different sides do not hear each other. All begin on side 0.
  void set_side(std::size_t node, std::uint32_t side);
  void block(std::size_t from, std::size_t to);  // one way
  void unblock(std::size_t from, std::size_t to);
  void unblock_all();  // and all on side 0
  // What `from` sends to `to` waits until then, and comes all at once.
  void clog(std::size_t from, std::size_t to, TimePoint until);

  // --- hypervisors ---
  void tell_fleet(const hypermodel::FleetInput& input);
  void lose_host(std::size_t node);    // the node too
  void return_host(std::size_t node);  // empty, with its node

  // --- what came of it ---
  // Looks at everything once more; the auditors of single steps see only what a step touches.
  void audit_all();
  const std::vector<Finding>& findings() const;  // at most 100
  void report(const std::string& auditor, const std::string& detail);
  std::uint64_t hash() const;
  std::uint64_t steps() const;     // of nodes
  std::uint64_t messages() const;  // sent, each copy of a publication counted
  Traffic traffic(std::size_t node) const;
  // What nodes have counted, all of them and all their lives together.
  std::map<std::string, std::uint64_t> counters() const;
  // Summaries that masters have published so far.
  std::uint64_t words() const;
  // Follows the next fresh word that any master publishes about its group, until all_know_news()
  // says how long it took until each master that lives had it.
  void watch_news();
  bool watches_news() const;
  std::optional<Duration> all_know_news();
  // From now on memberlist's push gossip carries the same words over the same network, beside our
  // mesh; what is followed is the same as for all_know_news().
  void begin_push_gossip();
  std::optional<Duration> all_know_by_push();
  PushGossipFigures push_gossip() const;
  // Of the masters that live, the share in the largest part that hangs together by feeds which both
  // ends hear.
  double largest_mesh_share() const;
  // Sent between masters since the beginning, by the kind of message; datagrams are "beacon".
  std::map<std::string, double> bytes_by_kind() const;
  // Fleet as it is now, whatever any node believes; hosts and VMs in the order of the trace. VMs
  // that died with their host are left out.
  Snapshot truth() const;
  // Migrations that hypervisors were told to start, and how they ended.
  std::uint64_t migrations_started() const;
  std::uint64_t migrations_failed() const;
  // To be called whenever a VM has come to run on another host.
  void on_moved(std::function<void(VmIndex vm, HostIndex from, HostIndex to)> call);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ballast::world
