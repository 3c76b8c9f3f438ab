#include "try_auditor.h"

#include <algorithm>

namespace ballast::world {

void TryAuditor::starts(TimePoint now, const VmId& vm, HostIndex to, const NodeId& master,
                        std::uint32_t life) {
  const Key key{vm, to, master, life};
  open_.insert_or_assign(vm, key);
  std::deque<TimePoint>& tries = tries_[key];
  tries.push_back(now);
  while (tries.front() + std::chrono::hours(24) <= now) tries.pop_front();
  const auto in_hour = static_cast<std::size_t>(std::count_if(
      tries.begin(), tries.end(), [&](TimePoint at) { return at + std::chrono::hours(1) > now; }));
  const bool too_often = in_hour > an_hour_max || tries.size() > a_day_max;
  if (too_often)
    complain_("tried again and again", quoted(vm.str()) + " is sent to the same host the " +
                                           std::to_string(in_hour) + ". time within an hour, the " +
                                           std::to_string(tries.size()) + ". within a day, by " +
                                           quoted(master.str()));
}

void TryAuditor::ended(const VmId& vm, bool ok) {
  const auto open = open_.find(vm);
  if (open == open_.end()) return;
  if (ok) tries_.erase(open->second);
  open_.erase(open);
}

}  // namespace ballast::world
