// Holds what nodes say and do about migrations against what is true in the fleet at that moment:
//
//   a holder says that a VM arrived or stayed     the VM runs where it says
//   a target says that a VM is here or is not     the same
//   a master tells its operator that a VM moved  the VM is there, or was just before
//   a hypervisor is told to migrate               the VM runs there, the target has said yes, the
//                                                 streams of both hosts are free, whoever promised
//                                                 the room was up for long enough, and no liar that
//                                                 is not the holder's master has ordered it
//
// A thing is judged when it is said first: it may be repeated when the world has gone on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ballast/hypermodel/fleet.h"
#include "ballast/node/node.h"

namespace ballast::world {

class WordAuditor {
 public:
  using Complain = std::function<void(const std::string& auditor, const std::string& detail)>;

  WordAuditor(const hypermodel::Fleet& fleet, Complain complain)
      : fleet_(fleet), complain_(std::move(complain)) {}

  // A message that the node of this host sends. Of one that lies only what it orders is noted.
  void said(HostIndex host, const wire::Body& body, bool lies = false);

  // It has come to run there.
  void runs(const VmId& vm, HostIndex host) { ran_.emplace(vm, host); }
  void told(const node::Event& event, HostIndex to);

  // What is known of a start at both its ends.
  struct Start {
    HostIndex from = 0;
    HostIndex to = 0;
    HostIndex master = 0;                    // of the holder
    bool target_may_have_forgotten = false;  // it began its life a moment ago, or is down
    bool target_honours = false;
    bool quiet = false;  // the grantor has just started: nothing may move yet
    std::uint32_t outgoing_max = 0;
    std::uint32_t incoming_max = 0;
  };
  void starts(const StartMigration& command, const Start& start);

 private:
  bool first(const LeaseId& lease, int what) { return heard_.emplace(lease, what).second; }
  void check(const wire::Outcome& outcome, HostIndex host);
  void check(const wire::LeaseState& state, HostIndex host);

  const hypermodel::Fleet& fleet_;
  Complain complain_;
  std::set<LeaseId> ordered_;  // by who does not lie
  std::map<LeaseId, std::set<HostIndex>> ordered_by_liars_;
  std::set<std::pair<LeaseId, int>> heard_;
  struct Known {
    VmId vm;
    HostIndex to = 0;
  };
  std::map<LeaseId, Known> started_;  // migrations that were started, by their lease
  std::set<std::pair<VmId, HostIndex>> ran_;
};

}  // namespace ballast::world
