// One migration, seen from both ends: every outcome is what the two hypervisors say, and nothing is
// concluded from silence that silence does not prove.

#include <doctest/doctest.h>

#include <algorithm>

#include "ballast/base/random.h"
#include "ballast/migrate/incoming.h"
#include "ballast/migrate/outgoing.h"

namespace ballast::migrate {
namespace {

using wire::OutcomeKind;

const LeaseId lease{HostId("m"), 1, 1};
const VmId vm("v");

TimePoint at(double seconds) { return TimePoint(duration_of_seconds(seconds)); }

struct Driver {
  Outgoing machine{at(0), lease, vm, OutgoingSettings{}};
  std::vector<OutgoingAction> actions;

  void step(double seconds, const OutgoingInput& input) {
    actions.clear();
    machine.step(at(seconds), input, actions);
  }
  template <class Action>
  bool did() const {
    return std::any_of(actions.begin(), actions.end(), [](const OutgoingAction& action) {
      return std::holds_alternative<Action>(action);
    });
  }
  template <class Wanted>
  bool commanded() const {
    return std::any_of(actions.begin(), actions.end(), [](const OutgoingAction& action) {
      const auto* command = std::get_if<Command>(&action);
      return command != nullptr && std::holds_alternative<Wanted>(command->command);
    });
  }
  std::optional<OutcomeKind> told() const {
    for (const OutgoingAction& action : actions) {
      if (const auto* tell = std::get_if<Tell>(&action)) return tell->kind;
    }
    return std::nullopt;
  }
  std::string told_detail() const {
    for (const OutgoingAction& action : actions) {
      if (const auto* tell = std::get_if<Tell>(&action)) return tell->detail;
    }
    return {};
  }
  bool settles_departed() const {
    return std::any_of(actions.begin(), actions.end(), [](const OutgoingAction& action) {
      const auto* settle = std::get_if<AskTargetToSettle>(&action);
      return settle != nullptr && settle->departed;
    });
  }
  void migrate() {
    step(0, Tick{});
    step(0.1, TargetAnswered{true, "", "sim://x"});
  }
};

TEST_CASE(
    "an order whose master is lost before it began does not begin, though the target may say yes") {
  Driver d;
  d.step(0, Tick{});
  d.step(1, OrderVoid{"its master was lost"});
  CHECK(d.commanded<QueryVm>());
  CHECK(d.did<AskTargetToSettle>());
  d.step(1.1, TargetAnswered{true, "", "sim://x"});
  CHECK_FALSE(d.commanded<StartMigration>());
  d.step(1.2, SourceSays{Presence::running});
  d.step(1.3, TargetSays{Presence::absent});
  CHECK(d.told() == OutcomeKind::refused);
  // One that has begun goes on.
  Driver begun;
  begun.migrate();
  begun.step(1, OrderVoid{"its master was lost"});
  CHECK(begun.machine.phase() == Outgoing::Phase::migrating);
}

TEST_CASE("the target is asked, the VM migrated, both ends asked, and only then it has arrived") {
  Driver d;
  d.step(0, Tick{});
  CHECK(d.did<AskTargetToBegin>());
  d.step(0.1, TargetAnswered{true, "", "sim://x"});
  CHECK(d.commanded<StartMigration>());
  d.step(9, CallReturned{true, ""});
  CHECK(d.commanded<QueryVm>());
  CHECK(d.did<AskTargetToSettle>());
  d.step(9.1, SourceSays{Presence::absent});
  CHECK_FALSE(d.told());
  d.step(9.2, TargetSays{Presence::running});
  CHECK(d.told() == OutcomeKind::arrived);
  CHECK(d.machine.next_deadline() == time_never);
}

TEST_CASE("a target that says no is not asked twice") {
  Driver d;
  d.step(0, Tick{});
  d.step(0.1, TargetAnswered{false, "no memory", ""});
  CHECK(d.told() == OutcomeKind::refused);
  CHECK_FALSE(d.commanded<StartMigration>());
}

TEST_CASE("a silent target is asked for five seconds; a yes after that starts nothing") {
  Driver d;
  for (double now = 0; now < 5; now += 1) {
    d.step(now, Tick{});
    CHECK(d.did<AskTargetToBegin>());
  }
  d.step(5, Tick{});
  CHECK(d.did<AskTargetToSettle>());  // it may have said a yes that was lost
  d.step(5.1, TargetAnswered{true, "", "sim://x"});
  CHECK_FALSE(d.commanded<StartMigration>());
  d.step(5.2, SourceSays{Presence::running});
  d.step(5.3, TargetSays{Presence::absent});
  CHECK(d.told() == OutcomeKind::refused);
}

TEST_CASE("a failed call with the VM running here and not there is a failure") {
  Driver d;
  d.migrate();
  d.step(3, CallReturned{false, "connection reset"});
  d.step(3.1, TargetSays{Presence::absent});
  d.step(3.2, SourceSays{Presence::running});
  CHECK(d.told() == OutcomeKind::failed);
}

TEST_CASE(
    "a call that succeeded proves nothing while the source still runs the VM beside the target") {
  Driver d;
  d.migrate();
  d.step(3, CallReturned{true, ""});
  d.step(3.1, SourceSays{Presence::running});
  d.step(3.2, TargetSays{Presence::running});
  CHECK_FALSE(d.told());
}

TEST_CASE("while the ends do not agree it is unknown, said once, and asked again until they do") {
  Driver d;
  d.migrate();
  d.step(3, CallReturned{false, "broken pipe"});
  int unknown = 0;
  double now = 3;
  for (; now < 120; now += 0.5) {
    d.step(now, Tick{});
    if (d.told() == OutcomeKind::unknown) ++unknown;
    d.step(now, SourceSays{Presence::unknown});
    CHECK_FALSE(d.told());
    d.step(now, TargetSays{Presence::incoming});
    CHECK_FALSE(d.told());
  }
  CHECK(unknown == 1);
  d.step(now + 10, Tick{});
  d.step(now + 10, SourceSays{Presence::absent});
  d.step(now + 10, TargetSays{Presence::running});
  CHECK(d.told() == OutcomeKind::arrived);
}

TEST_CASE("answers of different rounds are never joined") {
  Driver d;
  d.migrate();
  d.step(3, CallReturned{false, "x"});
  d.step(3.5, TargetSays{Presence::absent});
  d.step(4, Tick{});  // asks both again
  d.step(4.1, SourceSays{Presence::running});
  CHECK_FALSE(d.told());  // the target's word is of the round before
}

TEST_CASE("one that takes longer than the timeout is aborted, and asked about") {
  Driver d;
  d.migrate();
  d.step(1799, Tick{});
  CHECK_FALSE(d.commanded<AbortMigration>());
  d.step(1801, Tick{});
  CHECK(d.commanded<AbortMigration>());
  d.step(1802, CallReturned{false, "operation aborted"});
  d.step(1802, SourceSays{Presence::running});
  d.step(1802, TargetSays{Presence::absent});
  CHECK(d.told() == OutcomeKind::failed);
}

// Whatever comes in whatever order: "arrived" only after absent here and running there; no start
// after an end; time always leads on.
TEST_CASE("property: no order of events ends a migration against what the hypervisors say") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Driver d;
    double now = 0;
    int starts = 0;
    std::optional<Presence> source;
    std::optional<Presence> target;
    for (int n = 0; n < 60 && d.machine.phase() != Outgoing::Phase::ended; ++n) {
      now += random.between(0, 3);
      const auto presence = static_cast<Presence>(random.below(6));
      const bool settling = d.machine.phase() == Outgoing::Phase::settling;
      switch (random.below(5)) {
        case 0: d.step(now, Tick{}); break;
        case 1: d.step(now, TargetAnswered{random.chance(0.7), "no", "sim://x"}); break;
        case 2: d.step(now, CallReturned{random.chance(0.5), "x"}); break;
        case 3:
          if (settling) source = presence;
          d.step(now, SourceSays{presence});
          break;
        case 4:
          if (settling) target = presence;
          d.step(now, TargetSays{presence});
          break;
      }
      if (d.commanded<StartMigration>()) ++starts;
      if (d.told() == OutcomeKind::arrived) {
        CHECK(source == Presence::absent);
        CHECK((target == Presence::running || target == Presence::paused));
      }
      if (d.told() == OutcomeKind::failed) {
        CHECK(target != Presence::running);
        CHECK((source == Presence::running || source == Presence::paused ||
               source == Presence::absent));
      }
      if (d.machine.phase() != Outgoing::Phase::ended)
        CHECK(d.machine.next_deadline() != time_never);
    }
    CHECK(starts <= 1);
  }
}

