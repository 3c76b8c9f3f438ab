// One live migration as its source sees it: ask the target to begin, migrate, then ask both
// hypervisors what is true. It never guesses: while the two ends do not say clearly where the VM
// runs, the outcome is "unknown" and both are asked again.
//
//   asking --yes--> migrating --call returned--> settling --both ends agree--> ended
//      \--no / silence / order void-------------------^
//
// Pure: step() takes what happened and the time, and says what to do next. Source: design, sections
// 3.10 and 7.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/model/hypervisor.h"
#include "ballast/wire/messages.h"

namespace ballast::migrate {

struct OutgoingSettings {
  Duration ask_every = std::chrono::seconds(1);             // Begin is repeated
  Duration ask_for = std::chrono::seconds(5);               // then the target counts as silent
  Duration timeout = std::chrono::minutes(30);              // a longer migration is aborted
  Duration settle_every = std::chrono::seconds(1);          // the two ends are asked again
  Duration settle_slowly_every = std::chrono::seconds(10);  // ... once `unknown` was told
  Duration unknown_after = std::chrono::seconds(30);        // of settling: tell `unknown`
  Duration silent_target_after = std::chrono::seconds(5);
  Duration aborted_for = std::chrono::seconds(60);  // an aborted call that does not return
  int gone_rounds = 10;        // of "absent" from both ends: the VM was shut down, or is lost
  double bandwidth_mib_s = 0;  // 0: no limit
  std::string target_host{};   // see StartMigration
};

// What to do.
struct AskTargetToBegin {};
struct AskTargetToSettle {
  bool departed = false;  // the VM is gone here: one that is paused there has arrived
};
struct Command {
  HypervisorCommand command;
};
struct Tell {
  wire::OutcomeKind kind = wire::OutcomeKind::unknown;
  std::string detail;  // why not; of `arrived`: why it does not run there, or empty
  FaultOf fault = FaultOf::vm;
};
using OutgoingAction = std::variant<AskTargetToBegin, AskTargetToSettle, Command, Tell>;

// What happened.
struct Tick {};
struct TargetAnswered {
  bool yes = false;
  std::string reason;
  std::string migration_uri;
};
struct CallReturned {  // of the hypervisor's migration call
  bool ok = false;
  std::string detail;
  FaultOf fault = FaultOf::vm;
};
struct SourceSays {
  Presence presence = Presence::unknown;
};
struct TargetSays {
  Presence presence = Presence::unknown;
  std::string detail{};  // of `paused`: why
};
// Who ordered it is no longer our master: what has not started does not start.
struct OrderVoid {
  std::string why;
};
using OutgoingInput =
    std::variant<Tick, TargetAnswered, CallReturned, SourceSays, TargetSays, OrderVoid>;

class Outgoing {
 public:
  enum class Phase : unsigned char { asking, migrating, settling, ended };

  // `why` is the master's reason, kept for status.
  Outgoing(TimePoint now, LeaseId lease, VmId vm, const OutgoingSettings& settings);

  // Feeds one input; appends what to do to `actions`. Inputs that do not belong to the phase are
  // ignored. After the last Tell of an ending kind, phase() is ended and nothing more follows.
  void step(TimePoint now, const OutgoingInput& input, std::vector<OutgoingAction>& actions);

  TimePoint next_deadline() const;
  Phase phase() const { return phase_; }
  const LeaseId& lease() const { return lease_; }
  const VmId& vm() const { return vm_; }
  TimePoint began() const { return began_; }
  // True when the hypervisor was asked to migrate: the VM may be in flight.
  bool started() const { return started_; }

 private:
  void on(TimePoint now, const Tick& input, std::vector<OutgoingAction>& actions);
  void on(TimePoint now, const TargetAnswered& input, std::vector<OutgoingAction>& actions);
  void on(TimePoint now, const CallReturned& input, std::vector<OutgoingAction>& actions);
  void on(TimePoint now, const SourceSays& input, std::vector<OutgoingAction>& actions);
  void on(TimePoint now, const TargetSays& input, std::vector<OutgoingAction>& actions);
  void on(TimePoint now, const OrderVoid& input, std::vector<OutgoingAction>& actions);
  void settle(TimePoint now, std::string detail, std::vector<OutgoingAction>& actions);
  void ask_both(TimePoint now, std::vector<OutgoingAction>& actions);
  void judge(TimePoint now, std::vector<OutgoingAction>& actions);
  void finish(wire::OutcomeKind kind, std::string detail, std::vector<OutgoingAction>& actions);

  LeaseId lease_;
  VmId vm_;
  OutgoingSettings settings_;
  Phase phase_ = Phase::asking;
  TimePoint began_;
  TimePoint since_;  // of this phase
  TimePoint next_ask_;
  bool started_ = false;
  bool aborted_ = false;
  TimePoint aborted_at_;
  int absent_rounds_ = 0;
  bool told_unknown_ = false;
  bool target_spoke_ = false;  // since settling began: then its silence proves nothing
  std::string detail_;
  FaultOf fault_ = FaultOf::vm;
  bool departed_ = false;  // in the round before: gone here, paused there
  std::optional<Presence> source_;
  std::optional<Presence> target_;
  std::string target_detail_;
};

const char* name_of(Outgoing::Phase phase);
// "paused", "paused: by somebody"
std::string paused_in_words(const std::string& why);

}  // namespace ballast::migrate
