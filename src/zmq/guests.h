// The connections that others have opened to one of our bound sockets, as far as they have spoken:
// whose each is, and how to end one. libzmq has no call for that, so the TCP connection is shut
// down under it; libzmq then sees a peer that hung up. A descriptor is only touched while its other
// end is the one that we noted, so that a number used again never hits another's connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <zmq.hpp>

#include "ballast/base/ids.h"
#include "zap.h"

namespace ballast::zmq {

struct Connection {
  int descriptor = -1;
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  bool operator==(const Connection&) const = default;
};

// The TCP connection to us that has this descriptor, if it is one.
std::optional<Connection> connection_at(int descriptor);

// Bytes that have come in on it since it was opened; 0 when it has ended.
std::uint64_t received_on(const Connection& connection);

// The TCP connection that a message came on, while it is open.
std::optional<Connection> connection_of(::zmq::message_t& message);

// Ends it, unless it has ended.
void cut(const Connection& connection);

struct Guest {
  Proven who;  // empty without security
  Connection connection;
  std::size_t said = 0;        // messages since the last tidy()
  bool knocked = false;        // a master that wants to be our peer, or is
  std::string session;         // the ROUTER's name for it; empty at a feed
  std::uint64_t number = 0;    // in the order in which they spoke first
  std::uint64_t received = 0;  // bytes, when greedy() looked last
};

class Guests {
 public:
  // The guest that this message came from; null when its connection has ended already.
  Guest* note(::zmq::message_t& message, const Proven& who);
  // Forgets the one with this descriptor if it has ended, and gives it back.
  std::optional<Guest> closed(int descriptor);
  // The node that has sent most since the last call, with how much; nothing at the first, or when
  // nobody is there.
  std::optional<std::pair<NodeId, std::uint64_t>> greedy();
  // Ends all connections of this node, or all but its newest `keep`. Returns how many.
  std::size_t cut_all(const NodeId& node, std::size_t keep = 0);
  // Forgets connections that have ended, cuts those that may not stay, and lets the others begin to
  // count anew. Returns how many were cut.
  std::size_t tidy(const std::function<bool(const Guest&)>& may_stay);
  void cut(const Guest& guest);

  // How many connections of this node are open, as far as is known.
  std::size_t count(const NodeId& node) const;
  // Connections of masters that have asked to be our peers.
  std::size_t knocked() const;
  std::size_t size() const { return guests_.size(); }

 private:
  std::map<int, Guest> guests_;  // by descriptor
  std::uint64_t came_ = 0;
};

}  // namespace ballast::zmq
