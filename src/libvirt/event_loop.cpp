#include "event_loop.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <mutex>

namespace ballast::libvirt {
namespace {

// Errors come back as values: nothing is printed behind the log's back.
void stay_silent(void*, virErrorPtr) {}

bool prepare_once() {
  static std::once_flag once;
  static bool prepared = false;
  std::call_once(once, [] {
    virSetErrorFunc(nullptr, stay_silent);
    prepared = virInitialize() == 0 && virEventRegisterDefaultImpl() == 0;
  });
  return prepared;
}

void on_timer(int, void*) {}

}  // namespace

std::shared_ptr<EventLoop> EventLoop::shared() {
  static std::mutex mutex;
  static std::weak_ptr<EventLoop> running;
  const std::lock_guard lock(mutex);
  std::shared_ptr<EventLoop> loop = running.lock();
  if (loop || !prepare_once()) return loop;
  loop.reset(new EventLoop);
  running = loop;
  return loop;
}

// The timer never fires by itself: it is what wakes the loop when it is to end.
EventLoop::EventLoop()
    : timer_(virEventAddTimeout(-1, on_timer, nullptr, nullptr)), thread_([this] { run(); }) {}

EventLoop::~EventLoop() {
  stopping_ = true;
  virEventUpdateTimeout(timer_, 0);
  thread_.join();
  virEventRemoveTimeout(timer_);
}

void EventLoop::run() {
  while (!stopping_) {
    if (virEventRunDefaultImpl() < 0) break;
  }
}

}  // namespace ballast::libvirt
