#include "ballast/files/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cstring>

#include "ballast/base/ids.h"
#include "descriptor.h"

namespace ballast::files {
namespace {

constexpr mode_t private_file = 0600;
constexpr mode_t private_folder = 0700;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_folder(const std::string& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0)
    return Error{failed(folder, "the folder cannot be synced to disk")};
  return {};
}

// Makes the folder and those above it.
Status make_folders(const std::string& folder) {
  for (std::size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
    const std::string part = folder.substr(0, end);
    if (::mkdir(part.c_str(), private_folder) != 0 && errno != EEXIST)
      return Error{failed(part, "the folder cannot be made")};
    if (end == std::string::npos) return {};
  }
}

}  // namespace

std::string failed(const std::string& path, const char* what) {
  const int reason = errno;
  return path + ": " + what + ": " + std::strerror(reason);
}

Result<std::optional<std::string>> read_small(const std::string& path, std::size_t bytes_max) {
  // Without O_NONBLOCK a pipe of that name would hold us for ever.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT) return std::optional<std::string>();
    return Error{failed(path, "cannot be opened")};
  }
  struct stat facts = {};
  if (::fstat(fd.get(), &facts) != 0) return Error{failed(path, "cannot be read")};
  if (!S_ISREG(facts.st_mode)) return Error{path + ": is not a plain file, expected one"};
  std::string bytes(bytes_max + 1, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{failed(path, "cannot be read")};
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > bytes_max)
    return Error{path + ": more than " + std::to_string(bytes_max) + " bytes, expected less"};
  bytes.resize(filled);
  return std::optional<std::string>(std::move(bytes));
}

Status write_atomically(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  // What a crash left behind may be anything, even a link to elsewhere.
  if (::unlink(beside.c_str()) != 0 && errno != ENOENT)
    return Error{failed(beside, "cannot be replaced")};
  {
    const Descriptor fd(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_file));
    if (!fd.valid()) return Error{failed(beside, "cannot be made")};
    if (!write_all(fd.get(), bytes) || ::fsync(fd.get()) != 0) {
      const Error error{failed(beside, "cannot be written")};
      ::unlink(beside.c_str());
      return error;
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const Error error{failed(path, "cannot be replaced")};
    ::unlink(beside.c_str());
    return error;
  }
  return sync_folder(folder_of(path));
}

Result<DirectoryLock> DirectoryLock::take(const std::string& folder) {
  if (folder.empty()) return Error{"the name of a folder is empty"};
  if (Status bad = make_folders(folder); !bad) return bad.error();
  const std::string path = folder + "/lock";
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
  if (!fd.valid()) return Error{failed(path, "cannot be opened")};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error{failed(path, "cannot be locked")};
    std::string holder(32, '\0');
    const ssize_t got = ::pread(fd.get(), holder.data(), holder.size(), 0);
    holder.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return Error{folder + ": is held by another ballast process (" +
                 (holder.empty() ? "unknown" : "pid " + cleaned_text(holder, holder.size())) +
                 "), expected a folder of this node's own"};
  }
  // The pid is for the message above only: the lock is what counts.
  if (::ftruncate(fd.get(), 0) != 0 || !write_all(fd.get(), std::to_string(::getpid())))
    return Error{failed(path, "cannot be written")};
  return DirectoryLock(fd.release());
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace ballast::files
