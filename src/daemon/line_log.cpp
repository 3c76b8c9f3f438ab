// How not to block on a descriptor whose flags belong to others, too (the shell, the service
// manager):
//
//   a socket             asked not to wait, at each call
//   a pipe, a terminal   opened anew through /proc, with a flag of our own; where that is refused,
//                        poll first: one that says it is writable takes a page at once
//   a file               written as it is: it does not wait for a reader

#include "ballast/daemon/line_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace ballast::daemon {
namespace {

constexpr std::size_t page_bytes = 4096;

std::string stamp_of_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ ", &utc);
  return stamp;
}

}  // namespace

LineLog::LineLog(int descriptor, const char* journal) : descriptor_(descriptor) {
  struct stat what {};
  if (fstat(descriptor, &what) != 0) return;
  is_journal_ = journal != nullptr &&
                journal == std::to_string(what.st_dev) + ":" + std::to_string(what.st_ino);
  is_socket_ = S_ISSOCK(what.st_mode);
  if (!S_ISFIFO(what.st_mode) && !S_ISCHR(what.st_mode)) return;
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  own_ = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  may_block_ = own_ < 0;
}

LineLog::~LineLog() {
  flow();
  if (own_ >= 0) close(own_);
}

std::string LineLog::written(std::string_view text, Severity severity) const {
  std::string line =
      is_journal_ ? "<" + std::to_string(static_cast<int>(severity)) + ">" : stamp_of_now();
  return line.append(text.substr(0, limits::log_line_bytes_max)) + "\n";
}

void LineLog::say(std::string_view text, Severity severity) {
  flow();
  if (!lines_.push(written(text, severity))) {
    ++dropped_;
    ++dropped_untold_;
  }
  flow();
}

bool LineLog::writable() const {
  pollfd what{descriptor_, POLLOUT, 0};
  return !may_block_ || (poll(&what, 1, 0) > 0 && (what.revents & POLLOUT) != 0);
}

long LineLog::write_some(std::string_view text) const {
  const std::size_t size = std::min(text.size(), page_bytes);
  if (is_socket_) return send(descriptor_, text.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  return write(own_ >= 0 ? own_ : descriptor_, text.data(), size);
}

void LineLog::flow() {
  while (waits()) {
    if (rest_.empty()) rest_ = lines_.pop();
    // The lines that were dropped came after all that wait here: their number goes there, too.
    if (dropped_untold_ > 0 &&
        lines_.push(written(
            std::to_string(dropped_untold_) + " lines of this log were dropped: nobody took them",
            Severity::warning)))
      dropped_untold_ = 0;
    if (!writable()) return;
    const long written = write_some(rest_);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    // A reader that is gone does not come back: the line is lost, and so will be the next.
    if (written < 0) ++dropped_;
    rest_.erase(0, written < 0 ? rest_.size() : static_cast<std::size_t>(written));
  }
}

}  // namespace ballast::daemon
