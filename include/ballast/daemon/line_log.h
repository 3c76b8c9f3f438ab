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

class LineLog {
 public:
  // The descriptor stays the caller's, and its flags as they are: it may be shared with others. A
  // process that gives it a pipe should ignore SIGPIPE.
  explicit LineLog(int descriptor);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // One line, without its newline; a long one is cut. Never blocks.
  void say(std::string_view text);

  // Writes what can be written now. Where lines were dropped, one line tells how many.
  void flow();
  // Something is not written yet: call flow() again soon.
  bool waits() const { return !rest_.empty() || !lines_.empty(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool writable() const;
  long write_some(std::string_view text) const;

  int descriptor_;
  int own_ = -1;  // the same pipe or terminal, opened anew not to block
  bool is_socket_ = false;
  bool may_block_ = false;
  BoundedQueue<std::string> lines_{limits::log_lines_max};
  std::string rest_;  // of the line that is being written
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_untold_ = 0;
};

}  // namespace ballast::daemon
