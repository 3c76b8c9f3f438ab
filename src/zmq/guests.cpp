#include "guests.h"

// The kernel's own: glibc's tcp_info ends before the count of bytes.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

namespace ballast::zmq {

std::optional<Connection> connection_at(int descriptor) {
  sockaddr_in other{};
  socklen_t size = sizeof other;
  if (descriptor < 0 || getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &size) != 0 ||
      other.sin_family != AF_INET)
    return std::nullopt;
  return Connection{descriptor, ntohl(other.sin_addr.s_addr), ntohs(other.sin_port)};
}

std::uint64_t received_on(const Connection& connection) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (connection_at(connection.descriptor) != connection ||
      getsockopt(connection.descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return 0;
  return info.tcpi_bytes_received;
}

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
    Guest guest;
    guest.who = who;
    guest.connection = *connection;
    guest.number = ++came_;
    guests_.insert_or_assign(descriptor, std::move(guest));
  }
  Guest& guest = guests_.at(descriptor);
  ++guest.said;
  return &guest;
}

std::optional<Guest> Guests::closed(int descriptor) {
  const auto found = guests_.find(descriptor);
  if (found == guests_.end() || connection_at(descriptor) == found->second.connection)
    return std::nullopt;
  Guest gone = std::move(found->second);
  guests_.erase(found);
  return gone;
}

std::optional<std::pair<NodeId, std::uint64_t>> Guests::greedy() {
  std::map<NodeId, std::uint64_t> sent;
  for (auto& [descriptor, guest] : guests_) {
    const std::uint64_t before = guest.received;
    guest.received = received_on(guest.connection);
    if (before > 0 && guest.received > before) sent[guest.who.node] += guest.received - before;
  }
  const auto most = std::max_element(
      sent.begin(), sent.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == sent.end()) return std::nullopt;
  return *most;
}

std::size_t Guests::cut_all(const NodeId& node, std::size_t keep) {
  std::vector<const Guest*> of_it;
  for (const auto& [descriptor, guest] : guests_)
    if (guest.who.node == node) of_it.push_back(&guest);
  std::sort(of_it.begin(), of_it.end(),
            [](const Guest* a, const Guest* b) { return a->number > b->number; });
  std::size_t cuts = 0;
  for (std::size_t i = keep; i < of_it.size(); ++i, ++cuts) cut(*of_it[i]);
  return cuts;
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
