// What will happen, in order: a heap of small entries for what is on its way to nodes, and a heap
// that knows where each node stands in it for the nodes' own deadlines. Nothing here is ever
// scanned: a world of 90,000 nodes pays for those that act.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ballast/node/node.h"

namespace ballast::world {

// Shared: a publication is one input to all who hear it.
using InputPtr = std::shared_ptr<const node::Input>;

// On its way to a node.
struct Arrival {
  TimePoint at;
  std::uint64_t order = 0;  // of two at one time the earlier made goes first
  std::uint32_t node = 0;
  std::uint32_t life = 0;  // 0: for whichever life of the node is there then
  InputPtr input;
};

class ArrivalQueue {
 public:
  void push(TimePoint at, std::uint32_t node, std::uint32_t life, InputPtr input) {
    heap_.push_back(Arrival{at, ++made_, node, life, std::move(input)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  TimePoint next() const { return heap_.empty() ? time_never : heap_.front().at; }
  Arrival pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Arrival first = std::move(heap_.back());
    heap_.pop_back();
    return first;
  }

 private:
  static bool later(const Arrival& a, const Arrival& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
  std::vector<Arrival> heap_;
  std::uint64_t made_ = 0;
};

// The earliest of many deadlines, each of which may change at any time.
class Deadlines {
 public:
  explicit Deadlines(std::size_t count) : at_(count, time_never), place_(count), heap_(count) {
    for (std::uint32_t i = 0; i < count; ++i) place_[i] = heap_[i] = i;
  }

  TimePoint next() const { return heap_.empty() ? time_never : at_[heap_.front()]; }
  std::uint32_t first() const { return heap_.front(); }

  void set(std::uint32_t which, TimePoint at) {
    const TimePoint before = at_[which];
    at_[which] = at;
    if (at < before) {
      rise(place_[which]);
    } else if (at > before) {
      sink(place_[which]);
    }
  }

 private:
  bool before(std::uint32_t a, std::uint32_t b) const {
    return at_[a] != at_[b] ? at_[a] < at_[b] : a < b;
  }
  void put(std::size_t place, std::uint32_t which) {
    heap_[place] = which;
    place_[which] = static_cast<std::uint32_t>(place);
  }
  void rise(std::size_t place) {
    const std::uint32_t which = heap_[place];
    while (place > 0) {
      const std::size_t parent = (place - 1) / 4;
      if (!before(which, heap_[parent])) break;
      put(place, heap_[parent]);
      place = parent;
    }
    put(place, which);
  }
  void sink(std::size_t place) {
    const std::uint32_t which = heap_[place];
    for (;;) {
      const std::size_t first = place * 4 + 1;
      if (first >= heap_.size()) break;
      std::size_t best = first;
      for (std::size_t i = first + 1; i < std::min(first + 4, heap_.size()); ++i) {
        if (before(heap_[i], heap_[best])) best = i;
      }
      if (!before(heap_[best], which)) break;
      put(place, heap_[best]);
      place = best;
    }
    put(place, which);
  }

  std::vector<TimePoint> at_;
  std::vector<std::uint32_t> place_;  // of each, in the heap
  std::vector<std::uint32_t> heap_;   // four children a parent: fewer levels to sink
};

}  // namespace ballast::world
