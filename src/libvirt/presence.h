// What a domain's state and job mean for who owns the VM.
//
//   state      reason              job            presence
//   (no such domain)                              absent
//   shut off                                      absent
//   running                        none, other    running
//   running                        outgoing       outgoing
//   running                        incoming       running    (it has taken over)
//   paused     post-copy           any            outgoing   (it runs at the target already)
//   paused     post-copy failed    any            unknown
//   paused     any                 outgoing       outgoing   (stands still to be handed over)
//   paused     migration, start    incoming       incoming
//   paused     any other           none, other    paused
//   crashed    active              any            paused     (its QEMU still holds its memory)
//   anything that libvirt could not say           unknown
//
// A domain that was paused for a migration whose job is gone is `paused`: only its operator, or the
// other end, can tell who owns it. Nobody guesses.
#pragma once

#include <string>

#include "ballast/model/hypervisor.h"

namespace ballast::libvirt {

enum class DomainJob : unsigned char { none, outgoing, incoming, other, unknown };

struct Standing {
  bool exists = false;
  bool active = false;
  int state = 0;   // virDomainState
  int reason = 0;  // of that state, as libvirt numbers them
  DomainJob job = DomainJob::none;
};

Presence presence_of(const Standing& standing);
// Why it is paused, as libvirt says; empty: it is not.
std::string paused_why(const Standing& standing);

}  // namespace ballast::libvirt
