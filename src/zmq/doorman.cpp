#include "doorman.h"

#include <algorithm>
#include <vector>

#include "ballast/base/limits.h"

namespace ballast::zmq {
namespace {

// From the connection to its first message. A slave says something in each report interval.
constexpr std::chrono::seconds silent_max(30);
constexpr std::chrono::seconds key_counts_for(30);

}  // namespace

std::size_t Doorman::count_of(std::uint32_t address) const {
  const auto found = of_address_.find(address);
  return found == of_address_.end() ? 0 : found->second;
}

void Doorman::accepted(Clock::time_point now, int descriptor, std::size_t spoken) {
  spoke(descriptor);  // what had this number before has ended
  const std::optional<Connection> connection = connection_at(descriptor);
  if (!connection) return;
  if (spoken + waiting_.size() >= connections_max_ ||
      count_of(connection->address) >= limits::unproven_per_address_max) {
    ++counters_.too_many;
    cut(*connection);
    return;
  }
  if (waiting_.size() >= limits::unproven_max) make_room();
  waiting_.emplace(descriptor, Waiting{*connection, now, ++came_, 0});
  ++of_address_[connection->address];
}

void Doorman::make_room() {
  const auto most =
      std::max_element(of_address_.begin(), of_address_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  int oldest = -1;
  for (const auto& [descriptor, one] : waiting_) {
    if (count_of(one.connection.address) < most->second) continue;
    if (oldest < 0 || one.number < waiting_.at(oldest).number) oldest = descriptor;
  }
  ++counters_.too_many;
  cut_off(oldest);
}

std::size_t Doorman::heard(int descriptor) {
  const auto found = waiting_.find(descriptor);
  return found == waiting_.end() ? 0 : ++found->second.said;
}

void Doorman::spoke(int descriptor) {
  const auto found = waiting_.find(descriptor);
  if (found == waiting_.end()) return;
  const auto address = of_address_.find(found->second.connection.address);
  if (--address->second == 0) {
    shown_key_.erase(address->first);
    of_address_.erase(address);
  }
  waiting_.erase(found);
}

void Doorman::cut_off(int descriptor) {
  const Connection connection = waiting_.at(descriptor).connection;
  spoke(descriptor);
  cut(connection);
}

void Doorman::key_accepted(Clock::time_point now, std::uint32_t address) {
  // Only where somebody waits: no more addresses than connections.
  if (of_address_.contains(address)) shown_key_[address] = now + key_counts_for;
}

void Doorman::look(Clock::time_point now) {
  std::erase_if(shown_key_, [&](const auto& known) { return known.second <= now; });
  std::vector<int> over;
  for (const auto& [descriptor, one] : waiting_) {
    const bool silent = now >= one.since + silent_max;
    const bool too_long = !shown_key_.contains(one.connection.address) &&
                          received_on(one.connection) > limits::handshake_bytes_max;
    if (!silent && !too_long) continue;
    ++(silent ? counters_.silent : counters_.too_long);
    over.push_back(descriptor);
  }
  for (const int descriptor : over) cut_off(descriptor);
}

}  // namespace ballast::zmq
