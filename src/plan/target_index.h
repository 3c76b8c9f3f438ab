// Finds hosts with room in every resource at once without looking at all of them: a binary tree
// over the hosts, each node holding the largest room per resource below it. A subtree that cannot
// have room is skipped whole, so that a search costs about log(hosts) per candidate it finds.
#pragma once

#include <vector>

#include "placement.h"
#include "problem.h"

namespace ballast::plan {

class TargetIndex {
 public:
  static constexpr std::size_t none = ~std::size_t{0};

  // Over these hosts, in this order; positions below are positions in it.
  TargetIndex(const Problem& problem, const Placement& placement, std::vector<HostIndex> order);

  std::size_t size() const { return order_.size(); }
  HostIndex host(std::size_t position) const { return order_[position]; }
  // The first position from `from` on whose room is at least `need` in every resource, or none.
  std::size_t next(std::size_t from, const Load& need) const;
  // The host's load has changed; `open` false hides it from next().
  void update(const Placement& placement, std::size_t position, bool open);

 private:
  void set_leaf(const Placement& placement, std::size_t position, bool open);

  const Problem* problem_;
  std::vector<HostIndex> order_;
  std::size_t leaves_ = 1;
  std::vector<Load> room_;
};

}  // namespace ballast::plan
