#include "tally.h"

#include <algorithm>

namespace ballast::world {
namespace {

constexpr Duration joining_takes = std::chrono::minutes(1);
constexpr Duration joined_after = std::chrono::minutes(2);

std::uint64_t counted(const std::map<std::string, std::uint64_t>& counters, const char* what) {
  const auto found = counters.find(what);
  return found == counters.end() ? 0 : found->second;
}

}  // namespace

Tally::Tally(World& world) : world_(world) {
  world.on_moved([this](VmIndex vm, HostIndex from, HostIndex to) {
    ++moved_;
    if (on_moved_) on_moved_(vm, from, to);
    const std::vector<TraceHost>& hosts = world_.trace().hosts;
    if (hosts[from].group != hosts[to].group) ++moved_between_groups_;
  });
}

Tally::Sent Tally::sent() const {
  Sent sent{world_.elapsed(), 0, 0, world_.words(), 0};
  for (std::size_t i = 0; i < world_.nodes(); ++i) {
    if (!world_.is_master(i)) continue;
    const Traffic traffic = world_.traffic(i);
    sent.in += traffic.in_bytes;
    sent.out += traffic.out_bytes;
    sent.masters += world_.is_up(i) ? 1 : 0;
  }
  return sent;
}

Bytes Tally::rate(const Sent& from, const Sent& to) {
  const double spans = static_cast<double>(std::max<std::size_t>(1, to.masters)) *
                       std::max(1.0, seconds_of(to.at - from.at));
  return {(to.in - from.in) / spans, (to.out - from.out) / spans};
}

void Tally::look(SimulateResult& result) {
  if (!joining_until_ && world_.elapsed() >= joining_takes) {
    joining_until_ = sent();
    result.while_joining = rate({}, *joining_until_);
  }
  if (!joined_from_ && world_.elapsed() >= joined_after) joined_from_ = sent();
}

void Tally::fill(SimulateResult& result) const {
  result.migrations = moved_;
  result.migrations_remote = moved_between_groups_;
  std::size_t masters = 0;
  for (std::size_t i = 0; i < world_.nodes(); ++i) {
    if (!world_.is_master(i)) continue;
    ++masters;
    const Traffic traffic = world_.traffic(i);
    result.peers_max = std::max(result.peers_max, traffic.feeds_max);
    result.connections_max = std::max(result.connections_max, traffic.connections_max);
    result.in_bytes_per_master_s += traffic.in_bytes;
    result.out_bytes_per_master_s += traffic.out_bytes;
  }
  const std::map<std::string, std::uint64_t> counters = world_.counters();
  result.migrations_swaps = (counted(counters, "migrations_done_in_swaps") +
                             counted(counters, "remote_migrations_in_swaps")) /
                            2;
  result.requests_sent = counted(counters, "requests_sent");
  result.requests_granted = counted(counters, "requests_granted");
  result.requests_granted_first = counted(counters, "requests_granted_first");
  result.requests_refused = counted(counters, "requests_refused");
  result.requests_refused_stale = counted(counters, "requests_refused_stale");
  const double spans = static_cast<double>(std::max<std::size_t>(1, masters)) *
                       std::max(1.0, seconds_of(world_.elapsed()));
  result.in_bytes_per_master_s /= spans;
  result.out_bytes_per_master_s /= spans;
  if (joined_from_) {
    const Sent now = sent();
    result.once_joined = rate(*joined_from_, now);
    const double minutes = seconds_of(now.at - joined_from_->at) / 60;
    result.changed_share_per_minute = static_cast<double>(now.words - joined_from_->words) /
                                      static_cast<double>(std::max<std::size_t>(1, now.masters)) /
                                      std::max(1.0 / 60, minutes);
  }
  for (const auto& [kind, bytes] : world_.bytes_by_kind())
    result.bytes_by_kind[kind] = bytes / spans;
}

}  // namespace ballast::world
