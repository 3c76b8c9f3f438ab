// The one place where a node sleeps: until its sockets, other descriptors or the time call it.
//
//   for (;;) {
//     const Ready ready = wait(transport.get(), control.get(), descriptors, next - now);
//     for (auto& event : transport->take_events(256)) ...   // also when only the time is over: it
//     for (auto& request : control->take_requests()) ...    // keeps the connections in order
//     for (int descriptor : ready.descriptors) ...          // signalfd, the hypervisor's events
//   }
#pragma once

#include <span>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/zmq/control.h"
#include "ballast/zmq/transport.h"

namespace ballast::zmq {

struct Ready {
  bool network = false;
  bool control = false;
  std::vector<int> descriptors;  // those that are readable or closed
};

// Sleeps until something can be taken, at most `timeout` (rounded up to milliseconds; 0 or less
// does not sleep). Either of the two may be null. A signal ends the sleep with nothing ready.
Ready wait(const ZmqTransport* transport, const ControlServer* control,
           std::span<const int> descriptors, Duration timeout);

}  // namespace ballast::zmq
