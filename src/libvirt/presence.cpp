#include "presence.h"

#include <libvirt/libvirt.h>

namespace ballast::libvirt {
namespace {

Presence of_running(const Standing& standing) {
  if (standing.job == DomainJob::unknown) return Presence::unknown;
  return standing.job == DomainJob::outgoing ? Presence::outgoing : Presence::running;
}

Presence of_paused(const Standing& standing) {
  if (standing.reason == VIR_DOMAIN_PAUSED_POSTCOPY) return Presence::outgoing;
  if (standing.reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED) return Presence::unknown;
  switch (standing.job) {
    case DomainJob::outgoing: return Presence::outgoing;
    case DomainJob::incoming: return Presence::incoming;
    case DomainJob::unknown: return Presence::unknown;
    case DomainJob::none:
    case DomainJob::other: return Presence::paused;
  }
  return Presence::unknown;
}

}  // namespace

Presence presence_of(const Standing& standing) {
  if (!standing.exists) return Presence::absent;
  switch (standing.state) {
    case VIR_DOMAIN_NOSTATE:
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN: return of_running(standing);
    case VIR_DOMAIN_PAUSED: return of_paused(standing);
    case VIR_DOMAIN_PMSUSPENDED: return Presence::paused;
    case VIR_DOMAIN_CRASHED: return standing.active ? Presence::paused : Presence::absent;
    case VIR_DOMAIN_SHUTOFF: return Presence::absent;
    default: return Presence::unknown;
  }
}

std::string paused_why(const Standing& standing) {
  if (!standing.exists || standing.state != VIR_DOMAIN_PAUSED) return {};
  switch (standing.reason) {
    case VIR_DOMAIN_PAUSED_USER: return "by a user";
    case VIR_DOMAIN_PAUSED_MIGRATION: return "for a migration";
    case VIR_DOMAIN_PAUSED_SAVE: return "for a save";
    case VIR_DOMAIN_PAUSED_DUMP: return "for a dump";
    case VIR_DOMAIN_PAUSED_IOERROR: return "I/O error";
    case VIR_DOMAIN_PAUSED_WATCHDOG: return "by its watchdog";
    case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT: return "since it was started from a snapshot";
    case VIR_DOMAIN_PAUSED_SHUTTING_DOWN: return "it is shutting down";
    case VIR_DOMAIN_PAUSED_SNAPSHOT: return "for a snapshot";
    case VIR_DOMAIN_PAUSED_CRASHED: return "its guest crashed";
    case VIR_DOMAIN_PAUSED_STARTING_UP: return "it is starting up";
    case VIR_DOMAIN_PAUSED_POSTCOPY: return "it runs at its target";
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: return "its post-copy migration failed";
    default: return "libvirt does not say why";
  }
}

}  // namespace ballast::libvirt
