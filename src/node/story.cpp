#include "story.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ballast/base/limits.h"

namespace ballast::node {

void Story::add(TimePoint now, const VmId& vm, const char* kind, const HostId& host,
                std::string text) {
  auto found = by_vm_.find(vm);
  if (found == by_vm_.end()) {
    if (by_vm_.size() >= limits::stories_max) {
      by_vm_.erase(by_age_.begin()->second);
      by_age_.erase(by_age_.begin());
    }
    found = by_vm_.emplace(vm, Lines{}).first;
  } else {
    by_age_.erase(found->second.touched);
  }
  Lines& known = found->second;
  known.touched = ++touches_;
  by_age_.emplace(known.touched, vm);
  // The same again, with nothing of another kind since then that contradicts it: said once.
  const auto last = std::find_if(known.lines.rbegin(), known.lines.rend(), [&](const Line& line) {
    return std::strcmp(line.kind, kind) == 0;
  });
  if (last != known.lines.rend() && last->text == text && last->host == host) {
    Line again = *last;
    again.at = now;
    ++again.times;
    known.lines.erase(std::next(last).base());
    known.lines.push_back(std::move(again));
    return;
  }
  if (known.lines.size() >= limits::story_lines_max) known.lines.pop_front();
  known.lines.push_back({now, 1, kind, host, std::move(text)});
}

const std::deque<Story::Line>* Story::of(const VmId& vm) const {
  const auto found = by_vm_.find(vm);
  return found == by_vm_.end() ? nullptr : &found->second.lines;
}

}  // namespace ballast::node
