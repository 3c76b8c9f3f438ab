// The part of a node that leads a group: takes reports, plans when it is time, and has the plan
// conducted, recommended or laid before somebody, as its mode says. Source: design, section 3.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ballast/ledger/ledger.h"
#include "conductor.h"
#include "drain.h"
#include "group.h"
#include "last_search.h"
#include "outbox.h"
#include "phrases.h"
#include "picture.h"
#include "silent_vms.h"
#include "trade.h"

namespace ballast::node {

class Master {
 public:
  Master(TimePoint now, const Config& config, std::uint64_t incarnation, std::uint64_t seed,
         Outbox& out);

  // `sellers`: masters that may have room, when this one wants_room(). `paused`: nothing new
  // begins.
  void tick(TimePoint now, const std::vector<market::Seller>& sellers, bool paused);
  // Settings have changed, which it looks at when it needs them: what it had reckoned from them is
  // reckoned anew.
  void config_changed(TimePoint now);
  TimePoint next_deadline() const;
  // Something is asked for, is to leave a host that is emptied, or is about to be planned for.
  bool wants_room(TimePoint now) const;
  // A host of the group is to be emptied.
  bool draining() const { return !drains_.empty(); }

  // How the group stands, for other masters.
  wire::Summary summary(TimePoint now) const;
  // Rises when room was given or taken: others should hear of it at once.
  std::uint64_t room_changes() const;
  std::size_t slaves() const;
  // The nodes of its group, its own among them; lost ones are not.
  std::vector<NodeId> nodes() const;
  bool knows(const NodeId& node) const { return group_.find(node) != nullptr; }
  bool has_lost(const HostId& host) const;
  void count_into(std::map<std::string, std::uint64_t>& counters) const;
  const Group& group() const { return group_; }
  Trade& trade() { return trade_; }
  const Trade& trade() const { return trade_; }

  // Messages; `from` is proven.
  void take(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Attach& attach);
  void take(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Report& report);
  void take(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Outcome& outcome);
  void take(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::LeaseState& state);
  void take(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Leave& leave);
  void take(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Alarms& alarms);

  Status approve(TimePoint now, const std::string& plan_id);

  // Whether a member could be emptied now, with that room in other groups: where each VM would go,
  // what would stay and why. Nothing is promised by it.
  struct DrainCheck {
    std::string refusal;      // empty: it can be done
    bool lacks_room = false;  // with the room of more masters it may be another answer
    std::vector<wire::Fact> facts;
    std::size_t at_home = 0;
    std::size_t elsewhere = 0;
    std::size_t silent = 0;  // stay until their hypervisor can say how they are
  };
  DrainCheck check_drain(TimePoint now, const HostId& host,
                         const std::vector<OtherRoom>& others) const;
  // Why nothing moves here at the moment although it is planned; empty when it does.
  std::string why_still(TimePoint now) const;
  // Asks other masters for room, and grants it.
  bool trades() const {
    return config_.plan.mode == Mode::act && config_.market.enabled && !paused_;
  }
  // What such a load needs, and the most that one host of the group gives away now.
  std::string most_room(TimePoint now, const Resources& needed) const;
  // Hosts of the group with room for this load, best first.
  std::vector<wire::Fact> room_for(TimePoint now, const Resources& load) const;
  // What is known of a VM, what was planned for it and what became of that. Empty: nothing.
  std::vector<wire::Fact> why(TimePoint now, const VmId& vm) const;
  // It runs on a host of the group.
  bool has(const VmId& vm) const;

  std::vector<HostView> hosts(TimePoint now) const;  // in order of id
  std::optional<PlanView> plan(TimePoint now) const;
  std::vector<FailureView> failures(TimePoint now) const {
    return conductor_.failures().views(now);
  }
  // A host that is lost leaves the table, as an operator says. The Error says why not.
  Status forget_lost(TimePoint now, const HostId& host);
  // What failed with this VM may be tried again: an operator asks for it.
  std::string retry(TimePoint now, const VmId& vm);
  // The drain of a member is ordered anew: what failed with its VMs may be tried again.
  void drain_anew(TimePoint now, const HostId& host);
  // What is left on a member whose drain can go no further, and why; empty: it goes on.
  std::vector<wire::Fact> left_over(TimePoint now, const HostId& host) const;
  std::vector<MoveView> in_flight() const { return conductor_.in_flight(); }
  std::vector<LeaseView> leases() const;
  const ledger::Ledger& ledger() const { return ledger_; }

 private:
  enum class PlanState : unsigned char { recommended, needs_approval, running, done, abandoned };
  struct MadePlan {
    std::string id;
    TimePoint made_at;
    PlanState state = PlanState::recommended;
    std::vector<PlannedMove> moves;
    std::vector<SurplusView> surplus;
    double overload_before = 0;
    double overload_after = 0;
    std::size_t overloaded_before = 0;
    std::size_t overloaded_after = 0;
    std::size_t lower_bound = 0;
    std::set<HostId> drains;  // the hosts that were to be emptied
  };

