// All sockets are non-blocking; who waits, waits in poll(2) in short spells, so that a host that
// ends is not held up by a peer that says nothing.
#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

namespace ballast::simulated {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds spell(20);

sockaddr_in address_of(const LoopbackAddress& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(address.port));
  inet_pton(AF_INET, address.ip.c_str(), &out.sin_addr);
  return out;
}

// The events that came within that time, 0 for none.
short wait_for(int fd, short events, std::chrono::milliseconds span) {
  pollfd poll_fd{fd, events, 0};
  const int ready = ::poll(&poll_fd, 1, static_cast<int>(std::max<long>(0, span.count())));
  return ready > 0 ? poll_fd.revents : short{0};
}

Error failed(const std::string& what, const LoopbackAddress& address) {
  return {what + " " + address.ip + ":" + std::to_string(address.port) + ": " +
          std::strerror(errno)};
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Listener> listen_on(const LoopbackAddress& address) {
  Listener listener{Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
                    address};
  const int fd = listener.socket.get();
  if (fd < 0) return failed("socket for", address);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in bound = address_of(address);
  socklen_t length = sizeof bound;
  auto* generic = reinterpret_cast<sockaddr*>(&bound);
  if (::bind(fd, generic, length) != 0) return failed("bind to", address);
  if (::listen(fd, 64) != 0) return failed("listen on", address);
  if (::getsockname(fd, generic, &length) != 0) return failed("name of", address);
  listener.address.port = ntohs(bound.sin_port);
  return listener;
}

Result<Listener> listen_on_any_port(const std::string& ip) {
  // Linux gives out 32768 to 60999 (net.ipv4.ip_local_port_range, its default).
  constexpr int first_port = 10240;
  constexpr int last_port = 32767;
  constexpr int tries = 64;
  std::random_device entropy;
  std::uniform_int_distribution<int> port(first_port, last_port);
  for (int i = 0; i < tries; ++i) {
    Result<Listener> listener = listen_on({ip, port(entropy)});
    if (listener) return listener;
  }
  return listen_on({ip, 0});
}

Connected connect_to(const LoopbackAddress& address, Duration within,
                     const std::atomic<bool>& stop) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return {};
  set_no_delay(socket.get());
  sockaddr_in to = address_of(address);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    if (errno == ECONNREFUSED) return {std::nullopt, Silence::refused};
    if (errno != EINPROGRESS) return {};
    const auto end = Clock::now() + within;
    while (wait_for(socket.get(), POLLOUT, spell) == 0) {
      if (stop) return {};
      if (Clock::now() >= end) return {std::nullopt, Silence::late};
    }
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0)
      return {std::nullopt, error == ECONNREFUSED ? Silence::refused : Silence::broken};
  }
  return {Line(std::move(socket), stop), Silence::broken};
}

std::optional<Descriptor> accept_from(const Listener& listener, Duration span, bool& stranger) {
  stranger = false;
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(span);
  if (wait_for(listener.socket.get(), POLLIN, wait) == 0) return std::nullopt;
  sockaddr_in from{};
  socklen_t length = sizeof from;
  Descriptor socket(::accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&from), &length,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.get() < 0) return std::nullopt;
  stranger = from.sin_family != AF_INET || (ntohl(from.sin_addr.s_addr) >> 24U) != 127;
  if (stranger) return std::nullopt;
  set_no_delay(socket.get());
  return socket;
}

bool Line::send(const Record& record) {
  const std::string line = to_line(record) + "\n";
  if (socket_.get() < 0 || *stop_ || line.size() > record_bytes_max) return false;
  // Records are far smaller than a socket's buffer: one that does not fit has no reader.
  return ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(line.size());
}

std::optional<Record> Line::silent(Silence why) {
  silence_ = why;
  return std::nullopt;
}

std::optional<Record> Line::take_line() {
  const std::size_t end = received_.find('\n');
  std::optional<Record> record = from_line(std::string_view(received_).substr(0, end));
  received_.erase(0, end + 1);
  if (!record) silence_ = Silence::garbage;
  return record;
}

std::optional<Record> Line::read(Duration within) {
  const auto end = Clock::now() + within;
  while (received_.find('\n') == std::string::npos) {
    if (received_.size() > record_bytes_max) return silent(Silence::garbage);
    if (socket_.get() < 0 || *stop_) return silent(Silence::broken);
    if (Clock::now() >= end) return silent(Silence::late);
    if (wait_for(socket_.get(), POLLIN, spell) == 0) continue;
    std::array<char, 1024> bytes{};
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
      return silent(Silence::broken);
    if (count > 0) received_.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return take_line();
}

bool Line::is_quiet_for(Duration span) {
  if (socket_.get() < 0 || *stop_ || !received_.empty()) return false;
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(span);
  return wait_for(socket_.get(), POLLIN, wait) == 0 && !*stop_;
}

}  // namespace ballast::simulated
