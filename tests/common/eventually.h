// Waiting for what other threads or processes do: for a condition, with a bound that only a broken
// build reaches.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>

namespace ballast {

// False when the condition does not come true within a minute. Nothing tells of it, so it is asked
// every millisecond.
inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace ballast
