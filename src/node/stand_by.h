// A second master that is there for the day that the first is gone. Made by `min_masters`, it leads
// an empty group: its own host stays in the group of the master that made it, so that a small fleet
// is planned as one. When that master has been gone for some seconds it follows another that leads
// hosts, or of several that stand by the one with the lowest id, and else it leads itself. Pure.
#pragma once

#include <optional>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/model/config.h"
#include "ballast/node/view.h"

namespace ballast::node {

class StandBy {
 public:
  explicit StandBy(NodeId self) : self_(std::move(self)) {}

  bool active() const { return active_; }
  void begin() { active_ = true; }
  void end() {
    active_ = false;
    alone_since_.reset();
    tried_ = 0;
  }

  struct Next {
    bool lead = false;
    std::optional<PeerAddress> follow;
  };
  // `first`: the master of its own host; `attached`: that one answers. `slaves`: hosts of its own
  // group, which shall not be planned apart from its own. `others`: masters known.
  Next tick(TimePoint now, const NodeId& first, bool attached, std::size_t slaves,
            const std::vector<MasterView>& others);
  TimePoint next_deadline() const;

  // Whether nodes that look for a master shall come here: not while the first one lives and has
  // room in a small fleet, or they would be planned apart from the rest.
  bool takes_slaves(const NodeId& first, bool attached, std::size_t slaves_max,
                    const std::vector<MasterView>& others) const;

 private:
  NodeId self_;
  bool active_ = false;
  std::optional<TimePoint> alone_since_;
  int tried_ = 0;  // others, since it is alone
};

}  // namespace ballast::node
