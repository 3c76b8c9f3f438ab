#include "ballast/zmq/names.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "ballast/wire/endpoint.h"
#include "udp.h"

namespace ballast::zmq {
namespace {

constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::chrono::seconds asked_again_after(60);
constexpr std::chrono::seconds tried_again_after(5);  // while it is not known

}  // namespace

Result<std::string> looked_up(const std::string& endpoint) {
  if (wire::is_numeric_endpoint(endpoint)) return endpoint;
  if (!endpoint.starts_with(tcp_scheme))
    return Error{"found " + quoted(endpoint) + ", expected \"tcp://HOST:PORT\""};
  const Result<wire::BeaconAddress> found = look_up(endpoint.substr(tcp_scheme.size()));
  if (!found) return found.error();
  return std::string(tcp_scheme) + text_of(*found);
}

struct NamedEndpoint::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::string address;
  bool stopped = false;
};

NamedEndpoint::NamedEndpoint(std::string endpoint)
    : name_(std::move(endpoint)), shared_(std::make_shared<Shared>()) {
  if (wire::is_numeric_endpoint(name_)) {
    shared_->address = name_;
    return;
  }
  // Nobody waits for it: a nameserver may take its time, also while we want to stop.
  std::thread([shared = shared_, name = name_] {
    std::unique_lock lock(shared->mutex);
    while (!shared->stopped) {
      lock.unlock();
      const Result<std::string> found = looked_up(name);
      lock.lock();
      if (found) shared->address = *found;
      const auto pause = found ? asked_again_after : tried_again_after;
      shared->changed.wait_for(lock, pause, [&] { return shared->stopped; });
    }
  }).detach();
}

NamedEndpoint::~NamedEndpoint() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->changed.notify_all();
}

std::string NamedEndpoint::address() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->address;
}

}  // namespace ballast::zmq
