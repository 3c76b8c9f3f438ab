// The log when its reader is slow, gone or fine: whoever logs never waits, and every line is either
// read or counted.
#include "ballast/daemon/line_log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace {

using namespace ballast;

// Two ends of what a log may be written to. Reading never waits.
class Line {
 public:
  explicit Line(bool socket) {
    const int made = socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) : pipe(ends_);
    REQUIRE(made == 0);
    fcntl(ends_[0], F_SETFL, fcntl(ends_[0], F_GETFL) | O_NONBLOCK);
  }
  ~Line() {
    stop_reading();
    close(ends_[1]);
  }
  int to_write() const { return ends_[1]; }
  void stop_reading() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  std::string read_all() {
    std::string all;
    char bytes[4096];
    for (ssize_t got = 0; (got = read(ends_[0], bytes, sizeof bytes)) > 0;)
      all.append(bytes, static_cast<std::size_t>(got));
    return all;
  }

 private:
  int ends_[2] = {-1, -1};
};

// Without the time in front: "2026-01-31T12:00:00Z ".
std::vector<std::string> lines_of(const std::string& text) {
  constexpr std::size_t stamp_bytes = 21;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = text.substr(at, end - at);
    REQUIRE(line.size() >= stamp_bytes);
    CHECK(line[10] == 'T');
    CHECK(line.substr(19, 2) == "Z ");
    lines.push_back(line.substr(stamp_bytes));
    at = end + 1;
  }
  return lines;
}

TEST_CASE("lines that are read come with their time, in order and at once") {
  for (const bool socket : {false, true}) {
    CAPTURE(socket);
    Line line(socket);
    daemon::LineLog log(line.to_write());
    log.say("one");
    log.say("two");
    CHECK(!log.waits());
    CHECK(lines_of(line.read_all()) == std::vector<std::string>{"one", "two"});
  }
}

TEST_CASE("a reader that stops holds nobody up; later it is told how many lines it missed") {
  constexpr std::size_t said = 20000;
  for (const bool socket : {false, true}) {
    CAPTURE(socket);
    Line line(socket);
    daemon::LineLog log(line.to_write());
    for (std::size_t n = 0; n < said; ++n) log.say("line " + std::to_string(n));
    CHECK(log.waits());
    const std::uint64_t dropped = log.dropped();
    REQUIRE(dropped > 0);
    std::string text;
    while (log.waits()) {
      text += line.read_all();
      log.flow();
    }
    log.say("at last");
    const std::vector<std::string> lines = lines_of(text + line.read_all());
    REQUIRE(lines.size() == said - dropped + 2);
    for (std::size_t n = 0; n + 2 < lines.size(); ++n)
      REQUIRE(lines[n] == "line " + std::to_string(n));
    CHECK(lines[lines.size() - 2] ==
          std::to_string(dropped) + " lines of this log were dropped: nobody took them");
    CHECK(lines.back() == "at last");
    CHECK(log.dropped() == dropped);
  }
}

TEST_CASE("the journal is told how serious a line is, and nobody else") {
  Line line(true);
  struct stat what {};
  REQUIRE(fstat(line.to_write(), &what) == 0);
  const std::string journal = std::to_string(what.st_dev) + ":" + std::to_string(what.st_ino);
  daemon::LineLog log(line.to_write(), journal.c_str());
  log.say("one");
  log.say("two", daemon::Severity::error);
  CHECK(line.read_all() == "<6>one\n<3>two\n");
  // Standard error was sent elsewhere, and the variable stands still.
  daemon::LineLog other(line.to_write(), "0:1");
  other.say("three", daemon::Severity::error);
  CHECK(lines_of(line.read_all()) == std::vector<std::string>{"three"});
}

TEST_CASE("the descriptor's flags, which others share, stay as they were") {
  Line line(false);
  const daemon::LineLog log(line.to_write());
  CHECK((fcntl(line.to_write(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a reader that is gone costs lines, counted, and nothing else") {
  std::signal(SIGPIPE, SIG_IGN);
  for (const bool socket : {false, true}) {
    CAPTURE(socket);
    Line line(socket);
    daemon::LineLog log(line.to_write());
    line.stop_reading();
    log.say("one");
    log.say("two");
    CHECK(!log.waits());
    CHECK(log.dropped() == 2);
  }
}

TEST_CASE("a line beyond its bound is cut") {
  Line line(false);
  daemon::LineLog log(line.to_write());
  log.say(std::string(10 * limits::log_line_bytes_max, 'x'));
  const std::vector<std::string> lines = lines_of(line.read_all());
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() == limits::log_line_bytes_max);
}

TEST_CASE("a descriptor that is none loses lines and does no harm") {
  daemon::LineLog log(-1);
  log.say("one");
  CHECK(!log.waits());
  CHECK(log.dropped() == 1);
}

}  // namespace
