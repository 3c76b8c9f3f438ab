// The table of presence.h, line by line.
#include "presence.h"

#include <doctest/doctest.h>
#include <libvirt/libvirt.h>

namespace ballast::libvirt {
namespace {

Presence of(int state, int reason, DomainJob job, bool active = true) {
  return presence_of({true, active, state, reason, job});
}

TEST_CASE("a domain that does not exist, or is shut off, is absent") {
  CHECK(presence_of({}) == Presence::absent);
  CHECK(of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED, DomainJob::none, false) ==
        Presence::absent);
  CHECK(of(VIR_DOMAIN_CRASHED, 0, DomainJob::none, false) == Presence::absent);
}

TEST_CASE("a domain that runs is here, whatever else is done with it") {
  for (const DomainJob job : {DomainJob::none, DomainJob::other, DomainJob::incoming})
    CHECK(of(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATED, job) == Presence::running);
  CHECK(of(VIR_DOMAIN_SHUTDOWN, 0, DomainJob::none) == Presence::running);
}

TEST_CASE("the source of a migration owns the VM until libvirt says otherwise") {
  CHECK(of(VIR_DOMAIN_RUNNING, 0, DomainJob::outgoing) == Presence::outgoing);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, DomainJob::outgoing) ==
        Presence::outgoing);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, DomainJob::outgoing) == Presence::outgoing);
}

TEST_CASE("what comes in is a reservation until it runs") {
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, DomainJob::incoming) ==
        Presence::incoming);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, DomainJob::incoming) ==
        Presence::incoming);
}

TEST_CASE(
    "a domain left paused by a migration that is gone is paused: nobody guesses who owns it") {
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, DomainJob::none) == Presence::paused);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, DomainJob::none) == Presence::paused);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, DomainJob::other) == Presence::paused);
  CHECK(of(VIR_DOMAIN_PMSUSPENDED, 0, DomainJob::none) == Presence::paused);
  CHECK(of(VIR_DOMAIN_CRASHED, 0, DomainJob::none) == Presence::paused);
}

TEST_CASE("what libvirt cannot say is unknown") {
  CHECK(of(VIR_DOMAIN_RUNNING, 0, DomainJob::unknown) == Presence::unknown);
  CHECK(of(VIR_DOMAIN_PAUSED, 0, DomainJob::unknown) == Presence::unknown);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, DomainJob::outgoing) ==
        Presence::unknown);
  CHECK(of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, DomainJob::none) == Presence::outgoing);
  CHECK(of(99, 0, DomainJob::none) == Presence::unknown);
  CHECK(of(-1, 0, DomainJob::none) == Presence::unknown);
}

}  // namespace
}  // namespace ballast::libvirt
