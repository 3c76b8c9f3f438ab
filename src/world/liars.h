// Nodes that lie. Each runs the true program, so that it stays a part of the fleet and is believed
// as far as anyone is; what it sends is bent on its way out, and more is made up. A lie is always
// well formed: what is not, the codec refuses, and the tests of the codec are for that.
//
// What its hypervisor is told to do is not bent: whoever rules a host rules its VMs, and no
// protocol between daemons can change that (docs/safety.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/model/trace.h"
#include "ballast/wire/beacon.h"
#include "ballast/wire/envelope.h"
#include "ballast/wire/messages.h"

namespace ballast::world {

enum class Lie : std::uint8_t {
  reservations,  // made-up reservations and jobs, also under the master's own numbers
  leases,        // leases of others, or of nobody
  ids,           // VMs of others, claimed, wanted, or ordered about
  stamps,        // counters far ahead
  addresses,     // places and hosts that are another's
  room,          // loads, capacities, spare that are not so
  outcomes,      // the contrary of what came of it
  count,
};
const char* name_of(Lie lie);

// Where a node is reached, which is known to all.
struct Party {
  NodeId id;
  std::string endpoint;
  std::string feed;
  std::string migration_uri;
};

// What a liar may have found out, as it is now: the worse for the others, the more it is.
struct Insight {
  std::function<Epoch(std::uint32_t node)> epoch;  // of its attachment; {} when it is down
  std::function<std::vector<LeaseId>()> leases;    // all that are open
};

class Liars {
 public:
  // What anyone on the network can know. Leader: the number of the first host of its group.
  Liars(const Trace& trace, std::vector<Party> parties, std::vector<std::uint32_t> leaders,
        Insight insight, const wire::Signer& signer, std::uint64_t seed);

  // From now on this one lies, about so many things drawn at random; says which.
  std::string add(std::uint32_t node);
  bool lies(std::uint32_t node) const { return about_.contains(node); }

  // What it says instead, or the same.
  void bend(std::uint32_t node, wire::Message& message);
  void bend(std::uint32_t node, wire::BeaconSend& beacon);
  // What it says besides, to whom it likes. `header` is its own.
  std::vector<wire::Envelope> invent(std::uint32_t node, const wire::Header& header);

 private:
  const Trace& trace_;
  std::vector<Party> parties_;
  std::vector<std::uint32_t> leaders_;
  Insight insight_;
  const wire::Signer& signer_;
  Random random_;
  struct Habit {
    std::uint32_t about = 0;     // bits of Lie
    std::uint32_t pretends = 0;  // whose hypervisor and VMs it says to be its own,
    bool steadily = false;       // and always, not only now and then
  };
  std::map<std::uint32_t, Habit> about_;
  std::vector<LeaseId> leases_;  // open when something was made up last

  class Teller;
  Teller teller(std::uint32_t node);
};

}  // namespace ballast::world
