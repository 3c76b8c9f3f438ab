// Where workers leave events for the loop: a bounded list, and a descriptor that is readable while
// something waits. Held by all who may write, so that a worker that was left to itself still finds
// it.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "ballast/model/hypervisor.h"

namespace ballast::libvirt {

class Mailbox {
 public:
  Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  // A sample takes the place of one that waits: the newest counts.
  void put(HypervisorEvent event);
  std::vector<HypervisorEvent> take();
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  std::mutex mutex_;
  std::deque<HypervisorEvent> events_;
};

}  // namespace ballast::libvirt
