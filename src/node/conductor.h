// Conducts a plan: gives each migration its lease when its turn comes, tells the target, orders the
// holder, and hears how it ended. What cannot be done any more is dropped, not forced: the master
// then plans again from what is true.
//
// A migration may start when every earlier step that touches one of its two hosts has ended: what
// makes a step safe depends on the hosts at its two ends alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ballast/ledger/ledger.h"
#include "ballast/model/config.h"
#include "failures.h"
#include "group.h"
#include "outbox.h"

namespace ballast::node {

// Of a migration to another group: the room that its master granted.
struct Foreign {
  LeaseId lease;
  std::string target_endpoint;
  std::string target_hypervisor{};
};

// A migration of a plan, with the names of things instead of indices.
struct PlannedMove {
  VmId vm;
  HostId from;
  HostId to;
  std::uint32_t step = 1;
  std::optional<std::uint32_t> swap;
  Resources load;
  std::string why;
  std::optional<Foreign> foreign;
};

// How a migration to another group ended.
struct ForeignEnd {
  LeaseId lease;
  VmId vm;
  HostId from;
  bool arrived = false;
  std::string detail;
};

class Conductor {
 public:
  Conductor(const Config& config, Group& group, ledger::Ledger& ledger, Outbox& out);

  // Starts on a plan. What is under way from the one before goes on; what has not begun is dropped.
  void start(TimePoint now, std::vector<PlannedMove> moves);

  // A migration that was agreed with another master. It is no part of the plan: it begins as soon
  // as streams are free, whatever becomes of the plan, and its end is given back once.
  void add_foreign(TimePoint now, PlannedMove move);
  std::vector<ForeignEnd> take_foreign_ends() { return std::exchange(foreign_ends_, {}); }
  // Drops what has not begun of this VM, since another plan goes first. False: too late.
  bool withdraw(TimePoint now, const VmId& vm, const std::string& why);
  // Takes back room that was granted to another master. `holder_is_done`: it has said that the
  // migration will not happen, or has ended.
  void take_back(TimePoint now, const LeaseId& lease, bool holder_is_done) {
    revoke(now, lease, holder_is_done);
  }
  // Of the plan, what has not got its room yet.
  std::vector<PlannedMove> without_lease() const;
  // The longest that a migration of this plan has taken, or has been under way.
  Duration slowest(TimePoint now) const;
  // A VM of this host is leaving it, or is about to.
  bool relieves(const HostId& host) const;
  // VMs of plans that have not ended; true: ordered already.
  std::map<VmId, bool> planned_vms() const;
  // Migrations that have begun to this host, and those that are about to.
  std::size_t incoming_to(const HostId& host) const;

  void tick(TimePoint now);
  TimePoint next_deadline() const;

  // News. `from` is the node that says it.
  void heard(TimePoint now, const NodeId& from, const wire::Outcome& outcome);
  void heard(TimePoint now, const NodeId& from, const wire::LeaseState& state);
  // A holder or target has attached anew and said all it knows.
  void reattached(TimePoint now, const Member& member, bool new_life);
  // Nothing was heard of this host for long: what it was promised and has not begun is void.
  void lost(TimePoint now, const HostId& host);
  // Nobody was listened to for so long: that does not count as their silence.
  void slept(Duration span);
  // It has gone over to another master, which adopts what it honours and still does.
  void left(const HostId& host);
  // A member's report has been taken: does it show that a migration nobody follows is over?
  void reported(TimePoint now, const Member& member);

  // Nothing of the plan is left to do.
  bool idle() const;
  bool waiting() const;  // something has not begun yet
  std::size_t done() const { return done_; }
  std::size_t failed() const { return failed_; }
  // Why the rest of the plan was dropped; empty while all goes well.
  const std::string& abandoned() const { return abandoned_; }
  std::vector<MoveView> moves() const;
  std::vector<MoveView> in_flight() const;

