// A master's dealings with other masters: asks them for room, grants them room, and agrees with
// them on each migration before it begins. Wires market, exchange, ledger and conductor together.
//
// A migration to another group, on the asker's side:
//   asked -> granted -> [room for what comes back is promised and told] -> proposed -> agreed
//   -> conducted as one of ours -> ended; what did not come about is released
// and of the VM that goes back in a swap, on the grantor's side, the same from `proposed` on, once
// the asker has named the lease for it. The first of a swap moves; the second is proposed when it
// has arrived. Source: design, sections 3, 5 (swap) and 6.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ballast/exchange/judge.h"
#include "ballast/exchange/proposals.h"
#include "ballast/ledger/ledger.h"
#include "ballast/market/asker.h"
#include "ballast/market/grantor.h"
#include "conductor.h"
#include "group.h"
#include "outbox.h"

namespace ballast::node {

// A VM that the local plan had no place for.
struct SurplusVm {
  VmId vm;
  HostId host;
  double heat_max = 0;  // above 0: it has a place, and shall only go to a host this cool
};

class Trade {
 public:
  Trade(const Config& config, std::uint64_t incarnation, std::uint64_t seed, Group& group,
        ledger::Ledger& ledger, Conductor& conductor, Outbox& out);
  void config_changed();

  // What the last plan left over; replaces what was asked for before, at the next tick.
  void need(std::vector<SurplusVm> surplus) { surplus_ = std::move(surplus); }
  // `quiet`: nothing is asked for and nothing granted.
  // ... until then, where that is known; else time_never.
  void tick(TimePoint now, const std::vector<market::Seller>& sellers, bool quiet,
            TimePoint quiet_until);
  TimePoint next_deadline() const;

  bool wants_room() const { return asker_.wants_anything(); }
  // VMs that are granted or pledged to other groups: they count as gone in plans.
  std::set<VmId> leaving() const;
  // VMs that two hosts say to run: which of the two is to be asked for it nobody knows for certain.
  void leave_alone(const std::map<VmId, std::pair<HostId, HostId>>& doubled) { doubled_ = doubled; }
  // How a VM stands that goes to another group, in words; empty: it does not.
  std::string stage_of(const VmId& vm) const;
  // Another master is being asked for room for it, or is about to be.
  bool asks_for(const VmId& vm) const { return asker_.is_asking_for(vm); }
  // Why a VM without a place is not asked for at the moment, in words; empty: it is, or may be.
  std::string pause_of(TimePoint now, const VmId& vm) const;
  // VMs that had a place at home as well and found none elsewhere: they shall go there now.
  std::set<VmId> take_declined();
  // Room that is given away now, by host; with signs, so that a swap can be counted.
  std::vector<market::Hole> holes(TimePoint now) const;
  const market::AskerCounters& asked() const { return asker_.counters(); }
  const market::GrantorCounters& served() const { return grantor_.counters(); }
  // Agreed migrations to other groups, for the summary.
  std::vector<wire::Announced> announced() const;

  // Messages of other masters, and of our slaves; `from` is proven.
  void take(TimePoint now, const NodeId& from, const wire::Request& request);
  void take(TimePoint now, const NodeId& from, const wire::RequestAnswer& answer);
  void take(TimePoint now, const NodeId& from, const wire::Release& release);
  void take(TimePoint now, const NodeId& from, const wire::ReleaseAck& ack);
  void take(TimePoint now, const NodeId& from, const wire::SwapBack& back);
  void take(TimePoint now, const NodeId& from, const wire::SwapOver& over);
  void take(TimePoint now, const NodeId& from, const wire::SwapOverAck& ack);
  void take(TimePoint now, const NodeId& from, const wire::Proposal& proposal);
  void take(TimePoint now, const NodeId& from, const wire::Verdict& verdict);
  void heard(const NodeId& from, const wire::LeaseState& state);
  void link_down(TimePoint now, const NodeId& peer) { asker_.lost(now, peer); }

  // Masters for whose half of a swap room is kept.
  std::set<NodeId> awaited() const;
  // This one is gone: its half is not waited for any more, unless that is on its way. Nothing comes
  // of it if that is not true: the master hears that the swap is over.
  void lost(TimePoint now, const NodeId& master);

