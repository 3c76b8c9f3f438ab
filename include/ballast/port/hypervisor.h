// The seam to a hypervisor. One owner, one thread calls it; what blocks runs on threads of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ballast/model/hypervisor.h"

namespace ballast::port {

class Hypervisor {
 public:
  Hypervisor() = default;
  Hypervisor(const Hypervisor&) = delete;
  Hypervisor& operator=(const Hypervisor&) = delete;
  virtual ~Hypervisor() = default;

  // Hands a command over and returns at once. Its answer comes through take_events(), or never.
  virtual void submit(const HypervisorCommand& command) = 0;

  // What has been answered since the last call, oldest first.
  virtual std::vector<HypervisorEvent> take_events() = 0;

  // A descriptor that is readable while events wait, for poll(2). Owned by the hypervisor.
  virtual int event_descriptor() const = 0;

  // Where other hypervisors of this kind send a migration to.
  virtual std::string migration_uri() const = 0;

  // For `ballast status`: by name, with the unit as its last word.
  virtual std::map<std::string, std::uint64_t> counters() const { return {}; }
};

}  // namespace ballast::port
