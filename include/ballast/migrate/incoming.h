// One lease as the target of the migration sees it: room that its master told it of, begun when the
// holder asks and it says yes, ended by what its own hypervisor says.
//
//   told --yes to the holder--> begun --hypervisor: running / absent / paused and departed--> ended
//     \--revoked--------------------------------------------------------^
//
// A lease that has begun is ended only when the question "is the VM here?" was asked for a reason:
// the holder says it is through with it, the grantor says the holder is, or it is long overdue. An
// absent VM alone proves nothing while the holder may be about to send it. Pure, as outgoing.h.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/model/hypervisor.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"

namespace ballast::migrate {

struct IncomingSettings {
  // After this a begun lease is settled even if nobody asks: longer than any migration may take.
  Duration overdue_after = std::chrono::minutes(35);
  Duration ask_again_every = std::chrono::seconds(5);
};

class Incoming {
 public:
  enum class Phase : unsigned char { told, begun, arrived, absent };

  // Room for `vm`, which runs on `from` now.
  Incoming(LeaseId lease, VmId vm, HostId from, const Resources& load,
           const IncomingSettings& settings);

  // The holder was told yes.
  void begin(TimePoint now);

  // Somebody wants to know how it ended: true when the hypervisor must be asked first.
  bool settle(TimePoint now);

  // Our hypervisor answered, or a sample showed the VM. True when that ended the lease.
  bool hypervisor_says(TimePoint now, Presence presence);

  // Its source has nothing left that could run: what is paused here from now on is the VM.
  void departed() { departed_ = true; }
  // It has arrived, and does not run.
  bool paused() const { return paused_; }

  // Withdrawn before it has begun: ends as absent. False (and nothing changes) once it has begun.
  bool revoke();

  // True when the hypervisor must be asked now: overdue, or still settling.
  bool tick(TimePoint now);
  TimePoint next_deadline() const;

  Phase phase() const { return phase_; }
  bool ended() const { return phase_ == Phase::arrived || phase_ == Phase::absent; }
  const LeaseId& lease() const { return lease_; }
  const VmId& vm() const { return vm_; }
  const HostId& from() const { return from_; }
  const Resources& load() const { return load_; }

 private:
  LeaseId lease_;
  VmId vm_;
  HostId from_;
  Resources load_;
  IncomingSettings settings_;
  Phase phase_ = Phase::told;
  bool settling_ = false;
  bool departed_ = false;
  bool paused_ = false;
  TimePoint deadline_ = time_never;
};

const char* name_of(Incoming::Phase phase);

}  // namespace ballast::migrate
