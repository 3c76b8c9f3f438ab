// How often the same is tried although it failed: migrations of one VM to one target that one
// master, in one life of its process, has had begun.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/snapshot.h"

namespace ballast::world {

class TryAuditor {
 public:
  using Complain = std::function<void(const std::string& auditor, const std::string& detail)>;
  explicit TryAuditor(Complain complain) : complain_(std::move(complain)) {}

  // Tries that a rest of ten minutes, twice as long each time, leaves room for; where the reason
  // did not reach the master the rest is shorter.
  static constexpr std::size_t an_hour_max = 10;
  static constexpr std::size_t a_day_max = 18;

  void starts(TimePoint now, const VmId& vm, HostIndex to, const NodeId& master,
              std::uint32_t life);
  void ended(const VmId& vm, bool ok);

 private:
  using Key = std::tuple<VmId, HostIndex, NodeId, std::uint32_t>;

  Complain complain_;
  std::map<Key, std::deque<TimePoint>> tries_;  // of the last day, since the last that went well
  std::map<VmId, Key> open_;
};

}  // namespace ballast::world
