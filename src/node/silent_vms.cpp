#include "silent_vms.h"

#include "ballast/base/words.h"

#include "failures.h"

namespace ballast::node {

void SilentVms::see(TimePoint now, const HostId& host, const VmSample& vm, Outbox& out) {
  const auto known = silent_.find(vm.id);
  if (vm.presence != Presence::unknown) {
    if (known == silent_.end()) return;
    if (known->second.told)
      out.event(now, EventKind::recovered, vm.id, host,
                "VM " + quoted(vm.id.str()) + " on " + quoted(host.str()) +
                    " answers again, after " + age_in_words(now - known->second.since));
    silent_.erase(known);
    return;
  }
  if (known == silent_.end()) {
    silent_.emplace(vm.id, Silent{now, look_, false});
    return;
  }
  known->second.look = look_;
  if (known->second.told) return;
  known->second.told = true;
  out.event(now, EventKind::alarm, vm.id, host,
            "the hypervisor of " + quoted(host.str()) + " cannot say how VM " +
                quoted(vm.id.str()) + " is" +
                (vm.immovable_reason.empty() ? "" : ": " + vm.immovable_reason) +
                "; it stays, the others there are measured");
}

// One that is gone is silent no more.
void SilentVms::end() {
  std::erase_if(silent_, [&](const auto& known) { return known.second.look != look_; });
}

}  // namespace ballast::node
