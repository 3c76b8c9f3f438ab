// VMs whose hypervisor does not say how they are (a QEMU that hangs): told once, by their host and
// by its master, and again when they are back. One look may come at a bad moment, two do not.
#pragma once

#include <map>
#include <string>

#include "ballast/model/hypervisor.h"
#include "outbox.h"

namespace ballast::node {

class SilentVms {
 public:
  // To be called for every VM of a look at this host, between begin() and end().
  void begin() { ++look_; }
  void see(TimePoint now, const HostId& host, const VmSample& vm, Outbox& out);
  void end();

 private:
  struct Silent {
    TimePoint since;
    std::uint64_t look = 0;  // the last in which it was seen
    bool told = false;
  };
  std::uint64_t look_ = 0;
  std::map<VmId, Silent> silent_;
};

}  // namespace ballast::node
