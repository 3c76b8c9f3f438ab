// Reading and replacing the two small files of this room.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"

namespace ballast::trust {

// The error of a system call on a file, with errno's words.
Error file_error(const std::string& file, const std::string& what);

// All of a regular file of at most `bytes_max`. With `secret`, only when it belongs to us and
// nobody else may read it; a link is not followed then. Without, only when nobody else may
// write to it.
Result<std::string> read_small(const std::string& file, std::size_t bytes_max, bool secret);

// Makes a file that is not there yet, with mode 0600.
Status write_new_secret(const std::string& file, std::string_view bytes);

// Puts a whole new text in the place of the old one, which keeps its mode (0644 when new). A link
// is followed, so that what it points to is replaced.
Status replace(const std::string& file, std::string_view bytes);

// Adds to the end of a file that is there, and waits until it is on disk.
Status append(const std::string& file, std::string_view bytes);

// Replaces a file with mode 0600, or makes it so.
Status replace_secret(const std::string& file, std::string_view bytes);

// Held while the file is read, changed and replaced, so that two commands do not undo each other.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& file);
  FileLock(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace ballast::trust
