// A group of nodes under virtual time: real node state machines, the model of hosts and migrations,
// and a network that may lose, double, delay and reorder. Everything follows from the seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/hypermodel/fleet.h"
#include "ballast/node/node.h"

namespace ballast::test {

struct NetworkFaults {
  double loss = 0;
  double doubling = 0;
  Duration delay_min = std::chrono::milliseconds(1);
  Duration delay_max = std::chrono::milliseconds(5);
  // Share of the hypervisors' answers to questions that are lost. That a migration call returned is
  // always heard, by the process that made it.
  double answer_loss = 0;
};

class GroupWorld {
 public:
  // Host 0 leads; the others follow it. `adjust` may change the configuration of each node.
  GroupWorld(
      std::uint64_t seed, std::shared_ptr<const Trace> trace, const hypermodel::Timing& timing,
      const std::function<void(Config&)>& adjust = [](Config&) {});

  NetworkFaults faults;

  // Lets virtual time pass. Every auditor looks after every step.
  void run_for(Duration span);
  TimePoint now() const { return now_; }

  void crash(std::size_t host);    // the node dies; its hypervisor and VMs live on
  void restart(std::size_t host);  // with the small state that it saved
  bool is_up(std::size_t host) const { return nodes_[host].has_value(); }
  void cut(std::size_t host) { cut_[host] = true; }  // no message from or to it
  void heal(std::size_t host) { cut_[host] = false; }
  void fail_migration(const VmId& vm, hypermodel::Phase phase, hypermodel::Failure failure);
  void hypervisor_daemon(std::size_t host, bool up);
  void shut_down(const VmId& vm);  // by its guest
  void suspend(const VmId& vm, bool suspended);
  // From now on each reservation that an honest slave reports must be a lease of its master.
  void demand_leases() { leases_demanded_ = true; }

  // As if it came over the network, proven to be from `from`.
  void inject(std::size_t to, const NodeId& from, const wire::Message& message);
  Status approve(const std::string& plan_id);
  // Its operator changes settings while it runs.
  void reload(std::size_t host, const std::function<void(Config&)>& change);
  // Asks as an operator at that host, and lets time pass until it is answered: a minute at most.
  wire::Reply ask(std::size_t host, const node::Question& question);

  node::View view(std::size_t host) const { return nodes_[host]->view(now_); }
  const hypermodel::Fleet& fleet() const { return fleet_; }
  const Trace& trace() const { return *trace_; }
  std::size_t hosts() const { return nodes_.size(); }
  // The truth now, as a snapshot.
  Snapshot truth() const;

  const std::vector<std::string>& findings() const { return findings_; }
  std::uint64_t migrations_started() const { return migrations_started_; }
  // Migrations started at or before this moment: when the first began.
  TimePoint first_migration() const { return first_migration_; }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t messages() const { return messages_; }
  // A slave that lies: may change what it sends; true when it did.
  std::function<bool(const NodeId& from, wire::Envelope&)> tamper;
  // The messages sent so far that a filter wanted to see, as text.
  std::function<void(const NodeId& from, const wire::Envelope&)> on_send;

 private:
  struct Pending {
    TimePoint at;
    std::uint64_t order = 0;
    std::size_t host = 0;
    std::uint64_t life = 0;  // 0: for whoever lives there then
    node::Input input;
    bool operator>(const Pending& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };

  void step_node(std::size_t host, const node::Input& input);
  void apply(std::size_t host, node::Effects effects);
  void send(std::size_t from, const wire::Envelope& envelope);
  void push(TimePoint at, std::size_t host, std::uint64_t life, node::Input input);
  void step_fleet(const hypermodel::FleetInput& input);
  void audit();
  void audit_words(const std::string& text);
  void audit_reservations(std::size_t from, const wire::Report& report);
  void mix(std::uint64_t word) { hash_ = (hash_ ^ word) * 0x100000001B3U; }

  std::shared_ptr<const Trace> trace_;
  Random random_;
  TimePoint now_;
  hypermodel::Fleet fleet_;
  std::vector<Config> configs_;
  std::vector<node::StoredState> stored_;
  std::vector<std::optional<node::Node>> nodes_;
  std::vector<std::uint64_t> lives_;
  std::vector<bool> cut_;
  std::map<NodeId, std::size_t> index_of_;
  std::map<VmId, std::uint64_t> started_in_life_;
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
  std::uint64_t order_ = 0;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
  std::uint64_t migrations_started_ = 0;
  std::uint64_t messages_ = 0;
  bool leases_demanded_ = false;
  std::set<std::size_t> liars_;  // in this life of theirs
  TimePoint first_migration_ = time_never;
  std::vector<std::string> findings_;
  std::map<std::uint64_t, wire::Reply> answers_;  // by ticket
};

// `loads[h]` lists the CPU shares (of one host) of the VMs that start on host h. Hosts have 10,000
// MHz and 65,536 MiB; each VM holds 2,048 MiB.
std::shared_ptr<const Trace> trace_of(const std::vector<std::vector<double>>& loads);

}  // namespace ballast::test
