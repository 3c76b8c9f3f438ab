// A Unix stream socket of our own. libzmq's ipc listener asserts when the process has no descriptor
// left, and that is when an operator wants to know what is wrong: here an accept that fails is
// tried again, and nothing else comes of it.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "ballast/zmq/control.h"
#include "control_frames.h"
#include "unix_path.h"

namespace ballast::zmq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t events_per_turn = 2 * limits::control_requests_max;
constexpr std::chrono::milliseconds accept_again_after(100);  // when no descriptor is left
constexpr std::size_t request_part = 16U << 10U;

// Files made while this lives can be used by their owner only. The mask is the process's.
class PrivateFiles {
 public:
  PrivateFiles() : before_(umask(0177)) {}
  ~PrivateFiles() { umask(before_); }
  PrivateFiles(const PrivateFiles&) = delete;
  PrivateFiles& operator=(const PrivateFiles&) = delete;

 private:
  mode_t before_;
};

Error listen_error(const std::string& path) {
  return Error{"control socket " + ballast::quoted(path) +
               ": cannot listen: " + std::strerror(errno)};
}

}  // namespace

struct ControlServer::Parts {
  // One who has connected. Asks one thing at a time: while that is not answered, nothing is read.
  struct Asker {
    OwnDescriptor descriptor;
    std::string in;
    std::string out;
    std::size_t written = 0;
    std::uint64_t asked = 0;  // the request that is not answered; 0: none
    std::uint64_t last_active = 0;
  };

  explicit Parts(PathLock lock_taken) : lock(std::move(lock_taken)) {}

  Status listen(const std::string& path);
  bool watch(int descriptor, std::uint32_t events, bool is_new) const;
  void accept_all();
  bool has_place();
  // The request that this asker has now sent in full, if any; forgets one that has gone, or asks
  // for too much.
  std::optional<ControlRequest> read_from(int descriptor);
  void write_to(int descriptor);
  void forget(int descriptor);

  PathLock lock;
  OwnDescriptor listener;
  OwnDescriptor epoll;
  std::map<int, Asker> askers;           // by descriptor
  std::map<std::uint64_t, int> waiting;  // requests not yet answered, whose descriptor
  bool accepts = true;
  Clock::time_point accept_again;
  std::uint64_t last_id = 0;
  std::uint64_t activity = 0;
  std::uint64_t dropped = 0;
};

Status ControlServer::Parts::listen(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return listen_error(path);
  listener = OwnDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  epoll = OwnDescriptor(epoll_create1(EPOLL_CLOEXEC));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const PrivateFiles guard;
  if (listener.get() < 0 || epoll.get() < 0 ||
      bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), static_cast<int>(limits::control_requests_max)) != 0 ||
      !watch(listener.get(), EPOLLIN, true))
    return listen_error(path);
  return {};
}

