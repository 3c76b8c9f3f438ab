// What a message must be before it is handed up. Plain values, no socket.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ballast/port/trust.h"
#include "ballast/wire/envelope.h"
#include "ballast/zmq/transport.h"

namespace ballast::zmq {

class Gate {
 public:
  Gate(const TransportSettings& settings, const port::Trust* trust, TransportCounters& counters)
      : settings_(settings), trust_(trust), counters_(counters) {}

  // The message in these bytes when it may pass; else it is counted. `proven` is the node that the
  // connection belongs to; null when nothing proves it.
  std::optional<wire::Message> admit(std::string_view bytes, const NodeId* proven);
  // The last one was refused because its sender, who is proven, is not trusted as a master.
  bool refused_for_trust() const { return refused_for_trust_; }
  // Nodes that have lately said what only masters may; each at most once in ten seconds.
  std::vector<NodeId> take_not_believed() { return std::exchange(not_believed_, {}); }

 private:
  void note_not_believed(const NodeId& node);

  const TransportSettings& settings_;
  const port::Trust* trust_;
  TransportCounters& counters_;
  bool refused_for_trust_ = false;
  std::vector<NodeId> not_believed_;
  std::map<NodeId, std::chrono::steady_clock::time_point> told_;
};

}  // namespace ballast::zmq
