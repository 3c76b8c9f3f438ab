// Answers other masters that ask for room: strictly in the order in which they ask, out of the
// group's ledger, and never more than `leases_per_asker_max` open leases to one of them.
//
// What has no room at home goes to the host with the least room to spare, so that large holes stay
// for large VMs; what only looks for a cooler host than it would have at home goes to the coolest.
// What fits nowhere may still be exchanged for a smaller VM of ours, when the asker offers that.
// Source: design, section 3, step 7.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/ledger/ledger.h"
#include "ballast/model/heat.h"
#include "ballast/wire/market_messages.h"

namespace ballast::market {

// A host of the group with room, as far as its master gives it away.
struct Hole {
  HostId host;
  std::string endpoint;
  Resources room;
  // What its heat is made of (model/heat.h): what it carries and what that swings, and its limits.
  Resources carried{};
  Resources variance{};
  Resources limit{};
  double heat_with(const Resources& load) const { return heat_of(carried + load, variance, limit); }
};

// A VM of ours that may go in exchange.
struct Exchangeable {
  VmId vm;
  HostId host;
  Resources load;
  std::set<HostId> not_to{};  // hosts that it failed at lately
};

struct GrantorCounters {
  std::uint64_t asked = 0;  // VMs, each once a request
  std::uint64_t granted = 0;
  std::uint64_t granted_as_swap = 0;
  std::uint64_t refused_room = 0;
  std::uint64_t refused_quota = 0;
  std::uint64_t refused_rule = 0;
  std::uint64_t refused_quiet = 0;
};

class Grantor {
 public:
  // `ledger` must outlive this.
  explicit Grantor(ledger::Ledger& ledger);

  struct Offer {
    std::vector<Hole> holes;  // of every host that takes VMs, also those without room left
    std::vector<Exchangeable> exchangeable;
    bool quiet = false;     // nothing may move here now
    Duration quiet_for{0};  // ... for that long; 0: nobody knows
  };
  // One that was answered lately is answered the same.
  wire::RequestAnswer serve(TimePoint now, const NodeId& asker, const wire::Request& request,
                            Offer offer);

  // A lease that this room has granted: to whom, and what goes back in exchange.
  struct Granted {
    NodeId asker;
    HostId target;
    std::string from_endpoint;  // of the VM's holder
    std::optional<wire::Counterpart> back;
    HostId back_to;
  };
  const Granted* find(const LeaseId& lease) const;
  const std::map<LeaseId, Granted>& granted() const { return granted_; }
  // Forgets what the ledger no longer has.
  void tidy();

  const GrantorCounters& counters() const { return counters_; }

 private:
  struct Answered {
    std::uint64_t number = 0;
    TimePoint at;
    wire::RequestAnswer answer;
  };

  std::size_t open_leases_of(const NodeId& asker) const;
  std::optional<wire::Grant> grant(TimePoint now, const NodeId& asker, const wire::Want& want,
                                   Offer& offer);
  std::optional<wire::Grant> grant_swap(TimePoint now, const NodeId& asker, const wire::Want& want,
                                        Offer& offer);

  ledger::Ledger& ledger_;
  std::map<LeaseId, Granted> granted_;
  std::map<NodeId, Answered> answered_;
  GrantorCounters counters_;
};

// The largest rooms as they are gossiped: at most summary_holes_max, largest first.
std::vector<Resources> told_holes(const std::vector<Hole>& holes);

}  // namespace ballast::market