bool ControlServer::Parts::watch(int descriptor, std::uint32_t events, bool is_new) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  return epoll_ctl(epoll.get(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == 0;
}

// Whoever has asked nothing, and said nothing for the longest, gives way.
bool ControlServer::Parts::has_place() {
  if (askers.size() < limits::control_requests_max) return true;
  int idle = -1;
  for (const auto& [descriptor, asker] : askers)
    if (asker.asked == 0 && (idle < 0 || asker.last_active < askers.at(idle).last_active))
      idle = descriptor;
  if (idle < 0) return false;
  forget(idle);
  return true;
}

void ControlServer::Parts::accept_all() {
  for (std::size_t i = 0; i < limits::control_requests_max; ++i) {
    OwnDescriptor one(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (one.get() < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      // EMFILE and the like: it would call us again at once, and again.
      accepts = !watch(listener.get(), 0, false);
      accept_again = Clock::now() + accept_again_after;
      return;
    }
    if (!has_place() || !watch(one.get(), EPOLLIN, true)) {
      ++dropped;
      continue;
    }
    const int descriptor = one.get();
    Asker asker;
    asker.descriptor = std::move(one);
    asker.last_active = ++activity;
    askers.emplace(descriptor, std::move(asker));
  }
}

std::optional<ControlRequest> ControlServer::Parts::read_from(int descriptor) {
  Asker& asker = askers.at(descriptor);
  std::array<char, request_part> buffer;
  for (;;) {
    const ssize_t got = recv(descriptor, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got <= 0) break;
    asker.last_active = ++activity;
    asker.in.append(buffer.data(), static_cast<std::size_t>(got));
    const std::optional<std::size_t> length = control_length(asker.in);
    if (!length) continue;
    if (*length > limits::control_bytes_max || asker.in.size() > control_head_bytes + *length) {
      ++dropped;  // no request of ours, or more than one at a time
      break;
    }
    if (asker.in.size() < control_head_bytes + *length) continue;
    asker.asked = ++last_id;
    waiting.emplace(asker.asked, descriptor);
    ControlRequest request{asker.asked, asker.in.substr(control_head_bytes)};
    asker.in = {};
    if (!watch(descriptor, 0, false)) break;
    return request;
  }
  forget(descriptor);
  return std::nullopt;
}

void ControlServer::Parts::write_to(int descriptor) {
  Asker& asker = askers.at(descriptor);
  while (asker.written < asker.out.size()) {
    const ssize_t sent = send(descriptor, asker.out.data() + asker.written,
                              asker.out.size() - asker.written, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      if (!watch(descriptor, EPOLLOUT, false)) forget(descriptor);
      return;
    }
    if (sent < 0) return forget(descriptor);
    asker.last_active = ++activity;
    asker.written += static_cast<std::size_t>(sent);
  }
  asker.out = {};
  asker.written = 0;
  if (!watch(descriptor, EPOLLIN, false)) forget(descriptor);
}

void ControlServer::Parts::forget(int descriptor) {
  waiting.erase(askers.at(descriptor).asked);
  askers.erase(descriptor);
}

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& path) {
  if (const Status good = check_unix_path(path); !good) return good.error();
  if (const Status good = prepare_folder(path); !good) return good.error();
  Result<PathLock> lock = PathLock::take(path);
  if (!lock) return lock.error();
  if (const Status good = check_replaceable(path); !good) return good.error();
  auto parts = std::make_unique<Parts>(std::move(lock).value());
  if (const Status good = parts->listen(path); !good) return good.error();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(parts)));
}

ControlServer::ControlServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ControlServer::~ControlServer() = default;

std::vector<ControlRequest> ControlServer::take_requests() {
  std::vector<ControlRequest> requests;
  if (!parts_->accepts && Clock::now() >= parts_->accept_again)
    parts_->accepts = parts_->watch(parts_->listener.get(), EPOLLIN, false);
  std::array<epoll_event, events_per_turn> events;
  const int found =
      epoll_wait(parts_->epoll.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < found; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int descriptor = event.data.fd;
    if (descriptor == parts_->listener.get()) continue;  // last: numbers may be used again
    if (!parts_->askers.contains(descriptor)) continue;
    if ((event.events & EPOLLIN) != 0U) {
      if (auto request = parts_->read_from(descriptor)) requests.push_back(std::move(*request));
    } else if ((event.events & EPOLLOUT) != 0U) {
      parts_->write_to(descriptor);
    } else {
      parts_->forget(descriptor);
    }
  }
  for (int i = 0; i < found; ++i)
    if (events[static_cast<std::size_t>(i)].data.fd == parts_->listener.get()) parts_->accept_all();
  return requests;
}

void ControlServer::reply(std::uint64_t id, const std::string& text) {
  const auto waiting = parts_->waiting.find(id);
  if (waiting == parts_->waiting.end()) return;
  const int descriptor = waiting->second;
  parts_->waiting.erase(waiting);
  Parts::Asker& asker = parts_->askers.at(descriptor);
  asker.asked = 0;
  asker.out = control_frame(text);
  parts_->write_to(descriptor);
}

std::uint64_t ControlServer::dropped() const { return parts_->dropped; }
int ControlServer::descriptor() const { return parts_->epoll.get(); }

}  // namespace ballast::zmq
