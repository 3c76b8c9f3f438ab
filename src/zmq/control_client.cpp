#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "ballast/zmq/control.h"
#include "control_frames.h"
#include "unix_path.h"

namespace ballast::zmq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t reply_part = 64U << 10U;

// False when the time is over first.
bool ready(int descriptor, short events, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd one{descriptor, events, 0};
    const int found =
        poll(&one, 1,
             static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max())));
    if (found > 0) return true;
    if (found == 0) return false;
    if (errno != EINTR) return true;  // the call that follows tells
  }
}

}  // namespace

struct ControlClient::Parts {
  Error error(const std::string& what) const {
    return Error{"control socket " + ballast::quoted(path) + ": " + what};
  }
  // Empty: done; else what was wrong.
  Status send_all(std::string_view bytes, Clock::time_point until) const;
  Result<std::string> receive(Clock::time_point until) const;

  std::string path;
  OwnDescriptor socket;
};

Result<std::unique_ptr<ControlClient>> ControlClient::open(const std::string& path) {
  if (const Status good = check_unix_path(path); !good) return good.error();
  Result<int> connected = connect_to(path);
  if (!connected) return connected.error();
  auto parts = std::make_unique<Parts>();
  parts->path = path;
  parts->socket = OwnDescriptor(*connected);
  return std::unique_ptr<ControlClient>(new ControlClient(std::move(parts)));
}

ControlClient::ControlClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ControlClient::~ControlClient() = default;

Status ControlClient::Parts::send_all(std::string_view bytes, Clock::time_point until) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!ready(socket.get(), POLLOUT, until)) return error("the node takes no request");
    } else if (errno != EINTR) {
      return error(std::string("cannot ask: ") + std::strerror(errno));
    }
  }
  return {};
}

Result<std::string> ControlClient::Parts::receive(Clock::time_point until) const {
  std::string bytes;
  std::string buffer(reply_part, '\0');
  for (;;) {
    const std::optional<std::size_t> length = control_length(bytes);
    if (length && *length > limits::control_reply_bytes_max)
      return error("found a reply of " + std::to_string(*length) + " bytes, expected at most " +
                   std::to_string(limits::control_reply_bytes_max));
    if (length && bytes.size() >= control_head_bytes + *length)
      return bytes.substr(control_head_bytes, *length);
    const ssize_t got = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) {
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      return error("the node has closed the connection without a reply");
    } else if (errno == EAGAIN) {
      if (!ready(socket.get(), POLLIN, until)) return error("");
    } else if (errno != EINTR) {
      return error(std::string("no reply: ") + std::strerror(errno));
    }
  }
}

Result<std::string> ControlClient::ask(const std::string& text, Duration timeout) {
  if (text.size() > limits::control_bytes_max) {
    return Error{"request: found " + std::to_string(text.size()) + " bytes, expected at most " +
                 std::to_string(limits::control_bytes_max)};
  }
  const auto milliseconds =
      std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count(), 1,
                               std::numeric_limits<int>::max());
  const Clock::time_point until = Clock::now() + std::chrono::milliseconds(milliseconds);
  if (Status sent = parts_->send_all(control_frame(text), until); !sent) return sent.error();
  Result<std::string> reply = parts_->receive(until);
  if (!reply && Clock::now() >= until)
    return parts_->error("no reply within " + std::to_string(milliseconds) + " ms");
  return reply;
}

}  // namespace ballast::zmq
