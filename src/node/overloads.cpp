#include "overloads.h"

#include <algorithm>
#include <vector>

namespace ballast::node {
namespace {

constexpr std::size_t remembered_max = 24;
constexpr std::size_t known_min = 4;  // fewer say nothing
// Which VMs are there changes: what was long ago was another host.
constexpr Duration remembered_for = std::chrono::hours(24);

}  // namespace

void Overloads::sample(TimePoint now, bool over) {
  if (over && !since_) {
    since_ = now;
    relieved_ = false;
  } else if (!over && since_) {
    past_.push_back({now, now - *since_, relieved_});
    since_.reset();
    if (past_.size() > remembered_max) past_.pop_front();
  }
  while (!past_.empty() && now - past_.front().ended > remembered_for) past_.pop_front();
}

void Overloads::relieved() { relieved_ = true; }

std::optional<Duration> Overloads::passes_in(TimePoint now) const {
  if (!since_) return std::nullopt;
  const Duration age = now - *since_;
  std::vector<Duration> on;  // for how much longer they lasted; those that were relieved: for ever
  for (const Past& one : past_) {
    if (one.lasted <= age) continue;
    on.push_back(one.relieved ? Duration::max() : one.lasted - age);
  }
  if (on.size() < known_min) return std::nullopt;
  const auto median = on.begin() + static_cast<std::ptrdiff_t>(on.size() / 2);
  std::nth_element(on.begin(), median, on.end());
  return *median == Duration::max() ? std::nullopt : std::optional(*median);
}

}  // namespace ballast::node
