#include "unix_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "ballast/base/ids.h"

namespace ballast::zmq {
namespace {

Error error_at(const std::string& path, const std::string& what) {
  return Error{"control socket " + quoted(path) + ": " + what};
}

Error system_error_at(const std::string& path, const std::string& what) {
  return error_at(path, what + ": " + std::strerror(errno));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Status check_unix_path(const std::string& path) {
  constexpr std::size_t bytes_max = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.empty() && path.size() <= bytes_max && path.find('\0') == std::string::npos) return {};
  return error_at(path, "found a path of " + std::to_string(path.size()) +
                            " bytes, expected 1 to " + std::to_string(bytes_max));
}

Status prepare_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error_at(path, "cannot make the folder " + quoted(folder));
  }
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) {
    return system_error_at(path, "cannot look at the folder " + quoted(folder));
  }
  if (!S_ISDIR(status.st_mode)) return error_at(path, quoted(folder) + " is not a folder");
  // In a folder like /tmp (sticky) others can write, but not replace what is ours.
  const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (others_write && (status.st_mode & S_ISVTX) == 0) {
    return error_at(
        path, "other users may write in the folder " + quoted(folder) + ", expected mode 0700");
  }
  return {};
}

PathLock::PathLock(PathLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

PathLock& PathLock::operator=(PathLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

PathLock::~PathLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<PathLock> PathLock::take(const std::string& path) {
  const std::string name = path + ".lock";
  PathLock lock;
  lock.descriptor_ = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock.descriptor_ < 0) return system_error_at(path, "cannot open " + quoted(name));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return system_error_at(path, "cannot lock " + quoted(name));
  return error_at(path, "another node lives there; stop it, or give this one another path");
}

Status check_replaceable(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return system_error_at(path, "cannot look at it");
  }
  if (S_ISSOCK(status.st_mode)) return {};
  return error_at(path, "there is something that is not a socket; remove it, or give another path");
}

Result<int> connect_to(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return system_error_at(path, "cannot make a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  const int reason = errno;
  close(descriptor);
  switch (reason) {
    case EAGAIN: return error_at(path, "the node has no place for another command; ask again");
    case ENOENT:
    case ECONNREFUSED:
      return error_at(path, "no node answers there; is `ballast run` running with this path?");
    case EACCES:
      return error_at(path, "permission denied; ask as root or as the user the node runs as");
    default: errno = reason; return system_error_at(path, "cannot connect");
  }
}

}  // namespace ballast::zmq
