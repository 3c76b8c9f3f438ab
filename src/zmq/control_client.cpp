#include <algorithm>
#include <limits>
#include <zmq.hpp>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "ballast/zmq/control.h"
#include "options.h"
#include "unix_path.h"

namespace ballast::zmq {

struct ControlClient::Parts {
  explicit Parts(const std::string& given)
      : path(given), dealer(context, ::zmq::socket_type::dealer) {
    set_up_control(dealer, limits::control_reply_bytes_max);
    dealer.connect("ipc://" + path);
  }

  std::string path;
  ::zmq::context_t context;
  ::zmq::socket_t dealer;
};

Result<std::unique_ptr<ControlClient>> ControlClient::open(const std::string& path) {
  if (const Status good = check_unix_path(path); !good) return good.error();
  if (const Status good = check_listener(path); !good) return good.error();
  try {
    return std::unique_ptr<ControlClient>(new ControlClient(std::make_unique<Parts>(path)));
  } catch (const ::zmq::error_t& error) {
    return Error{"control socket " + ballast::quoted(path) + ": cannot connect: " + error.what()};
  }
}

ControlClient::ControlClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ControlClient::~ControlClient() = default;

Result<std::string> ControlClient::ask(const std::string& text, Duration timeout) {
  if (text.size() > limits::control_bytes_max) {
    return Error{"request: found " + std::to_string(text.size()) + " bytes, expected at most " +
                 std::to_string(limits::control_bytes_max)};
  }
  const auto milliseconds =
      std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count(), 1,
                               std::numeric_limits<int>::max());
  try {
    parts_->dealer.set(::zmq::sockopt::rcvtimeo, static_cast<int>(milliseconds));
    parts_->dealer.send(::zmq::buffer(text), ::zmq::send_flags::dontwait);
    ::zmq::message_t reply;
    if (parts_->dealer.recv(reply)) return reply.to_string();
    return Error{"control socket " + ballast::quoted(parts_->path) + ": no reply within " +
                 std::to_string(milliseconds) + " ms"};
  } catch (const ::zmq::error_t& error) {
    return Error{"control socket " + ballast::quoted(parts_->path) + ": " + error.what()};
  }
}

}  // namespace ballast::zmq
