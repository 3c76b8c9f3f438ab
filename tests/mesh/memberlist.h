// The push gossip of hashicorp/memberlist, to compare with: on each tick a node picks three others
// at random, and sends to each what fits in a packet of the items it has sent least often; an item
// leaves the queue when it was sent 4 x ceil(log10(n + 1)) times. Source: memberlist, queue.go,
// util.go (retransmitLimit), config.go (DefaultLANConfig: GossipNodes 3, RetransmitMult 4,
// UDPBufferSize 1400).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/base/time.h"

namespace ballast::mesh::testing {

struct MemberlistSettings {
  std::size_t fan_out = 3;
  std::size_t retransmit_multiplier = 4;
  std::size_t packet_bytes = 1400;
  std::size_t overhead_bytes = 2;  // of each item in a packet
};

// How often an item is sent by one node.
std::size_t retransmit_limit(const MemberlistSettings& settings, std::size_t nodes);

// What one node still has to send. Items are numbers; all are of the same size.
class TransmitQueue {
 public:
  void add(std::uint32_t item) { items_.push_back({item, 0}); }
  // The items of the next packet, those sent least often first.
  std::vector<std::uint32_t> packet(const MemberlistSettings& settings, std::size_t nodes,
                                    std::size_t item_bytes);
  bool empty() const { return items_.empty(); }

 private:
  struct Queued {
    std::uint32_t item;
    std::uint32_t sent;
  };
  std::vector<Queued> items_;
};

struct PushRun {
  std::size_t nodes = 1000;
  double changes_per_s = 1;
  std::size_t item_bytes = 230;
  double loss = 0;
  Duration interval = std::chrono::seconds(1);
  Duration delay_max = std::chrono::milliseconds(20);
  Duration duration = std::chrono::seconds(60);
  std::uint64_t seed = 1;
};

struct PushResult {
  double rounds_mean = 0;  // until all have an item, of those that got so far
  double rounds_max = 0;
  std::size_t spread = 0;  // items that reached all
  std::size_t lost = 0;    // items that were sent no more before they did
  double bytes_per_s = 0;  // sent by one node
};

// Runs the rule alone: everyone knows everyone, nobody fails.
PushResult run_push_gossip(const PushRun& run, const MemberlistSettings& settings = {});

}  // namespace ballast::mesh::testing
