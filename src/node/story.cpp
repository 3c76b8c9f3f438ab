#include "story.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "ballast/base/limits.h"

namespace ballast::node {
namespace {

// Each of these is a step of its own, however often it comes.
bool may_fold(const char* kind) {
  return std::strcmp(kind, "moved") != 0 && std::strcmp(kind, "ordered") != 0;
}

bool is_chatter(const char* kind) {
  return std::strcmp(kind, "request") == 0 || std::strcmp(kind, "refusal") == 0 ||
         std::strcmp(kind, "exchange") == 0;
}

// What a line says but for its figures: a load that differs by a tenth of a point is no news.
std::string gist_of(const std::string& text) {
  std::string gist;
  for (std::size_t i = 0; i < text.size();) {
    const auto is_digit = [&](std::size_t at) {
      return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    std::size_t end = i;
    while (is_digit(end)) ++end;
    if (end > i && end < text.size() && text[end] == '.' && is_digit(end + 1)) {
      for (++end; is_digit(end); ++end) {
      }
      gist += '#';
    } else {
      end = std::max(end, i + 1);
      gist.append(text, i, end - i);
    }
    i = end;
  }
  return gist;
}

}  // namespace

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
  const std::string gist = gist_of(text);
  const auto same = std::find_if(known.lines.begin(), known.lines.end(), [&](const Line& line) {
    return std::strcmp(line.kind, kind) == 0 && line.host == host && gist_of(line.text) == gist;
  });
  if (may_fold(kind) && same != known.lines.end()) {
    Line again = *same;
    again.at = now;
    again.text = std::move(text);
    ++again.times;
    known.lines.erase(same);
    known.lines.push_back(std::move(again));
    return;
  }
  if (known.lines.size() >= limits::story_lines_max) {
    const auto chatter = std::find_if(known.lines.begin(), known.lines.end(),
                                      [](const Line& line) { return is_chatter(line.kind); });
    known.lines.erase(chatter == known.lines.end() ? known.lines.begin() : chatter);
  }
  known.lines.push_back({now, now, 1, kind, host, std::move(text)});
}

const std::deque<Story::Line>* Story::of(const VmId& vm) const {
  const auto found = by_vm_.find(vm);
  return found == by_vm_.end() ? nullptr : &found->second.lines;
}

}  // namespace ballast::node
