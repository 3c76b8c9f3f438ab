#include "line.h"

#include <algorithm>
#include <utility>

namespace ballast::libvirt {

Result<std::shared_ptr<Connection>> Line::get() {
  const std::lock_guard lock(mutex_);
  if (closed_) return Error{"this node is stopping"};
  if (connection_ && connection_->is_alive()) return connection_;
  connection_.reset();
  const Clock::time_point now = Clock::now();
  if (pause_.count() > 0 && now < next_try_) return Error{problem_};
  Result<std::unique_ptr<Connection>> opened = connector_->open(on_event_);
  if (!opened) {
    pause_ = std::clamp(2 * pause_, pause_min, pause_max);
    next_try_ = Clock::now() + pause_;
    problem_ = opened.error().message;
    return Error{problem_};
  }
  pause_ = std::chrono::milliseconds(0);
  connection_ = std::move(*opened);
  return connection_;
}

void Line::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  connection_.reset();
}

}  // namespace ballast::libvirt
