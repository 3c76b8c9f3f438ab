// What became of each VM lately, step by step: planned, asked for, granted or refused, agreed,
// ordered, arrived or not. For `ballast why`; nothing is decided by it. Bounded: a VM keeps its
// last steps, and the VM that nothing happened to for longest is forgotten first. What is tried
// again and again is one line, and never pushes out what it is tried for.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"

namespace ballast::node {

class Story {
 public:
  struct Line {
    TimePoint first;
    TimePoint at;  // the last time
    std::uint32_t times = 1;
    const char* kind = "";  // of static storage
    HostId host;
    std::string text;
  };

  void add(TimePoint now, const VmId& vm, const char* kind, const HostId& host, std::string text);
  // Oldest first; null when nothing is known of it.
  const std::deque<Line>* of(const VmId& vm) const;

 private:
  struct Lines {
    std::deque<Line> lines;
    std::uint64_t touched = 0;
  };
  std::map<VmId, Lines> by_vm_;
  std::map<std::uint64_t, VmId> by_age_;
  std::uint64_t touches_ = 0;
};

}  // namespace ballast::node
