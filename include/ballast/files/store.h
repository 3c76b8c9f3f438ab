// Small files that must survive a crash: the state of a node. Either the old content is there or
// the new one, never a mixture. Source: design, section 7, "small, written atomically".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "ballast/base/limits.h"
#include "ballast/base/result.h"

namespace ballast::files {

// The content of a file; nothing when there is no such file. An error when it cannot be read, is
// not a plain file, or is larger than `bytes_max`.
Result<std::optional<std::string>> read_small(const std::string& path,
                                              std::size_t bytes_max = limits::state_bytes_max);

// Replaces the content of a file, mode 0600: written beside it, synced to disk, renamed over it,
// and the folder synced. When it returns without error the new content survives a power cut. One
// writer a file at a time; DirectoryLock keeps it so.
Status write_atomically(const std::string& path, std::string_view bytes);

// Holds a folder for one process, for as long as the object lives; the system lets go of it when
// the process dies, however it dies.
class DirectoryLock {
 public:
  // Makes the folder (mode 0700) where it is missing. An error when another process holds it; the
  // message names that process.
  static Result<DirectoryLock> take(const std::string& folder);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace ballast::files