  // Hosts that a VM has left lately, and when: it does not come back for a while.
  struct Departure {
    HostId from;
    TimePoint at;
  };
  const std::map<VmId, std::vector<Departure>>& departures() const { return departures_; }

  // What is not tried now since it failed.
  void config_changed();
  const Failures& failures() const { return failures_; }
  Failures& failures() { return failures_; }

 private:
  enum class State : unsigned char { waiting, telling, ordering, running, unknown, done, failed };
  struct Move {
    PlannedMove planned;
    State state = State::waiting;
    LeaseId lease;  // valid from telling on, or once its swap has got both
    bool has_lease = false;
    bool holder_forgot = false;  // it will not tell the outcome: it restarted, or told another
    TimePoint since;
    TimePoint next = time_never;          // repeat what was said
    std::optional<TimePoint> doubted_at;  // since then nobody is left to tell its outcome
    std::string detail;
  };
  // A lease whose target has not yet said how it ended.
  struct Revocation {
    HostId target;
    VmId vm;
    bool holder_is_done = false;
    TimePoint next;
  };

  static bool under_way(const Move& move);
  static bool ended(const Move& move);
  static const char* name_of(State state);
  static MoveView view_of(const Move& move);
  bool blocked(std::size_t index) const;
  Move* partner_of(const Move& move);
  Move* by_lease(const LeaseId& lease);
  void begin_what_can(TimePoint now);
  bool room_is_being_made(const Move& waiting) const;
  Status take_room(TimePoint now, Move& move);
  std::optional<std::string> why_not(TimePoint now, const Move& move) const;
  void tell_target(TimePoint now, Move& move);
  void order(TimePoint now, Move& move);
  void repeat(TimePoint now, Move& move);
  // How a migration that did not come about ended.
  struct NotMoved {
    std::string detail;
    bool started = false;
    FaultOf fault = FaultOf::vm;
  };
  void finish(TimePoint now, Move& move, const std::string& arrived_detail = {});
  void finish(TimePoint now, Move& move, const NotMoved& how);
  void remember_failure(TimePoint now, const Move& move, const NotMoved& how, bool was_running);
  void settled(Move& move, bool arrived, const std::string& detail);
  void remember_departure(TimePoint now, const Move& move);
  void drop_waiting(const std::string& why);
  void revoke(TimePoint now, const LeaseId& lease, bool holder_is_done);
  void revoke_what_was_left_out(TimePoint now);
  std::uint32_t outgoing_max(const HostId& host) const;
  static bool holder_is_at_it(const Member& holder, const LeaseId& lease, const VmId& vm);
  void resolve_forgotten(TimePoint now, Move& move);
  bool target_has_spoken(TimePoint now, Move& move, const Member* target);
  static bool target_is_at_it(const Member& target, const LeaseId& lease, const VmId& vm);
  bool suspected_twice(TimePoint now, const LeaseId& lease, const Member& by);
  bool may_have_begun(const ledger::Lease& lease) const;
  bool has_departed(const LeaseId& lease) const;
  bool nobody_will_tell(const Move& move) const;
  void settle_leases_of(TimePoint now, const Member& member);

  const Config& config_;  // of the node: some of it changes while it runs
  Group& group_;
  ledger::Ledger& ledger_;
  Outbox& out_;
  std::vector<Move> moves_;
  std::map<LeaseId, Revocation> revocations_;
  bool revocations_left_out_ = false;  // for want of place: the ledger knows which
  Failures failures_;
  std::map<HostId, TimePoint> slow_;  // a migration from there timed out: one at a time, until then
  std::map<VmId, std::vector<Departure>> departures_;
  std::vector<ForeignEnd> foreign_ends_;
  struct Suspicion {
    std::uint64_t sequence = 0;  // of the report that gave rise to it
    TimePoint since;
  };
  std::map<LeaseId, Suspicion>
      suspected_;  // leases that nobody may follow any more: see reported()
  std::string abandoned_;
  Duration slowest_{0};
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace ballast::node
