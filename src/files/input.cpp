#include "ballast/files/input.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "descriptor.h"
#include "xz.h"

namespace ballast::files {
namespace {

Error failure(const std::string& name, const std::string& what) {
  return Error{name + ": " + what};
}

Error too_large(const std::string& name, std::size_t bytes_max) {
  return failure(name, "more than " + std::to_string(bytes_max) + " bytes, expected less");
}

Result<std::string> read_all(int fd, const std::string& name, std::size_t bytes_hint,
                             std::size_t bytes_max) {
  constexpr std::size_t chunk_bytes = 64U << 10U;
  std::string bytes;
  std::size_t filled = 0;
  while (true) {
    if (filled == bytes.size()) {
      if (filled > bytes_max) return too_large(name, bytes_max);
      const std::size_t wanted = std::max({chunk_bytes, bytes_hint + 1, filled * 2});
      bytes.resize(std::min(wanted, bytes_max + 1));
    }
    const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(name, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > bytes_max) return too_large(name, bytes_max);
  bytes.resize(filled);
  return bytes;
}

}  // namespace

std::string name_of_input(const std::string& path) { return path == "-" ? "standard input" : path; }

Result<std::string> read_input(const std::string& path, std::size_t bytes_max) {
  const std::string name = name_of_input(path);
  if (path.empty()) return Error{"the name of a file is empty"};
  if (path.find('\0') != std::string::npos) return Error{"the name of a file holds a zero byte"};
  const Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return failure(name, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat facts = {};
  if (::fstat(file.get(), &facts) != 0)
    return failure(name, std::string("cannot be read: ") + std::strerror(errno));
  if (S_ISDIR(facts.st_mode)) return failure(name, "is a directory, expected a file");
  std::size_t bytes_hint = 0;
  if (S_ISREG(facts.st_mode)) {
    if (static_cast<std::uint64_t>(facts.st_size) > bytes_max) return too_large(name, bytes_max);
    bytes_hint = static_cast<std::size_t>(facts.st_size);
  }
  Result<std::string> bytes = read_all(file.get(), name, bytes_hint, bytes_max);
  if (!bytes || !is_xz(*bytes)) return bytes;
  Result<std::string> content = unxz(*bytes, bytes_max);
  if (!content) return failure(name, content.error().message);
  return content;
}

}  // namespace ballast::files
