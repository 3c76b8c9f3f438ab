// The part of a node that holds VMs: samples and reports them, migrates them away when its master
// orders it, and takes in those for which its master promised room. Source: design, section 3.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attachment.h"
#include "ballast/migrate/incoming.h"
#include "ballast/migrate/outgoing.h"
#include "outbox.h"
#include "sampler.h"

namespace ballast::node {

class Holder {
 public:
  Holder(TimePoint now, const Config& config, std::string endpoint, std::string migration_uri,
         const StoredState& stored, std::uint64_t seed, Outbox& out);

  void tick(TimePoint now);
  TimePoint next_deadline() const;

  // Belongs to this master from now on: the old one is told, its promises that nobody has begun are
  // void, what has begun is told to the new one.
  void set_master(TimePoint now, const PeerAddress& master);

  void take(TimePoint now, const HypervisorEvent& event);
  void link_down(TimePoint now, const NodeId& peer);

  // Messages; `from` is proven.
  void take(TimePoint now, const NodeId& from, const wire::AttachAnswer& answer);
  void take(TimePoint now, const NodeId& from, const wire::ReportAck& ack);
  void take(TimePoint now, const NodeId& from, const wire::LeaveAck& ack);
  void take(TimePoint now, const NodeId& from, const wire::ReportAsk& ask);
  void take(TimePoint now, const NodeId& from, const wire::Paused& word);
  void take(TimePoint now, const NodeId& from, const wire::Drain& drain);
  void take(TimePoint now, const NodeId& from, const wire::Order& order);
  void take(TimePoint now, const NodeId& from, const wire::OutcomeAck& ack);
  void take(TimePoint now, const NodeId& from, const wire::LeaseTell& tell);
  void take(TimePoint now, const NodeId& from, const wire::LeaseRevoke& revoke);
  void take(TimePoint now, const NodeId& from, const wire::LeaseStateAck& ack);
  void take(TimePoint now, const NodeId& from, const wire::Begin& begin);
  void take(TimePoint now, const NodeId& from, const wire::BeginAnswer& answer);
  void take(TimePoint now, const NodeId& from, const wire::Settle& settle);
  void take(TimePoint now, const NodeId& from, const wire::SettleAnswer& answer);

  const Attachment& attachment() const { return attachment_; }
  const Sampler& sampler() const { return sampler_; }
  wire::HostReport report(TimePoint now) const;
  wire::HostFacts facts() const;
  std::vector<MoveView> jobs() const;
  // Its master says that the balancing of the fleet is paused.
  bool is_told_of_pause(TimePoint now) const {
    return attachment_.attached() && now < paused_until_;
  }
  // Its own host, for people.
  HostView view(TimePoint now) const;
  std::vector<LeaseView> leases() const;
  StoredState stored(TimePoint now) const;

  // This host is to be emptied, or takes VMs again; lasts over restarts.
  void set_maintenance(TimePoint now, bool maintenance, const std::string& why);
  bool maintenance() const { return maintenance_; }
  // By an operator; it lasts over restarts.
  void set_demoted(TimePoint now, bool demoted);
  // Whether it may be made a master, as its own node knows.
  void set_may_lead(TimePoint now, bool may_lead);

 private:
  // What a VM had at its source is remembered so long if it does not come: longer than any copy.
  static constexpr Duration kept_for = std::chrono::hours(2);

  struct Job {
    migrate::Outgoing machine;
    NodeId target;
    std::string target_endpoint;
    Resources load;
    std::string why;
    bool autostart = false;
  };
  // News for the master that is repeated until it says that it heard.
  struct Untold {
    wire::Body body;
    TimePoint next;
  };
  // A master that has yet to hear that we left it.
  struct Left {
    PeerAddress master;
    Epoch epoch;
    TimePoint next;
    TimePoint until;
  };
  struct Arrival {
    migrate::Incoming machine;
    NodeId asked_by;  // who waits for a SettleAnswer; empty: nobody
    std::string paused_why{};
    Resources swing{};  // as its source tells
  };

  // Somebody asks about a lease that this life does not know: what is here counts.
  struct Question {
    NodeId from;
    LeaseId lease;
    VmId vm;
    bool grantor = false;   // else the holder of the VM
    bool departed = false;  // the VM's source has it no more
  };

  void ask_hypervisor(const Question& question);
  void answer_questions(const VmQueried& says);
  void report_if_due(TimePoint now);
  void tell_master(TimePoint now, const LeaseId& lease, wire::Body body);
  void to_master(wire::Body body);
  void on_event(TimePoint now, const HostSampled& event);
  void on_event(TimePoint now, const SampleFailed& event);
  void on_event(TimePoint now, const VmQueried& event);
  void on_event(TimePoint now, const MigrationEnded& event);
  std::optional<std::string> why_not(const NodeId& from, const wire::Order& order) const;
  std::optional<std::string> why_not(TimePoint now, const NodeId& from,
                                     const wire::Begin& begin) const;
  std::size_t arriving_without_lease() const;
  bool from_master(const NodeId& from) const;
  void step_job(TimePoint now, const LeaseId& lease, const migrate::OutgoingInput& input);
  void carry_out(TimePoint now, Job& job, const migrate::OutgoingAction& action);
  void told_outcome(TimePoint now, const Job& job, const migrate::Tell& tell);
  void arrival_heard(TimePoint now, const VmQueried& says);
  void keep(TimePoint now, const wire::Begin& begin);
  void give_back_what_was_kept(TimePoint now);
  void arrival_ended(TimePoint now, const Arrival& arrival);
  void detached(TimePoint now);
  void remember_master(TimePoint now);
  void tell_left(TimePoint now);
  void say(TimePoint now, EventKind kind, const VmId& vm, const HostId& host,
           const std::string& text);
  bool has_ended(const LeaseId& lease) const;
  void remember_ended(const LeaseId& lease);

  Outbox& out_;
  const Config& config_;  // of the node: some of it changes while it runs
  std::string endpoint_;
  std::string migration_uri_;
  std::uint64_t incarnation_;
  TimePoint started_;
  bool maintenance_;
  bool demoted_;
  PeerAddress master_;        // as it is stored
  bool master_told_ = false;  // that of the past life was looked at
  TimePoint paused_until_;    // as its master says, which says so again and again
  bool may_lead_ = true;
  bool asked_ = false;  // for a report of what is seen now
  Sampler sampler_;
  Attachment attachment_;
  std::optional<wire::HostFacts> facts_told_;             // that the master has acknowledged
  std::pair<std::uint64_t, wire::HostFacts> facts_sent_;  // with the report of this number
  std::map<LeaseId, Job> jobs_;
  std::map<LeaseId, Arrival> arrivals_;
  std::map<LeaseId, Untold> untold_;
  std::vector<Question> questions_;
  std::vector<Left> left_;
  std::vector<StoredState::Kept> kept_;   // to be given back to VMs that come, or have come
  std::map<VmId, TimePoint> kept_until_;  // if they do not come
  std::deque<LeaseId> ended_;  // the last leases that ended here: a late order finds them
};

}  // namespace ballast::node
