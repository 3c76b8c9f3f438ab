// The beacon's UDP socket: calls to everybody on the local networks and to the seed addresses, and
// hears theirs. What it hands up is of our cluster, and an Offer only one that we have asked for,
// from a node that may be master, with the keyed hash that only that node and we can make. All else
// is dropped and counted, and nobody is listened to more often than a bound. IPv4. Source: design,
// sections 3.11 and 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/port/trust.h"
#include "ballast/wire/beacon.h"

namespace ballast::zmq {

struct BeaconSettings {
  NodeId self;
  std::string cluster;
  // "ADDRESS:PORT"; port 0 takes a free one. Broadcasts go to the same port of others, so all nodes
  // of a network use one.
  std::string bind = "0.0.0.0:7720";
  bool broadcast = true;                // on every interface that is up and can
  std::vector<std::string> seeds = {};  // "HOST:PORT", each looked up once, when opening
  bool security = true;                 // false, for tests and the like: no keyed hashes
};

struct BeaconCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t not_sent = 0;  // over a bound, or the system refused it

  // Dropped
  std::uint64_t undecodable = 0;
  std::uint64_t wrong_cluster = 0;
  std::uint64_t too_often = 0;      // from one address within a second
  std::uint64_t stranger = 0;       // names a node that is not trusted, or not as the master it is
  std::uint64_t not_asked_for = 0;  // an offer to another, or to no seek of ours: replayed or late
  // A trusted name and another's keyed hash: alarm, a forger, or two hosts with one id.
  std::uint64_t bad_mac = 0;
};

class Beacon {
 public:
  // Binds and is ready. `trust` must outlive the beacon; null only when security is off. Error: an
  // id or cluster too long for beacons, an address that cannot be bound, a seed that cannot be
  // found; the message names it.
  static Result<std::unique_ptr<Beacon>> open(const BeaconSettings& settings,
                                              const port::Trust* trust);
  ~Beacon();
  Beacon(const Beacon&) = delete;
  Beacon& operator=(const Beacon&) = delete;

  // Sends without blocking; an Offer gets its keyed hash here.
  void send(const wire::BeaconSend& beacon);
  // What has been heard since the last call, oldest first, looking at no more than `count_max`
  // datagrams.
  std::vector<wire::BeaconHeard> take(std::size_t count_max);

  // Readable when there is something to take, for wait(). Owned by the beacon.
  int descriptor() const;
  // Where it is bound, with the port that it got: "ADDRESS:PORT".
  const std::string& address() const;
  const BeaconCounters& counters() const;

 private:
  struct Parts;
  explicit Beacon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ballast::zmq
