// A master's picture of its group: what each slave said last, kept in step with the news of
// migrations, which are younger than the reports that were under way when they happened.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/ledger/ledger.h"
#include "ballast/model/config.h"
#include "ballast/model/snapshot.h"
#include "ballast/wire/messages.h"

namespace ballast::node {

struct Member {
  HostId id;
  Epoch epoch;
  wire::HostFacts facts;
  wire::HostReport report;
  std::uint64_t sequence = 0;         // of the last report that was taken
  std::uint64_t older_than_news = 0;  // reports up to this one do not know of the last migration
  TimePoint heard_at;
  TimePoint reported_at;  // the last report that was taken
  TimePoint member_since;
  // VMs that came up in its reports later than that without news of a migration, and when.
  std::map<VmId, TimePoint> claimed_at;
  std::uint64_t alarms_heard = 0;  // the number of the last, of this life
  TimePoint alarms_since;          // of so many ...
  std::size_t alarms_taken = 0;    // ... in one report interval
  bool lost = false;               // not heard of for too long; said once
  TimePoint attached_at;           // in this epoch
  NodeId previous;                 // the master that it came from; empty: none known
  std::string not_itself;          // why its hypervisor is not believed to be its own; empty: it is

  const wire::VmReport* find(const VmId& vm) const;
  // Whom a source shall find at its hypervisor; empty: nobody, as it is not believed. Then nothing
  // is sent there, also under a lease of before.
  std::string hypervisor() const { return not_itself.empty() ? facts.hypervisor : std::string(); }
  TimePoint runs_since(const VmId& vm) const;  // as far as its reports tell
  // Its overload will, half of the times, be over before a copy is: it is waited for.
  bool passes(double patience, double bandwidth_mib_s) const;
  Resources load() const;  // base and every VM it reports, also those that leave
};

class Group {
 public:
  explicit Group(const Config& config);

  Member* find(const HostId& host);
  const Member* find(const HostId& host) const;
  const std::map<HostId, Member>& members() const { return members_; }

  // Takes a slave, or its new epoch. Its room is in the ledger from then on.
  Member& attach(TimePoint now, const NodeId& from, const Epoch& epoch, const wire::Attach& attach,
                 ledger::Ledger& ledger);
  // False when the report is older than what is known already.
  bool report(TimePoint now, Member& member, const wire::Report& report, ledger::Ledger& ledger);

  // A VM has moved; reports up to `sequence` of either end are older than that.
  void moved(const ledger::Lease& lease, Duration rest, ledger::Ledger& ledger,
             Presence presence = Presence::running);
  void news_from(const HostId& host, std::uint64_t sequence);

  // It has said that it leaves: nothing is planned with it any more. The leases that it honours are
  // for its next master.
  void left(const HostId& host) {
    members_.erase(host);
    gone_.erase(host);
  }

  // Slaves that have just become lost; and those given up count no more: should they come back,
  // they name what they honour themselves.
  std::vector<HostId> newly_lost(TimePoint now);
  std::vector<HostId> give_up(TimePoint now);
  // Nobody was listened to for so long: that does not count as their silence.
  void slept(Duration span);
  // Those given up, as they were when they were heard last, until they are heard again, here or as
  // members of another group, or an operator forgets them: left().
  const std::map<HostId, Member>& gone() const { return gone_; }
  TimePoint next_loss() const { return next_loss_; }  // not later than the next one

  // Why nothing may be planned with this host, in words; empty when it may.
  std::string why_unusable(TimePoint now, const Member& member) const;

  void update_room(const Member& member, ledger::Ledger& ledger) const;

 private:
  static void distrust_what_cannot_be(Member& member);
  // Of two that say that their hypervisor is the same host, at most one tells the truth.
  std::string why_not_itself(const Member& member) const;
  void look_who_is_who(Member& member, ledger::Ledger& ledger);
  Duration lost_after() const { return 3 * config_.sample.report_interval; }

  void heard(TimePoint now, Member& member);
  static void note_claims(TimePoint now, Member& member, const wire::HostReport& next);

  const Config& config_;  // of the node: some of it changes while it runs
  std::map<HostId, Member> members_;
  std::map<HostId, Member> gone_;
  // Nobody is lost before then. Reports move that moment on; it is looked for anew when it comes.
  TimePoint next_loss_ = time_never;
  bool some_are_lost_ = false;
};

}  // namespace ballast::node
