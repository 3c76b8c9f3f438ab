// Containers that cannot grow past a bound: what does not fit is refused or pushed out, and
// counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "ballast/base/assert.h"

namespace ballast {

// First in, first out, of at most `capacity` items. A full queue refuses the new one.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {
    BALLAST_ASSERT(capacity > 0, "a queue that holds nothing");
  }
  // False, and one more dropped, when the queue is full.
  bool push(T item) {
    if (items_.size() >= capacity_) {
      ++dropped_;
      return false;
    }
    items_.push_back(std::move(item));
    return true;
  }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  T pop() {
    BALLAST_ASSERT(!items_.empty(), "pop from an empty queue");
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::size_t capacity_;
  std::uint64_t dropped_ = 0;
  std::deque<T> items_;
};

// The last `capacity` items: a full ring forgets its oldest.
template <class T>
class BoundedRing {
 public:
  explicit BoundedRing(std::size_t capacity) : capacity_(capacity) {
    BALLAST_ASSERT(capacity > 0, "a ring that holds nothing");
  }
  void push(T item) {
    if (items_.size() >= capacity_) {
      items_.pop_front();
      ++forgotten_;
    }
    items_.push_back(std::move(item));
  }
  std::size_t size() const { return items_.size(); }
  std::uint64_t forgotten() const { return forgotten_; }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  std::size_t capacity_;
  std::uint64_t forgotten_ = 0;
  std::deque<T> items_;
};

}  // namespace ballast
