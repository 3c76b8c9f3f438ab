// The ledger: the one truth about room in a group. Every move, local or granted to another master,
// first gets a lease here; what is promised counts as taken until the target has said how it ended.
//
// Two kinds of room are kept apart. Room under the thresholds is about utilisation and is checked
// when a lease is promised. Room in memory is about capacity and holds at every instant: an
// arriving VM and everything promised before it must fit beside what the host carries now. Source:
// design, sections 1 (lease) and 7.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"

namespace ballast::ledger {

enum class Phase : unsigned char {
  promised,  // room is taken here; the target may not know yet
  begun,     // the target has said yes to the holder: it does not expire
  revoking,  // expired or withdrawn; room stays taken until the target agrees
};

const char* name_of(Phase phase);

struct Lease {
  LeaseId id;
  VmId vm;
  HostId from;
  HostId to;
  Resources load;
  // Load that leaves the target before or right after, because this lease is half of a swap. It is
  // no credit in memory: see promise_swap.
  Resources swapped_out;
  bool leaves_first = false;  // what goes in exchange: then its memory is credit, too
  std::optional<LeaseId> partner;  // the other half of a swap
  Phase phase = Phase::promised;
  TimePoint expires = time_never;  // of a promised one
};

// What a host carries, as its latest report says.
struct HostRoom {
  Resources capacity;
  Resources carried;  // base and all VMs, also those that are leaving
  Thresholds limits;  // up to which room is given away
  bool open = true;   // takes VMs at all: not in maintenance, its figures trusted
};

// Half of a swap, or a move of its own.
struct Ask {
  VmId vm;
  HostId from;
  HostId to;
  Resources load;
};

class Ledger {
 public:
  // `grantor` and `incarnation` become part of every lease id. Numbers count from `first_number`: a
  // node that lost its small state lives an incarnation again, and must not use its ids again.
  Ledger(NodeId grantor, std::uint64_t incarnation, std::uint64_t first_number = 1);

  // --- hosts ---
  void set_host(const HostId& host, const HostRoom& room);
  // The host is gone. Its leases stay: they end on what it says when it is back, or by end().
  void forget_host(const HostId& host);

  // Room under the limits that nobody was promised; network may be `unlimited`. Nothing for an
  // unknown or closed host.
  Resources room(const HostId& host) const;
  // The same with its sign: below 0 where the host carries more than its limits. Zero for an
  // unknown or closed host.
  Resources balance(const HostId& host) const;

  // --- leases ---
  // Takes room for one VM until `expires`. The Error names the host and the figure that forbids it.
  Result<Lease> promise(const Ask& ask, TimePoint expires);

  // Takes room for both halves of a swap, or for neither. `first` is the one to migrate first: it
  // must fit into the memory of its target as it is now; the second into what is then free. Under
  // the thresholds only the end counts.
  Result<std::pair<Lease, Lease>> promise_swap(const Ask& first, const Ask& second,
                                               TimePoint expires);

  // One half of a swap with another master, whose ledger has the other half: `leaving` is the load
  // of the VM that goes from `ask.to` to `ask.from`. It is credit under the thresholds, and in
  // memory only when that VM `leaves_first`.
  Result<Lease> promise_exchange(const Ask& ask, const Resources& leaving, bool leaves_first,
                                 TimePoint expires);
  // The VM that was to leave has left, and set_host() has said so, or it will not leave.
  void drop_credit(const LeaseId& id);

  // A lease that a target already honours, from a master of before: a fact, as far as it can be
  // one. False, and nothing is changed, for what claims to be ours and was never issued, names
  // another VM or host than we promised, or is more than a host may have.
  bool adopt(const Lease& lease);

  // Each of these does nothing when it was said before, or the lease is not known.
  void begun(const LeaseId& id);
  void revoke(const LeaseId& id);
  // A promised one lives on until then; in any other phase it does not expire anyway.
  void extend(const LeaseId& id, TimePoint expires);
  // The VM no longer runs at its source, and set_host() has said so: the other half of its swap can
  // no longer count on its leaving, and goes on alone. The room at the target stays taken.
  void departed(const LeaseId& id);
  // Ends a lease. Of a swap, the other half stays, and is then a move of its own: who gave up the
  // first half ends the second, too, unless it is under way.
  void end(const LeaseId& id);

  // Promised leases whose time has come are now `revoking`; they are given back for telling.
  std::vector<Lease> expire(TimePoint now);
  // When the next one does; time_never when none will.
  TimePoint next_expiry() const;

  const Lease* find(const LeaseId& id) const;
  const Lease* find(const VmId& vm) const;
  // In order of id.
  const std::map<LeaseId, Lease>& leases() const { return leases_; }
  const std::map<HostId, HostRoom>& hosts() const { return hosts_; }
  const NodeId& grantor() const { return grantor_; }
  std::uint64_t incarnation() const { return incarnation_; }
  std::size_t incoming_of(const HostId& host) const;
  std::vector<LeaseId> leases_to(const HostId& host) const;

 private:
  Result<Lease> lease_for(const Ask& ask, TimePoint expires) const;
  Status fits(const Ask& ask, const Resources& swapped_out, double memory_leaving_first_mib) const;
  Resources promised_to(const HostId& host) const;
  double memory_promised_to_mib(const HostId& host) const;
  void insert(const Lease& lease);
  void skip_taken();
  // False for an id of ours that this life has yet to give.
  bool may_have_been_issued(const LeaseId& id) const;
  void drop_credit_of_partner(const Lease& lease);

  NodeId grantor_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t next_number_ = 1;
  std::map<HostId, HostRoom> hosts_;
  std::map<LeaseId, Lease> leases_;
  std::map<VmId, LeaseId> by_vm_;
  std::map<HostId, std::vector<LeaseId>> by_target_;
};

}  // namespace ballast::ledger
