// A ROUTER on ipc://: one frame of request from any command, one frame of reply to it.
#include <sys/stat.h>

#include <map>
#include <zmq.hpp>

#include "ballast/base/limits.h"
#include "ballast/zmq/control.h"
#include "frames.h"
#include "options.h"
#include "unix_path.h"

namespace ballast::zmq {
namespace {

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

}  // namespace

struct ControlServer::Parts {
  Parts(const std::string& path, PathLock lock_taken)
      : lock(std::move(lock_taken)), router(context, ::zmq::socket_type::router) {
    set_up_control(router, limits::control_bytes_max);
    router.set(::zmq::sockopt::router_mandatory, true);
    const PrivateFiles guard;
    router.bind("ipc://" + path);
  }

  PathLock lock;
  ::zmq::context_t context;
  ::zmq::socket_t router;
  std::map<std::uint64_t, std::string> askers;  // sessions of requests not yet answered
  std::uint64_t last_id = 0;
  std::uint64_t dropped = 0;
};

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& path) {
  if (const Status good = check_unix_path(path); !good) return good.error();
  if (const Status good = prepare_folder(path); !good) return good.error();
  Result<PathLock> lock = PathLock::take(path);
  if (!lock) return lock.error();
  if (const Status good = check_replaceable(path); !good) return good.error();
  try {
    return std::unique_ptr<ControlServer>(
        new ControlServer(std::make_unique<Parts>(path, std::move(lock).value())));
  } catch (const ::zmq::error_t& error) {
    return Error{"control socket " + ballast::quoted(path) + ": cannot listen: " + error.what()};
  }
}

ControlServer::ControlServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ControlServer::~ControlServer() = default;

std::vector<ControlRequest> ControlServer::take_requests() {
  std::vector<ControlRequest> requests;
  for (std::size_t looks = 2 * limits::control_requests_max; looks > 0; --looks) {
    ::zmq::message_t asker;
    ::zmq::message_t text;
    if (!parts_->router.recv(asker, ::zmq::recv_flags::dontwait)) break;
    const bool is_junk = take_frame(parts_->router, text) == Taken::junk;
    if (is_junk || parts_->askers.size() >= limits::control_requests_max) {
      ++parts_->dropped;
      continue;
    }
    parts_->askers.emplace(++parts_->last_id, asker.to_string());
    requests.push_back({parts_->last_id, text.to_string()});
  }
  return requests;
}

void ControlServer::reply(std::uint64_t id, const std::string& text) {
  const auto asker = parts_->askers.extract(id);
  if (asker.empty()) return;
  try {
    const auto now = ::zmq::send_flags::dontwait;
    if (parts_->router.send(::zmq::buffer(asker.mapped()), now | ::zmq::send_flags::sndmore)) {
      parts_->router.send(::zmq::buffer(text), now);
    }
  } catch (const ::zmq::error_t&) {
    // EHOSTUNREACH: the asker has gone, as it may.
  }
}

std::uint64_t ControlServer::dropped() const { return parts_->dropped; }
void* ControlServer::socket() const { return parts_->router.handle(); }

}  // namespace ballast::zmq
