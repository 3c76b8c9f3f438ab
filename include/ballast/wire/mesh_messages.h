// What masters say to each other about themselves: signed summaries that are gossiped, and the
// messages that keep the mesh together. Source: design, section 4.
//
// A summary is the whole of what a master says to all; the newest one replaces those before. It
// travels as an item: the bytes that its origin signed, relayed by others as they are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/model/resources.h"

namespace ballast::wire {

// Where a master is reached: its ROUTER, and the PUB socket that others subscribe to.
struct Peer {
  NodeId id;
  std::string endpoint;
  std::string feed;
  bool operator==(const Peer&) const = default;
};

// "I cannot reach this master in this life of it." Two witnesses withdraw its spare.
struct Suspicion {
  NodeId master;
  std::uint64_t incarnation = 0;
  bool operator==(const Suspicion&) const = default;
};

// A migration that was agreed with another master, for those whom it concerns by accident.
struct Announced {
  VmId vm;
  HostId from;
  HostId to;
  bool operator==(const Announced&) const = default;
};

struct Summary {
  Peer self;  // of the origin
  std::uint32_t hosts = 0;
  std::uint32_t surplus_vms = 0;
  Resources surplus;             // of all of them together, in whole units
  Resources spare;               // of all hosts together
  std::vector<Resources> holes;  // the largest single rooms, largest first; each on another host
  std::vector<Suspicion> suspicions;
  std::vector<Announced> plans;
  // `ballast pause` and `resume`: the highest stamp that was heard of, and what it says.
  std::uint64_t pause_stamp = 0;
  bool paused = false;
  bool operator==(const Summary&) const = default;
};

using Signature = std::array<std::uint8_t, 64>;

// One version of one master's summary. Never changed once made; shared by all that keep it.
struct Item {
  std::uint64_t incarnation = 0;
  std::uint64_t version = 0;
  Summary summary;
  std::string bytes;  // what was signed: [incarnation, version, summary] in msgpack
  Signature signature{};
  std::uint64_t key = 0;  // key_of(origin())
  const NodeId& origin() const { return summary.self.id; }
};
using ItemPtr = std::shared_ptr<const Item>;

// Signs what we say and checks what others are said to have said. Deterministic, no I/O. `text`
// stands for the bytes of an item; the cluster's name is part of what is signed.
class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;
  virtual Signature sign(std::string_view text) const = 0;
  // False too for an origin that is not trusted as a master.
  virtual bool verify(const NodeId& origin, std::string_view text,
                      const Signature& signature) const = 0;
};

// The item of our own summary. Loads are rounded down to whole units.
ItemPtr make_item(std::uint64_t incarnation, std::uint64_t version, const Summary& summary,
                  const Signer& signer);
// From the network; the signature is not looked at.
Result<ItemPtr> parse_item(std::string bytes, const Signature& signature);

// A short name of a master in digests: FNV-1a of its id, mixed. The same everywhere.
std::uint64_t key_of(const NodeId& master);

struct DigestEntry {
  std::uint64_t key = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t version = 0;
  bool operator==(const DigestEntry&) const = default;
};

// Published on the ticks of the gossip interval, and a sign of life when it is empty.
struct Gossip {
  std::vector<ItemPtr> items;
  std::vector<DigestEntry> digest;  // what I know, in part: pull what you lack
  bool operator==(const Gossip& other) const;
};

// Be my peer: subscribe to me, as I subscribe to you. `urgent` when I have none: then yes is the
// answer, whom it may cost. `picture_wanted`: send me the picture that you have.
struct Neighbor {
  Peer self;
  bool urgent = false;
  bool picture_wanted = false;
  bool operator==(const Neighbor&) const = default;
};
// With some others that the asker may try, whatever the answer is.
struct NeighborAnswer {
  Peer self;
  bool accepted = false;
  std::vector<Peer> others;
  bool operator==(const NeighborAnswer&) const = default;
};
// We are no longer peers; nothing is wrong with me.
struct Disconnect {
  std::vector<Peer> others;
  bool operator==(const Disconnect&) const = default;
};
struct Shuffle {
  Peer self;
  std::vector<Peer> others;
  bool operator==(const Shuffle&) const = default;
};
struct ShuffleAnswer {
  std::vector<Peer> others;
  bool operator==(const ShuffleAnswer&) const = default;
};
// Send me the items of these masters, if yours are newer.
struct Pull {
  std::vector<DigestEntry> lacking;  // what the asker has of each; version 0: nothing
  bool operator==(const Pull&) const = default;
};
struct Pulled {
  std::vector<ItemPtr> items;
  bool operator==(const Pulled& other) const;
};

}  // namespace ballast::wire
