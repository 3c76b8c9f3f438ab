// From counters to loads: two looks at a host and its domains, some time apart, make one sample.
//
// What counts, and why:
//   CPU of a VM      what all threads of its QEMU used, and beyond that what its vCPUs waited for a
//                    CPU (steal): on a host that is full, use alone would make every VM look small
//                    exactly when the planner must see how much it wants. At most its vCPUs.
//   memory of a VM   what its guest may use without asking anybody (the balloon's current size),
//                    touched or not: it may touch it at any moment, here or where it goes.
//   base CPU         what the host was busy with, less what all QEMUs used.
//   base memory      what is neither available nor guests' memory: the system, reserved huge pages,
//                    and QEMU's own overhead. Caches that can be given back do not count.
//   base network     what the host's interface carried beyond its VMs; not taken anew while a
//                    migration runs here, whose traffic will be gone before any plan is carried
//                    out.
//   network          the busier of the two directions.
//
// cpu.time starts again from 0 on a host that a VM has moved to: a rate is only taken between two
// looks at the same run of a domain, so that an arrival is neither negative nor a spike.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/model/hypervisor.h"
#include "connection.h"
#include "description.h"
#include "host_files.h"

namespace ballast::libvirt {

// What does not change while the host runs.
struct HostShape {
  double cpus = 0;
  double mhz = 0;  // of one CPU
  double memory_mib = 0;
  double network_mbit = 0;  // or unlimited
  std::string host{};       // its UUID; empty: libvirt does not tell
};

struct Look {
  double at_s = 0;  // on a clock that only goes on
  HostCounters host;
  std::vector<DomainLook> domains;
};

class Meter {
 public:
  // `memory_mib` and `base_memory_mib`: as configured, else measured.
  Meter(std::optional<double> memory_mib, std::optional<double> base_memory_mib)
      : memory_mib_(memory_mib), base_memory_mib_(base_memory_mib) {}

  // True when something runs for which there is no earlier look to compare this one with.
  bool needs_another(const Look& look) const;
  // The earlier look for what has none yet.
  void keep(const Look& look);
  // When the newest look was taken that rates may be taken from.
  std::optional<double> last_look_s() const;

  // One sample, from the looks kept and this one; this one is kept. Errors: a counter that is
  // missing or cannot be. `described` is by UUID.
  Result<HostSample> measure(const Look& look, const HostShape& shape,
                             const std::map<std::string, Description>& described);

 private:
  struct Before {
    double at_s = 0;
    DomainLook domain;
  };
  const Before* before(const DomainLook& now) const;
  Result<VmSample> measure_vm(const Look& look, const DomainLook& now, const HostShape& shape,
                              const Description& description, double& used_mhz) const;
  void measure_network(const Look& look, HostSample& sample);
  Status measure_memory(const Look& look, const std::map<std::string, Description>& described,
                        HostSample& sample) const;

  std::optional<double> memory_mib_;
  std::optional<double> base_memory_mib_;
  std::optional<Look> host_;  // without domains
  std::map<std::string, Before> domains_;
  double base_network_mbit_ = 0;
};

// What this domain is to the core: its name, or its UUID where the name cannot be an id.
VmId id_of(const DomainLook& domain);

}  // namespace ballast::libvirt
