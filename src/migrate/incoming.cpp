#include "ballast/migrate/incoming.h"

#include <utility>

#include "ballast/base/planted.h"

namespace ballast::migrate {

const char* name_of(Incoming::Phase phase) {
  switch (phase) {
    case Incoming::Phase::told: return "told";
    case Incoming::Phase::begun: return "begun";
    case Incoming::Phase::arrived: return "arrived";
    case Incoming::Phase::absent: return "absent";
  }
  return "?";
}

Incoming::Incoming(LeaseId lease, VmId vm, HostId from, const Resources& load,
                   const IncomingSettings& settings)
    : lease_(std::move(lease)),
      vm_(std::move(vm)),
      from_(std::move(from)),
      load_(load),
      settings_(settings) {}

void Incoming::begin(TimePoint now) {
  if (phase_ != Phase::told) return;
  phase_ = Phase::begun;
  deadline_ = now + settings_.overdue_after;
}

bool Incoming::settle(TimePoint now) {
  if (phase_ == Phase::told) phase_ = Phase::absent;  // never begun, and the holder is through
  if (ended() || planted::on(planted::Bug::target_never_settles)) return false;
  settling_ = true;
  deadline_ = now + settings_.ask_again_every;
  return true;
}

bool Incoming::hypervisor_says(TimePoint now, Presence presence) {
  if (phase_ != Phase::begun) return false;
  const bool paused = presence == Presence::paused && departed_;
  if (presence == Presence::running || paused) {
    phase_ = Phase::arrived;
    paused_ = paused;
    deadline_ = time_never;
    return true;
  }
  const bool asked = settling_ || planted::on(planted::Bug::target_forgets_at_absent);
  if (presence == Presence::absent && asked) {
    phase_ = Phase::absent;
    deadline_ = time_never;
    return true;
  }
  if (settling_) deadline_ = now + settings_.ask_again_every;
  return false;
}

bool Incoming::revoke() {
  if (phase_ == Phase::told) phase_ = Phase::absent;
  return ended();
}

bool Incoming::tick(TimePoint now) {
  if (now < deadline_ || ended()) return false;
  settling_ = true;
  deadline_ = now + settings_.ask_again_every;
  return true;
}

TimePoint Incoming::next_deadline() const { return deadline_; }

}  // namespace ballast::migrate
