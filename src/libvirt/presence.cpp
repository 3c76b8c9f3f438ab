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

}  // namespace ballast::libvirt
