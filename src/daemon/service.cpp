#include "service.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace ballast::daemon {
namespace {

constexpr std::int64_t tellings_an_interval = 3;

std::optional<std::int64_t> whole_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  std::int64_t value = 0;
  const auto [stopped, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

// A path, or a name of the abstract space, which is written with '@' and begins with a zero byte.
bool is_address(std::string_view text) {
  return text.size() >= 2 && (text[0] == '/' || text[0] == '@') &&
         text.size() < sizeof(sockaddr_un::sun_path);
}

}  // namespace

ServiceManager::ServiceManager(const char* socket, const char* watchdog_us,
                               const char* watchdog_pid) {
  if (socket == nullptr || !is_address(socket)) return;
  address_ = socket;
  if (address_[0] == '@') address_[0] = '\0';
  descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool for_us = watchdog_pid == nullptr || whole_number(watchdog_pid) == getpid();
  const std::int64_t interval_us = whole_number(watchdog_us).value_or(0);
  if (descriptor_ < 0 || !for_us || interval_us < tellings_an_interval) return;
  every_ = Duration(interval_us / tellings_an_interval);
  next_ = TimePoint(Duration(0));
}

ServiceManager::~ServiceManager() {
  if (descriptor_ >= 0) close(descriptor_);
}

void ServiceManager::ready() { say("READY=1"); }

void ServiceManager::stopping() { say("STOPPING=1"); }

void ServiceManager::turned(TimePoint now) {
  if (now < next_) return;
  say("WATCHDOG=1");
  next_ = now + every_;
}

void ServiceManager::say(std::string_view state) const {
  if (descriptor_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const std::size_t length = offsetof(sockaddr_un, sun_path) + address_.size();
  // What the manager does not take is lost, and it notices: the next telling comes in time.
  static_cast<void>(sendto(descriptor_, state.data(), state.size(), MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(length)));
}

}  // namespace ballast::daemon
