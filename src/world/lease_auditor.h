// Looks at each promise of room at the moment it is made: what the host carries and all that is
// promised on it must stay under its limits, in memory under what it has. The sum is made anew,
// from the ledger's open leases and the reported loads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ballast/ledger/ledger.h"

namespace ballast::world {

class LeaseAuditor {
 public:
  using Complain = std::function<void(const std::string& auditor, const std::string& detail)>;

  LeaseAuditor(std::size_t nodes, Complain complain)
      : seen_(nodes, 0), complain_(std::move(complain)) {}

  // After each step of a master. What was promised in that step is new.
  void look(std::uint32_t node, const ledger::Ledger& ledger);
  // What is promised there is not judged any more: it lies about what it has and carries.
  void spare(const HostId& host) { spared_.insert(host); }
  // Its leases are counted anew.
  void restarted(std::uint32_t node) {
    seen_[node] = 0;
    suspects_.erase(node);
  }

 private:
  void judge(std::uint32_t node, const ledger::Ledger& ledger, const ledger::Lease& lease,
             std::uint64_t newest);
  bool half_is_gone(std::uint32_t node, const ledger::Ledger& ledger, const ledger::Lease& lease,
                    std::uint64_t newest) const;
  void settle_suspicion(std::uint32_t node, const ledger::Ledger& ledger, std::uint64_t newest);

  std::vector<std::uint64_t> seen_;                // highest number of each node's own leases
  std::map<std::uint32_t, std::string> suspects_;  // of nodes: about their newest lease
  std::set<HostId> spared_;
  Complain complain_;
};

}  // namespace ballast::world
