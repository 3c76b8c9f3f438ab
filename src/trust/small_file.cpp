#include "small_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ballast::trust {
namespace {

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777U));
  return text;
}

Status check_secret(const std::string& file, const struct stat& status) {
  if (status.st_uid != geteuid()) {
    return Error{file + ": belongs to user " + std::to_string(status.st_uid) + ", expected " +
                 std::to_string(geteuid()) + " (the one that runs this)"};
  }
  if ((status.st_mode & 077U) != 0) {
    return Error{file + ": has mode " + octal(status.st_mode) +
                 ", expected 0600: others could read the secret key (chmod 600 " + file +
                 ", and make a new key if somebody may have)"};
  }
  return {};
}

// The folder's entry of a new name is safe only when the folder is.
void sync_folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.is_open()) fsync(opened.get());
}

// Where a link leads; the name itself when it is none.
std::string resolved(const std::string& file) {
  char path[PATH_MAX];
  return realpath(file.c_str(), path) != nullptr ? path : file;
}

}  // namespace

Error file_error(const std::string& file, const std::string& what) {
  return Error{file + ": " + what + ": " + std::strerror(errno)};
}

Result<std::string> read_small(const std::string& file, std::size_t bytes_max, bool secret) {
  // Not blocking, so that a FIFO in the file's place does not hold us.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (secret ? O_NOFOLLOW : 0);
  const Descriptor opened(open(file.c_str(), flags));
  if (!opened.is_open() && errno == ELOOP) {
    return Error{file + ": is a symbolic link, expected the key file itself"};
  }
  if (!opened.is_open()) return file_error(file, "cannot open");
  struct stat status {};
  if (fstat(opened.get(), &status) != 0) return file_error(file, "cannot look at it");
  if (!S_ISREG(status.st_mode)) return Error{file + ": is not a regular file"};
  // Who may write to it decides who is trusted.
  if (!secret && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error{file + ": has mode " + octal(status.st_mode) +
                 ", expected 0644 or less: others could write to it (chmod go-w " + file +
                 ", and look at what stands in it)"};
  }
  if (secret) {
    if (const Status good = check_secret(file, status); !good) return good.error();
  }
  std::string bytes;
  char part[65536];
  for (;;) {
    const ssize_t got = read(opened.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(file, "cannot read");
    if (got == 0) return bytes;
    bytes.append(part, static_cast<std::size_t>(got));
    if (bytes.size() > bytes_max) {
      return Error{file + ": has more than " + std::to_string(bytes_max) +
                   " bytes, expected no more"};
    }
  }
}

Status write_new_secret(const std::string& file, std::string_view bytes) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Descriptor opened(open(file.c_str(), flags, 0600));
  if (!opened.is_open() && errno == EEXIST) {
    return Error{file + ": is there already; a key is never overwritten (move it away first)"};
  }
  if (!opened.is_open()) return file_error(file, "cannot make it");
  if (!write_all(opened.get(), bytes) || fsync(opened.get()) != 0) {
    const Error error = file_error(file, "cannot write");
    unlink(file.c_str());
    return error;
  }
  sync_folder_of(file);
  return {};
}

namespace {

Status replace_with(const std::string& file, std::string_view bytes, bool secret) {
  const std::string target = secret ? file : resolved(file);
  struct stat before {};
  const bool keeps = !secret && stat(target.c_str(), &before) == 0;
  const mode_t mode = keeps ? before.st_mode & 07777U : secret ? 0600U : 0644U;
  std::string name = target + ".XXXXXX";
  const Descriptor opened(mkostemp(name.data(), O_CLOEXEC));
  if (!opened.is_open()) return file_error(file, "cannot make a file beside it");
  const bool done = write_all(opened.get(), bytes) && fchmod(opened.get(), mode) == 0 &&
                    fsync(opened.get()) == 0 && rename(name.c_str(), target.c_str()) == 0;
  if (!done) {
    const Error error = file_error(file, "cannot replace it");
    unlink(name.c_str());
    return error;
  }
  sync_folder_of(target);
  return {};
}

}  // namespace

Status replace(const std::string& file, std::string_view bytes) {
  return replace_with(file, bytes, false);
}

Status replace_secret(const std::string& file, std::string_view bytes) {
  return replace_with(file, bytes, true);
}

Status append(const std::string& file, std::string_view bytes) {
  const Descriptor opened(open(file.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!opened.is_open()) return file_error(file, "cannot open");
  // What a crash has cut off is no line, and must not become the beginning of the next one.
  off_t size = lseek(opened.get(), 0, SEEK_END);
  char last = '\n';
  while (size > 0 && pread(opened.get(), &last, 1, size - 1) == 1 && last != '\n') --size;
  if (ftruncate(opened.get(), size) != 0) return file_error(file, "cannot cut it");
  if (!write_all(opened.get(), bytes) || fsync(opened.get()) != 0) {
    const Error error = file_error(file, "cannot write");
    (void)!ftruncate(opened.get(), size);
    return error;
  }
  return {};
}

Result<FileLock> FileLock::take(const std::string& file) {
  const std::string name = file + ".lock";
  const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return file_error(name, "cannot open");
  FileLock lock(descriptor);
  while (flock(descriptor, LOCK_EX) != 0) {
    if (errno != EINTR) return file_error(name, "cannot lock");
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace ballast::trust
