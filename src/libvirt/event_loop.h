// libvirt's own event loop, on one thread for the whole process: it sees that a connection is dead
// (keep-alive), that it was closed, and that something happened to a domain. It runs while anybody
// holds it.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

namespace ballast::libvirt {

class EventLoop {
 public:
  // The one that runs, or a new one; null when libvirt cannot have one.
  static std::shared_ptr<EventLoop> shared();

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // Not on the loop's own thread.
  ~EventLoop();

 private:
  EventLoop();
  void run();

  std::atomic<bool> stopping_ = false;
  int timer_ = -1;
  std::thread thread_;
};

}  // namespace ballast::libvirt
