#include "guests.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace ballast::zmq {
namespace {

std::optional<Connection> connection_at(int descriptor) {
  sockaddr_in other{};
  socklen_t size = sizeof other;
  if (descriptor < 0 || getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &size) != 0 ||
      other.sin_family != AF_INET)
    return std::nullopt;
  return Connection{descriptor, ntohl(other.sin_addr.s_addr), ntohs(other.sin_port)};
}

}  // namespace

std::optional<Connection> connection_of(::zmq::message_t& message) {
  return connection_at(zmq_msg_get(message.handle(), ZMQ_SRCFD));
}

void cut(const Connection& connection) {
  if (connection_at(connection.descriptor) == connection)
    shutdown(connection.descriptor, SHUT_RDWR);
}

Guest* Guests::note(::zmq::message_t& message, const Proven& who) {
  const int descriptor = zmq_msg_get(message.handle(), ZMQ_SRCFD);
  const auto found = guests_.find(descriptor);
  if (found == guests_.end() || found->second.who != who) {
    const std::optional<Connection> connection = connection_at(descriptor);
    if (!connection) return nullptr;
    guests_.insert_or_assign(descriptor, Guest{who, *connection});
  }
  Guest& guest = guests_.at(descriptor);
  ++guest.said;
  return &guest;
}

std::size_t Guests::tidy(const std::function<bool(const Guest&)>& may_stay) {
  std::size_t cuts = 0;
  for (auto at = guests_.begin(); at != guests_.end();) {
    Guest& guest = at->second;
    guest.said = 0;
    const bool is_open = connection_at(guest.connection.descriptor) == guest.connection;
    if (is_open && may_stay(guest)) {
      ++at;
      continue;
    }
    if (is_open) {
      ballast::zmq::cut(guest.connection);
      ++cuts;
    }
    at = guests_.erase(at);
  }
  return cuts;
}

void Guests::cut(const Guest& guest) {
  const Connection connection = guest.connection;
  guests_.erase(connection.descriptor);
  ballast::zmq::cut(connection);
}

std::size_t Guests::count(const NodeId& node) const {
  return static_cast<std::size_t>(
      std::count_if(guests_.begin(), guests_.end(),
                    [&](const auto& one) { return one.second.who.node == node; }));
}

std::size_t Guests::knocked() const {
  return static_cast<std::size_t>(std::count_if(
      guests_.begin(), guests_.end(), [](const auto& one) { return one.second.knocked; }));
}

}  // namespace ballast::zmq
