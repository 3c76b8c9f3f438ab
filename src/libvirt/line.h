// One connection to libvirt that is opened again when it was lost: libvirtd may restart at any
// time. Tries are further and further apart, so that a libvirtd that comes up is not run down.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "ballast/base/result.h"
#include "connection.h"

namespace ballast::libvirt {

class Line {
 public:
  Line(std::shared_ptr<Connector> connector, DomainEvent on_event)
      : connector_(std::move(connector)), on_event_(std::move(on_event)) {}

  // The connection that is open, or a new one; an error while there is none to be had. May block.
  Result<std::shared_ptr<Connection>> get();
  // For good. May block.
  void close();

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds pause_min{250};
  static constexpr std::chrono::milliseconds pause_max{5000};

  std::shared_ptr<Connector> connector_;
  DomainEvent on_event_;
  std::mutex mutex_;
  std::shared_ptr<Connection> connection_;
  std::string problem_;
  std::chrono::milliseconds pause_{0};  // 0: the last try went well
  Clock::time_point next_try_;
  bool closed_ = false;
};

}  // namespace ballast::libvirt