// Somebody paused it in flight: gone here, paused there. One such look may be libvirt cleaning up.
TEST_CASE("a VM that is gone here and paused there twice has arrived, and its reason is told") {
  Driver d;
  d.migrate();
  d.step(2, CallReturned{true, {}});
  d.step(2, SourceSays{Presence::absent});
  d.step(2, TargetSays{Presence::paused, "by a user"});
  CHECK(d.machine.phase() == Outgoing::Phase::settling);
  CHECK_FALSE(d.told());
  d.step(3.1, Tick{});
  CHECK(d.settles_departed());  // the target hears that nothing is left here
  d.step(3.2, SourceSays{Presence::absent});
  d.step(3.2, TargetSays{Presence::paused, "by a user"});
  CHECK(d.told() == OutcomeKind::arrived);
  CHECK(d.told_detail() == "paused: by a user");
}

TEST_CASE("a copy that is paused there is no VM while its source may still have one") {
  for (const Presence source : {Presence::running, Presence::paused, Presence::unknown}) {
    Driver d;
    d.migrate();
    d.step(2, CallReturned{false, "x"});
    for (double now = 2; now < 20; now += 1.1) {
      d.step(now, Tick{});
      CHECK_FALSE(d.settles_departed());
      d.step(now, SourceSays{source});
      d.step(now, TargetSays{Presence::paused});
      CHECK(d.told() != OutcomeKind::arrived);
    }
  }
  // And the target ends its lease only when it was told that nothing is left there.
  Incoming in(lease, vm, HostId("h1"), {1, 1, 1}, IncomingSettings{});
  in.begin(at(0));
  CHECK(in.settle(at(1)));
  CHECK_FALSE(in.hypervisor_says(at(1), Presence::paused));
  in.departed();
  CHECK_FALSE(in.hypervisor_says(at(2), Presence::incoming));
  CHECK(in.hypervisor_says(at(3), Presence::paused));
  CHECK(in.phase() == Incoming::Phase::arrived);
  CHECK(in.paused());
}

