// The problem: a rotation of VMs over hosts that are all nearly full. No single move of it is safe,
// no third host has room, and yet there may be a way: a VM that has nothing to do with it steps
// aside, and comes back later.
//
// The idea: best-first search (Hart, Nilsson and Raphael, 1968) over placements. An action is any
// safe move of any unit or any safe exchange of two; the estimate of what is left is the number of
// VMs that are not where they should be, weighed a little above one so that the search keeps to the
// goal. Only small snapshots are treated so, since every placement has hundreds of neighbours; the
// count of placements is bounded.
#include "detour.h"

#include <algorithm>
#include <queue>
#include <string>
#include <unordered_map>

#include "search.h"

namespace ballast::plan {
namespace {

constexpr double memory_rounding = 1e-9;  // of memory, as a share of capacity
constexpr double estimate_weight = 1.5;   // of what is left against what is spent

class Detour {
 public:
  Detour(const Problem& problem, const Placement& from, const Placement& wanted)
      : problem_(problem), now_(from), wanted_(wanted) {
    overload_wanted_ = score_of(problem, wanted).overload + overload_step;
    for (UnitIndex u = 0; u < problem.units.size(); ++u)
      if (problem.units[u].movable) movable_.push_back(u);
    for (HostIndex h = 0; h < problem.hosts.size(); ++h)
      if (problem.hosts[h].target) targets_.push_back(h);
  }

  std::optional<std::vector<Action>> run(std::size_t placements_max) {
    if (problem_.hosts.size() > 255) return std::nullopt;
    push(0, Action{}, 0);
    while (!open_.empty() && nodes_.size() < placements_max) {
      const Entry entry = open_.top();
      open_.pop();
      if (nodes_[entry.node].closed) continue;
      nodes_[entry.node].closed = true;
      restore(nodes_[entry.node].key);
      if (left() == 0 || score_of(problem_, now_).overload <= overload_wanted_)
        return path_to(entry.node);
      expand(entry.node);
    }
    return std::nullopt;
  }

 private:
  struct Node {
    std::string key;
    std::size_t parent = 0;
    Action action;
    std::uint32_t spent = 0;
    bool closed = false;
  };
  struct Entry {
    double cost = 0;
    std::size_t node = 0;
    bool operator<(const Entry& other) const {
      return cost != other.cost ? cost > other.cost : node > other.node;
    }
  };

  std::string key() const {
    std::string key;
    key.reserve(movable_.size());
    for (const UnitIndex u : movable_) key.push_back(static_cast<char>(now_.at(u)));
    return key;
  }

  void restore(const std::string& key) {
    for (std::size_t i = 0; i < movable_.size(); ++i)
      now_.move(movable_[i], static_cast<unsigned char>(key[i]));
  }

  std::uint32_t left() const {
    std::uint32_t sum = 0;
    for (const UnitIndex u : movable_)
      if (now_.at(u) != wanted_.at(u)) sum += problem_.units[u].count;
    return sum;
  }

  // Notes the present placement as reached, unless it was reached as cheaply before.
  void push(std::size_t parent, const Action& action, std::uint32_t spent) {
    std::string here = key();
    const auto [found, is_new] = known_.try_emplace(here, nodes_.size());
    if (is_new) {
      nodes_.push_back({.key = std::move(here),
                        .parent = parent,
                        .action = action,
                        .spent = spent,
                        .closed = false});
    } else {
      Node& node = nodes_[found->second];
      if (node.spent <= spent || node.closed) return;
      node.parent = parent;
      node.action = action;
      node.spent = spent;
    }
    open_.push({.cost = spent + estimate_weight * left(), .node = found->second});
  }

  bool within(UnitIndex u, HostIndex to, const Load& ceiling, UnitIndex gone) const {
    for (std::size_t k = 0; k < resource_count; ++k) {
      double load = now_.load(to)[k] + problem_.units[u].load[k];
      if (gone != Placement::no_unit) load -= problem_.units[gone].load[k];
      if (load > ceiling[k]) return false;
    }
    return true;
  }

  bool has_memory(UnitIndex u, HostIndex to, UnitIndex gone) const {
    double memory = now_.load(to)[memory_at] + problem_.units[u].load[memory_at];
    if (gone != Placement::no_unit) memory -= problem_.units[gone].load[memory_at];
    return memory <= problem_.hosts[to].capacity[memory_at] * (1 + memory_rounding);
  }

  bool may_move(UnitIndex u, HostIndex to) const {
    return within(u, to, problem_.hosts[to].ceiling, Placement::no_unit) &&
           has_memory(u, to, Placement::no_unit) && now_.may_arrive(u, to, Placement::no_unit);
  }

  // The first goes while the second is still there.
  bool may_exchange(UnitIndex first, UnitIndex second) const {
    const HostIndex a = now_.at(first);
    const HostIndex b = now_.at(second);
    return within(first, b, problem_.hosts[b].ceiling, second) &&
           within(second, a, problem_.hosts[a].ceiling, first) &&
           has_memory(first, b, Placement::no_unit) && has_memory(second, a, first) &&
           now_.may_arrive(first, b, Placement::no_unit) && now_.may_arrive(second, a, first);
  }

  void expand(std::size_t node) {
    const std::uint32_t spent = nodes_[node].spent;
    for (const UnitIndex u : movable_) {
      const HostIndex from = now_.at(u);
      for (const HostIndex to : targets_) {
        if (to == from || !may_move(u, to)) continue;
        now_.move(u, to);
        push(node, {.unit = u, .to = to}, spent + problem_.units[u].count);
        now_.move(u, from);
      }
    }
    for (const UnitIndex u : movable_) {
      // An exchange brings at least one of the two to its place.
      if (problem_.units[u].count > 1 || now_.at(u) == wanted_.at(u)) continue;
      const HostIndex from = now_.at(u);
      const std::vector<UnitIndex> there = now_.on(wanted_.at(u));
      for (const UnitIndex w : there) {
        const HostIndex to = wanted_.at(u);
        if (problem_.units[w].count > 1 || !problem_.units[w].movable) continue;
        const bool first = may_exchange(u, w);
        if (!first && !may_exchange(w, u)) continue;
        now_.move(u, to);
        now_.move(w, from);
        const Action action = first ? Action{.unit = u, .to = to, .exchanged = w}
                                    : Action{.unit = w, .to = from, .exchanged = u};
        push(node, action, spent + 2);
        now_.move(w, to);
        now_.move(u, from);
      }
    }
  }

  std::vector<Action> path_to(std::size_t node) const {
    std::vector<Action> path;
    for (; node != 0; node = nodes_[node].parent) path.push_back(nodes_[node].action);
    std::reverse(path.begin(), path.end());
    return path;
  }

  const Problem& problem_;
  Placement now_;
  const Placement& wanted_;
  double overload_wanted_ = 0;
  std::vector<UnitIndex> movable_;
  std::vector<HostIndex> targets_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::size_t> known_;  // looked up, never iterated
  std::priority_queue<Entry> open_;
};

}  // namespace

std::optional<std::vector<Action>> find_detour(const Problem& problem, const Placement& from,
                                               const Placement& wanted,
                                               std::size_t placements_max) {
  return Detour(problem, from, wanted).run(placements_max);
}

}  // namespace ballast::plan
