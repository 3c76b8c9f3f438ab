// Who stands at the door: TCP connections to one of our bound sockets that nobody has spoken on
// yet. Until then nothing proves whose they are, so they are few, from each address fewer, and not
// for long; what they send is little. libzmq says when one comes, and is seen to cut it as
// guests.h tells. Whoever is cut connects again after a while, so an honest node that came in a
// crowd gets its turn.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "guests.h"

namespace ballast::zmq {

struct DoormanCounters {
  std::uint64_t too_many = 0;  // cut: as many as allowed stood there, or in all
  std::uint64_t silent = 0;    // cut: said nothing for too long
  std::uint64_t too_long = 0;  // cut: sent more than a handshake, and showed no key
};

class Doorman {
 public:
  using Clock = std::chrono::steady_clock;

  // At most `connections_max`, those that have spoken (see `spoken` below) and those that have not.
  explicit Doorman(std::size_t connections_max) : connections_max_(connections_max) {}

  // libzmq has accepted a connection with this descriptor; `spoken` have been heard of before.
  void accepted(Clock::time_point now, int descriptor, std::size_t spoken);
  // A message has come on it from one who is not known yet, and stays where it is: how many by now;
  // 0 when it does not stand here any more.
  std::size_t heard(int descriptor);
  // A message has come on it: it is a guest now.
  void spoke(int descriptor);
  void closed(int descriptor) { spoke(descriptor); }
  // Somebody at this address has shown a key that is trusted. That it is on one of these
  // connections is known, on which is not: they may all send a first message now.
  void key_accepted(Clock::time_point now, std::uint32_t address);
  // Cuts those that have been silent for too long, or have sent too much.
  void look(Clock::time_point now);

  // Somebody stands at the door: look() wants to be called soon.
  bool is_watching() const { return !waiting_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }
  const DoormanCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    Connection connection;
    Clock::time_point since;
    std::uint64_t number = 0;  // in the order of coming
    std::size_t said = 0;
  };
  std::size_t count_of(std::uint32_t address) const;
  // The one that has waited longest, of those at the address from which most wait.
  void make_room();
  void cut_off(int descriptor);

  std::size_t connections_max_;
  std::uint64_t came_ = 0;
  std::map<int, Waiting> waiting_;                        // by descriptor
  std::map<std::uint32_t, std::size_t> of_address_;       // how many of them
  std::map<std::uint32_t, Clock::time_point> shown_key_;  // addresses, until when it counts
  DoormanCounters counters_;
};

}  // namespace ballast::zmq
