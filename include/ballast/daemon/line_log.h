// The log of the daemon: lines with the time on a descriptor, most often standard error. Whoever
// reads it may stop reading: then lines wait here, up to a bound, and what is beyond it is dropped
// and counted, but nobody who logs ever waits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ballast/base/bounded.h"
#include "ballast/base/limits.h"

namespace ballast::daemon {

// As syslog(3) counts them.
enum class Severity : unsigned char { error = 3, warning = 4, notice = 5, info = 6 };

class LineLog {
 public:
  // The descriptor stays the caller's, and its flags as they are: it may be shared with others. A
  // process that gives it a pipe should ignore SIGPIPE.
  // `journal`: what the environment variable JOURNAL_STREAM says; null is not set. Where it names
  // this descriptor, the journal reads it: a line then has its severity in front ("<4>",
  // sd-daemon(3)) and no time, which the journal keeps itself.
  explicit LineLog(int descriptor, const char* journal = nullptr);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // One line, without its newline; a long one is cut. Never blocks.
  void say(std::string_view text, Severity severity = Severity::info);

  // Writes what can be written now. Where lines were dropped, one line tells how many.
  void flow();
  // Something is not written yet: call flow() again soon.
  bool waits() const { return !rest_.empty() || !lines_.empty(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  std::string written(std::string_view text, Severity severity) const;
  bool writable() const;
  long write_some(std::string_view text) const;

  int descriptor_;
  int own_ = -1;  // the same pipe or terminal, opened anew not to block
  bool is_journal_ = false;
  bool is_socket_ = false;
  bool may_block_ = false;
  BoundedQueue<std::string> lines_{limits::log_lines_max};
  std::string rest_;  // of the line that is being written
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_untold_ = 0;
};

}  // namespace ballast::daemon
