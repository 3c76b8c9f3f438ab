#include "udp.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace ballast::zmq {
namespace {

sockaddr_in as_sockaddr(const wire::BeaconAddress& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address.ipv4);
  out.sin_port = htons(address.port);
  return out;
}

wire::BeaconAddress as_address(const sockaddr_in& address) {
  return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

}  // namespace

Result<wire::BeaconAddress> look_up(const std::string& host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  const std::string host = host_and_port.substr(0, colon);
  const std::string port =
      colon == std::string::npos ? std::string() : host_and_port.substr(colon + 1);
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (failed != 0 || found == nullptr || host.empty() || port.empty()) {
    if (failed == 0) freeaddrinfo(found);
    return Error{"found " + quoted(host_and_port) + ", expected an IPv4 \"HOST:PORT\"" +
                 (failed == 0 ? std::string() : std::string(": ") + gai_strerror(failed))};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  return as_address(*reinterpret_cast<const sockaddr_in*>(found->ai_addr));
}

std::vector<std::uint32_t> broadcast_addresses() {
  std::vector<std::uint32_t> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    const bool usable = at->ifa_addr != nullptr && at->ifa_addr->sa_family == AF_INET &&
                        at->ifa_broadaddr != nullptr && (at->ifa_flags & IFF_UP) != 0 &&
                        (at->ifa_flags & IFF_BROADCAST) != 0;
    if (usable)
      addresses.push_back(
          as_address(*reinterpret_cast<const sockaddr_in*>(at->ifa_broadaddr)).ipv4);
  }
  return addresses;
}

Result<UdpSocket> UdpSocket::bind(const wire::BeaconAddress& address) {
  const auto failed = [&] {
    return Error{"cannot listen at " + text_of(address) + ": " + std::strerror(errno)};
  };
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failed();
  UdpSocket made(descriptor, address);
  const int on = 1;
  sockaddr_in bound = as_sockaddr(address);
  socklen_t size = sizeof bound;
  if (setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0 ||
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&bound), size) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return failed();
  made.address_ = as_address(bound);
  return made;
}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), address_(other.address_) {}

UdpSocket::~UdpSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool UdpSocket::send(const wire::BeaconAddress& to, std::string_view bytes) const {
  const sockaddr_in address = as_sockaddr(to);
  return sendto(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0;
}

std::optional<UdpSocket::Datagram> UdpSocket::receive() const {
  std::array<char, wire::beacon_bytes_max + 1> buffer;
  for (;;) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(descriptor_, buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got >= 0)
      return Datagram{as_address(from), std::string(buffer.data(), static_cast<std::size_t>(got))};
    // Word that an earlier datagram of ours was refused somewhere: not about what waits here.
    if (errno != EINTR && errno != ECONNREFUSED) return std::nullopt;
  }
}

std::string text_of(const wire::BeaconAddress& address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8)
    text += std::to_string(address.ipv4 >> static_cast<unsigned>(shift) & 0xFFU) +
            (shift > 0 ? "." : ":");
  return text + std::to_string(address.port);
}

}  // namespace ballast::zmq
