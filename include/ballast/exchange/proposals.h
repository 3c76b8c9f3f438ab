// Plan exchange, the side that proposes: each remote migration is laid before the masters that it
// concerns, and begins only when all of them have agreed. It always ends: agreed, withdrawn after a
// lost conflict, or withdrawn because nobody judged within 5 s. Source: design, section 6.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/wire/market_messages.h"

namespace ballast::exchange {

struct Concerned {
  NodeId master;
  std::string endpoint;
};

class Proposals {
 public:
  struct Send {
    NodeId to;
    std::string endpoint;
    wire::Proposal proposal;
  };
  struct Settled {
    wire::ProposedMove move;
    bool agreed = false;
    wire::Conflict conflict = wire::Conflict::none;  // that it lost
    std::string detail;
  };

  // Numbers begin above those of other lives.
  explicit Proposals(std::uint64_t first_number) : next_number_(first_number) {}

  void propose(TimePoint now, wire::PlanKind kind, std::uint64_t stamp, std::uint32_t rounds_lost,
               const wire::ProposedMove& move, std::vector<Concerned> concerned);
  void take(TimePoint now, const NodeId& from, const wire::Verdict& verdict);
  void withdraw(const LeaseId& lease);
  bool contains(const LeaseId& lease) const { return open_.contains(lease); }
  std::size_t size() const { return open_.size(); }

  // What to send now; what has been settled is taken with take_settled().
  std::vector<Send> tick(TimePoint now);
  std::vector<Settled> take_settled();
  TimePoint next_deadline() const;

 private:
  struct Judging {
    Concerned who;
    std::uint64_t number = 0;
    bool agreed = false;
    TimePoint next;     // sent again
    TimePoint give_up;  // no verdict by then
  };
  struct Open {
    wire::PlanKind kind = wire::PlanKind::remote;
    std::uint64_t stamp = 0;
    std::uint32_t rounds_lost = 0;
    wire::ProposedMove move;
    std::vector<Judging> judges;
    std::uint32_t waits = 0;
  };
  void settle(const LeaseId& lease, bool agreed, wire::Conflict conflict, std::string detail);

  std::uint64_t next_number_;
  std::map<LeaseId, Open> open_;
  std::vector<Settled> settled_;
};

}  // namespace ballast::exchange
