// A node: the state machine behind `ballast run`. It holds the VMs of its host and reports them,
// and if it is a master, plans for its group and conducts the plan.
//
// The caller's duties:
//   1. Hand in whatever happened, with a time that never runs backwards, and call step() again no
//      later than next_deadline() with a Tick.
//   2. Carry out every effect: save first (mere rests within a second), then send and command. A
//      message may get lost, a command may never be answered; nothing else may be left out.
//   3. Before the first step, count the incarnation up and save it: two lives never share one.
//   4. Deliver only what the transport has proven: `from` holds its key, and what only masters may
//      say comes from a node that is trusted as one.
// Pure: no clock, no socket, no thread, no randomness but the seed. Source: design, section 2.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/ledger/ledger.h"
#include "ballast/model/config.h"
#include "ballast/model/hypervisor.h"
#include "ballast/node/view.h"
#include "ballast/wire/beacon.h"
#include "ballast/wire/envelope.h"

namespace ballast::node {

// The little that survives a restart. What the hypervisors know is never stored.
struct StoredState {
  std::uint64_t incarnation = 0;
  bool maintenance = false;
  bool demoted = false;  // by an operator: it does not lead until he promotes it
  struct Rest {
    VmId vm;
    Duration remaining{0};
    bool operator==(const Rest&) const = default;
  };
  PeerAddress master;       // of its host, where that is another node: told when it leaves it
  std::vector<Rest> rests;  // VMs that moved lately
  // What a VM had at its source and its hypervisor forgets by migrating: to be given back to it
  // when it runs here, also by a later life.
  struct Kept {
    VmId vm;
    bool autostart = false;
    bool operator==(const Kept&) const = default;
  };
  std::vector<Kept> kept;
  bool operator==(const StoredState&) const = default;
};

// What an operator asks, and the answer to it. Source: design, sections 7 and 8.
struct Question {
  wire::Subject subject = wire::Subject::events;
  HostId host;        // of drain, undrain, promote and forget
  VmId vm;            // of why and retry
  Resources load;     // of best_host
  bool here = false;  // of events: of this node, not of its master
};
struct Answer {
  std::uint64_t ticket = 0;
  wire::Reply reply;
};

struct Tick {};
// What the trust file says now: each node whose key it holds, and whether that may be a master's.
// Without one (null) everybody is believed.
struct TrustLoaded {
  std::shared_ptr<const std::map<NodeId, bool>> nodes;
  bool by_certificate = false;  // of this node itself: the fleet's key says who may lead
};
// What the process that runs the node has to tell people of itself: a file that cannot be read or
// written, or that it can again.
struct SelfAlarm {
  bool over = false;
  std::string text;
};
// What this node's files say of the fleet: all of it once (`anew`, and again should it belong to
// another fleet), later what has come to it there. Nothing is handed in where keys are trusted by
// hand alone.
struct FleetLoaded {
  bool anew = true;  // what was known before is forgotten
  wire::PublicKey fleet_key{};
  std::uint32_t generation = 1;             // of that key
  std::vector<wire::FleetRecordPtr> chain;  // the keys before it
  std::vector<wire::FleetRecordPtr> records;
};
// The configuration was read anew: it differs from the one before in nothing but [plan], [market],
// how much is migrated at a time, and this host's thresholds (files::change_of).
struct ConfigLoaded {
  Config config;
};
using Input = std::variant<Tick, HypervisorEvent, wire::TransportEvent, wire::BeaconHeard,
                           TrustLoaded, SelfAlarm, FleetLoaded, ConfigLoaded>;

struct Effects {
  std::optional<StoredState> save;
  std::vector<wire::Envelope> sends;
  std::vector<wire::Publication> publications;
  std::vector<wire::Subscription> subscriptions;
  std::vector<wire::BeaconSend> beacons;
  std::vector<HypervisorCommand> commands;
  std::vector<Event> events;  // for the log; the last ones are also in view()
  std::vector<Answer> answers;
  std::vector<wire::FleetRecordPtr> learned;  // of others: to be kept, and trusted
};

// What a node needs to speak with other masters. Without a signer it has no mesh: its group is on
// its own.
struct MeshAccess {
  std::string feed;                      // where others subscribe to this node
  const wire::Signer* signer = nullptr;  // must outlive the node
  // Looks at what the fleet's key has signed; must outlive the node. Without one, no certificate
  // counts.
  const wire::FleetVerifier* fleet = nullptr;
};

class Node {
 public:
  // `endpoint` is where other nodes reach this one. A node whose role is master leads a group; any
  // other follows config.node.master, or looks for a master by beacon. One whose role is auto leads
  // when none answers.
  Node(TimePoint now, const Config& config, const std::string& endpoint,
       const std::string& migration_uri, const StoredState& stored, std::uint64_t seed,
       const MeshAccess& access = {});
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;
  ~Node();

  Effects step(TimePoint now, const Input& input);
  TimePoint next_deadline() const;

  // Approves the plan that waits for it (modes `approve`, or `auto` above max_moves). Every
  // migration is checked again when its turn comes. The Error says why not. A step() with a Tick
  // must follow at once: it carries the effects.
  Status approve(TimePoint now, const std::string& plan_id);

  // Gives its slaves to other masters and becomes a slave, which it stays, over restarts too, until
  // an operator promotes it (`ballast demote`). The Error says why not. A step() with a Tick must
  // follow at once, as for pause.
  Status demote(TimePoint now);
  // Stops or resumes all balancing of the fleet (masters only: the word spreads by gossip).
  Status pause(TimePoint now, bool paused);

  // Takes a question of an operator, whatever this node is: what it cannot answer it passes on. The
  // answer is an effect of this step or a later one, within half a minute, and names this ticket. A
  // step() with a Tick must follow at once.
  std::uint64_t ask(TimePoint now, const Question& question);

  // How everything stands, for people.
  View view(TimePoint now) const;
  const NodeId& id() const;
  bool is_master() const;
  // For auditors: what a master has promised; null for a slave.
  const ledger::Ledger* ledger() const;
  // For auditors: the room on its own host that it honours.
  std::vector<LeaseView> honoured() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ballast::node
