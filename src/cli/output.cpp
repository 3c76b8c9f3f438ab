#include "ballast/cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"

namespace ballast::cli {
namespace {

// 0, or the errno of the write that failed.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

std::string fixed(double number, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

void prepare_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // Open the wrong way round: using it still fails, as it did when it was closed.
    const int taken = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (taken != fd && taken >= 0) ::close(taken);
  }
  std::signal(SIGPIPE, SIG_IGN);
}

ExitCode answer(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0 || error == EPIPE) return ExitCode::done;
  return complain(std::string("standard output: cannot be written: ") + std::strerror(error));
}

ExitCode complain(std::string_view message) {
  constexpr std::size_t line_bytes_max = 4 * limits::text_bytes_max;
  const std::string line = "ballast: " + cleaned_text(message, line_bytes_max) + "\n";
  write_all(STDERR_FILENO, line);
  return ExitCode::wrong;
}

}  // namespace ballast::cli