Incoming arrival() { return Incoming(lease, vm, HostId("h1"), {1, 1, 1}, IncomingSettings{}); }

TEST_CASE("a lease that was only told ends when it is withdrawn") {
  Incoming in = arrival();
  CHECK(in.revoke());
  CHECK(in.phase() == Incoming::Phase::absent);
}

TEST_CASE("a lease that has begun is not withdrawn, and absence alone does not end it") {
  Incoming in = arrival();
  in.begin(at(0));
  CHECK_FALSE(in.revoke());
  CHECK_FALSE(in.hypervisor_says(at(1), Presence::absent));  // the holder may be about to send it
  CHECK(in.settle(at(2)));
  CHECK_FALSE(in.hypervisor_says(at(3), Presence::incoming));
  CHECK(in.hypervisor_says(at(4), Presence::absent));
  CHECK(in.phase() == Incoming::Phase::absent);
}

TEST_CASE("a VM that runs here has arrived, whoever asks") {
  Incoming in = arrival();
  in.begin(at(0));
  CHECK(in.hypervisor_says(at(1), Presence::running));
  CHECK(in.phase() == Incoming::Phase::arrived);
  CHECK_FALSE(in.settle(at(2)));
}

TEST_CASE("one that nobody settles is asked about when it is overdue") {
  Incoming in = arrival();
  in.begin(at(0));
  CHECK_FALSE(in.tick(at(35 * 60 - 1)));
  CHECK(in.tick(at(35 * 60)));
  CHECK(in.hypervisor_says(at(35 * 60 + 1), Presence::absent));
}

}  // namespace
}  // namespace ballast::migrate