 private:
  struct Party {
    NodeId master;
    std::string endpoint;
  };
  // A VM of ours that goes to another group, under a lease of its master.
  enum class Stage : unsigned char { pledged, telling, waiting_for_other, proposed, moving };
  struct Outbound {
    VmId vm;
    HostId from;
    HostId to;
    std::string to_endpoint;
    std::string to_hypervisor;
    Resources load;
    double heat = 0;
    bool drain = false;
    bool may_stay = false;  // in its group: there is a place
    Party with;
    Stage stage = Stage::proposed;
    TimePoint since;
    exchange::Rank rank;
    // Of a swap: the lease of ours for the VM that comes the other way, which moves `other_first`.
    std::optional<LeaseId> other;
    bool other_first = false;
    VmId other_vm;
  };
  // A lease of ours whose target is told of it until it says that it knows.
  struct Telling {
    TimePoint next;
    bool told = false;
    std::string from_endpoint;
    NodeId swap_with;  // the master of the VM that comes, when another one goes; else empty
  };
  // News that is repeated until it is acknowledged.
  struct Note {
    Party to;
    wire::Body body;
    TimePoint next;
    TimePoint until;
  };

  wire::Want want_of(TimePoint now, const SurplusVm& surplus, const Member& member,
                     const wire::VmReport& vm) const;
  void need_what_is_new(TimePoint now, const std::vector<market::Seller>& sellers);
  static bool fits_somewhere(const Resources& load, const std::vector<market::Seller>& sellers);
  const wire::VmReport* substitute(TimePoint now, const Member& member,
                                   const std::vector<market::Seller>& sellers) const;
  bool may_leave(TimePoint now, const wire::VmReport& vm) const;
  void granted(TimePoint now, const market::Asker::Granted& grant);
  void pledge(TimePoint now, const wire::Grant& grant, const NodeId& asker, const HostId& back_to);
  std::vector<market::Exchangeable> exchangeable(TimePoint now) const;
  void propose(TimePoint now, const LeaseId& lease, Outbound& outbound);
  std::vector<exchange::Concerned> concerned(const Outbound& outbound) const;
  void note_previous(TimePoint now, const std::vector<market::Seller>& sellers);
  void settled(TimePoint now, const exchange::Proposals::Settled& settled);
  void ended(TimePoint now, const ForeignEnd& end);
  void step(TimePoint now, const LeaseId& lease, Outbound& outbound);
  void give_up(TimePoint now, const LeaseId& lease, const std::string& why);
  void end_drains(TimePoint now);
  void release(TimePoint now, const Party& to, const LeaseId& lease);
  void note(TimePoint now, const LeaseId& lease, const Party& to, wire::Body body);
  void tell(TimePoint now, const LeaseId& lease, Telling& telling);
  bool arrived(const VmId& vm, const HostId& host) const;
  static double overload_of(const Member& member);
  exchange::Own own_of(TimePoint now) const;

  const Config& config_;  // of the node: some of it changes while it runs
  Group& group_;
  ledger::Ledger& ledger_;
  Conductor& conductor_;
  Outbox& out_;
  market::Asker asker_;
  market::Grantor grantor_;
  exchange::Judge judge_;
  exchange::Proposals proposals_;
  bool quiet_ = true;
  TimePoint quiet_until_ = time_never;
  std::optional<std::vector<SurplusVm>> surplus_;  // of a plan that is newer than what is asked for
  std::set<VmId> asked_for_;
  std::map<VmId, std::pair<HostId, HostId>> doubled_;
  std::map<HostId, Party>
      previous_;  // of members that came lately: their master before, if it lives
  std::map<LeaseId, Outbound> outbound_;  // by the lease of the other master, or of the grant
  std::map<LeaseId, Telling> telling_;    // by lease of ours
  std::map<LeaseId, Note> notes_;
  struct Departure {
    HostId from;
    TimePoint at;
  };
  std::map<VmId, Departure> departures_;       // lately, to other groups
  std::map<VmId, std::uint32_t> rounds_lost_;  // of plans for this VM
  std::set<VmId> declined_;                    // see take_declined()
};

}  // namespace ballast::node
