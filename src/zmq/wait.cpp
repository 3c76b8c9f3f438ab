#include "ballast/zmq/wait.h"

#include <algorithm>
#include <limits>
#include <zmq.hpp>

namespace ballast::zmq {
namespace {

long milliseconds_up(Duration timeout) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return static_cast<long>(
      std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

Ready wait(const ZmqTransport* transport, const ControlServer* control,
           std::span<const int> descriptors, Duration timeout) {
  std::vector<void*> sockets;
  if (transport != nullptr) {
    transport->append_sockets(sockets);
    timeout = std::min(timeout, transport->patience());
  }
  std::vector<zmq_pollitem_t> items;
  items.reserve(sockets.size() + descriptors.size() + 1);
  for (void* socket : sockets) items.push_back({socket, 0, ZMQ_POLLIN, 0});
  if (control != nullptr) items.push_back({nullptr, control->descriptor(), ZMQ_POLLIN, 0});
  for (const int descriptor : descriptors) {
    items.push_back({nullptr, descriptor, ZMQ_POLLIN | ZMQ_POLLERR, 0});
  }
  Ready ready;
  const int found =
      zmq_poll(items.data(), static_cast<int>(items.size()), milliseconds_up(timeout));
  if (found <= 0) return ready;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].revents == 0) continue;
    if (i < sockets.size()) {
      ready.network = true;
    } else if (control != nullptr && items[i].fd == control->descriptor()) {
      ready.control = true;
    } else {
      ready.descriptors.push_back(items[i].fd);
    }
  }
  return ready;
}

}  // namespace ballast::zmq