  std::string state_in_words() const;  // of the last plan
  bool known_epoch(TimePoint now, const NodeId& from, const Epoch& epoch);
  void plan_soon(TimePoint now);
  void plan_if_due(TimePoint now, const std::vector<market::Seller>& sellers);
  bool plan_relieves_all() const;
  bool nothing_to_search(TimePoint now, const std::vector<market::Seller>& sellers);
  bool is_over(const Member& member) const {
    return member.report.over_samples >= config_.plan.dwell;
  }
  // It is over, and will likely be no more before a copy is done.
  bool is_waited_for(const Member& member) const {
    return member.passes(config_.plan.patience, copy_mib_s(config_));
  }
  bool held_back(TimePoint now) const { return paused_ || now < quiet_until_; }
  bool is_unrelieved() const;
  Picture picture(TimePoint now) const;
  std::vector<OtherRoom> others_for_drains(const std::vector<market::Seller>& sellers) const;
  std::string why_not_searched(TimePoint now) const;
  bool gather(TimePoint now);
  std::map<VmId, std::vector<HostId>> not_to(TimePoint now) const;
  // `wanting`: VMs that other groups may take.
  MadePlan make_plan(TimePoint now, const std::vector<market::Seller>& sellers,
                     std::vector<SurplusVm>& wanting);
  plan::Options planner_options() const;
  void watch_drain(TimePoint now, const Member& member);
  void watch_figures(TimePoint now, const Member& member, const std::string& distrust_before);
  void watch_facts(TimePoint now, const Member& member, const wire::HostFacts& before);
  void end_stuck_drains(TimePoint now);
  std::string why_left(TimePoint now, const Member& member, const VmId& vm) const;
  bool may_still_leave(TimePoint now, const Member& member, const std::set<VmId>& surplus) const;
  bool is_stuck(const HostId& host) const;
  std::string drain_in_words(const Member& member) const;
  void woke(TimePoint now, Duration slept);
  void let_go(const HostId& host);
  const Member* find_also_gone(const HostId& host) const;
  std::set<VmId> left_by_drains(TimePoint now, const std::vector<OtherRoom>& others) const;
  void tell_of_plan(TimePoint now, const MadePlan& plan);
  void tell_of_the_gone(TimePoint now, const VmId& vm, std::vector<wire::Fact>& facts) const;
  std::map<VmIndex, double> sent_elsewhere(TimePoint now, const Snapshot& snapshot,
                                           const Plan& made,
                                           const std::vector<market::Seller>& sellers) const;
  void take_declined(TimePoint now);
  const Member* home_of(const VmId& vm) const;
  HostView view_of(TimePoint now, const Member& member) const;
  std::string why_it_stays(const HostId& host, const VmId& vm) const;
  void tell_state(TimePoint now, const Member& home, const VmId& vm,
                  std::vector<wire::Fact>& facts) const;
  void tell_prospect(TimePoint now, const Member& home, const VmId& vm,
                     std::vector<wire::Fact>& facts) const;

  using Doubled = std::map<VmId, std::pair<HostId, HostId>>;
  void tell_of_doubled(TimePoint now, const Doubled& doubled);
  void decide(TimePoint now, MadePlan plan);
  void close_finished_plan(TimePoint now);

  const Config& config_;  // of the node: some of it changes while it runs
  std::uint64_t incarnation_;
  Outbox& out_;
  ledger::Ledger ledger_;
  Group group_;
  Conductor conductor_;
  Trade trade_;
  bool paused_ = false;
  TimePoint due_ = time_never;  // when tick() was to be called
  TimePoint quiet_until_;
  TimePoint next_plan_;
  TimePoint last_plan_;
  LastSearch search_;
  TimePoint searched_at_;           // when search_ was last answered by a search, not from memory
  TimePoint looked_at_;             // when it was last looked whether something has changed
  bool spared_ = false;             // since then a search was not made, as nothing had changed
  bool was_held_back_ = false;      // when the last plan was decided on
  std::vector<SurplusVm> wanting_;  // that the last plan left, if it was to be acted upon
  std::map<VmId, TimePoint> at_home_until_;  // VMs that no other group has a cooler host for
  Mode decided_in_ = Mode::recommend;        // the last plan
  bool were_declined_ = false;               // ... since the last plan
  std::optional<TimePoint> asked_at_;        // for fresh reports
  std::uint64_t plans_made_ = 0;
  Doubled doubled_before_;  // in the last plan: see tell_of_doubled()
  std::optional<MadePlan> plan_;
  std::set<HostId> drains_;   // members in maintenance
  std::set<HostId> emptied_;  // ... of which that has been said
  // Nothing moves any more on a member in maintenance, and VMs are left: since when, and of which
  // that was said.
  struct Stuck {
    TimePoint since;
    std::set<VmId> told;
  };
  std::map<HostId, Stuck> stuck_;
  std::map<HostId, SilentVms> silent_;
};

// The host that is the cooler once the load is there; at home where that is equal.
bool better_place(const wire::Fact& a, const wire::Fact& b);
// The room that other masters tell of by gossip.
std::vector<OtherRoom> rooms_of(const std::vector<market::Seller>& sellers);

}  // namespace ballast::node
