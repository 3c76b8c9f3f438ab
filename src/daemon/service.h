// What the service manager hears of this process (sd_notify(3)): that it is ready, that its
// decision loop still turns, that it stops. A datagram each, to the socket that the environment
// names; without one, nothing is said. A manager that does not listen never holds the loop up.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/time.h"

namespace ballast::daemon {

class ServiceManager {
 public:
  // As the environment variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; null is not
  // set. What does not make sense counts as not set.
  ServiceManager(const char* socket, const char* watchdog_us, const char* watchdog_pid);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready();
  void stopping();

  // Tells that the loop has turned, three times in each interval of the watchdog.
  void turned(TimePoint now);
  // When turned() wants to be called at the latest.
  TimePoint next_deadline() const { return next_; }

 private:
  void say(std::string_view state) const;

  int descriptor_ = -1;
  std::string address_;
  Duration every_{0};  // 0: no watchdog
  TimePoint next_ = time_never;
};

}  // namespace ballast::daemon
