#include "ballast/files/store.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/folder.h"

namespace ballast::files {
namespace {

TEST_CASE("a file that is not there is nothing, not an error") {
  const Folder folder;
  const Result<std::optional<std::string>> read = read_small(folder.at("none"));
  REQUIRE(read.ok());
  CHECK_FALSE(read->has_value());
}

TEST_CASE("what was written is read, and only its owner may") {
  const Folder folder;
  const std::string path = folder.at("state");
  for (const std::string& text : {std::string("first"), std::string(), std::string("a\0b", 3)}) {
    const Status status = write_atomically(path, text);
    REQUIRE_MESSAGE(status.ok(), status.error().message);
    const Result<std::optional<std::string>> read = read_small(path);
    REQUIRE(read.ok());
    CHECK(read->value() == text);
  }
  struct stat facts = {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0600U);
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("a write that fails leaves the old content") {
  const Folder folder;
  const std::string path = folder.write("state", "old");
  // What a crash could have left in the way, in its worst form.
  REQUIRE(::mkdir((path + ".new").c_str(), 0700) == 0);
  CHECK(holds(write_atomically(path, "new").error().message, "cannot be replaced"));
  CHECK(folder.read("state") == "old");
}

TEST_CASE("what a crash left beside the file is no obstacle, and a link there is not followed") {
  const Folder folder;
  const std::string path = folder.write("state", "old");
  folder.write("victim", "precious");
  REQUIRE(::symlink(folder.at("victim").c_str(), (path + ".new").c_str()) == 0);
  REQUIRE(write_atomically(path, "new").ok());
  CHECK(folder.read("state") == "new");
  CHECK(folder.read("victim") == "precious");
}

TEST_CASE("errors name the file and what is wrong") {
  const Folder folder;
  CHECK(holds(write_atomically(folder.at("no/such"), "x").error().message, "cannot be made"));
  CHECK(holds(read_small(folder.path()).error().message, "not a plain file"));
  CHECK(holds(read_small(folder.write("big", "12345"), 4).error().message, "more than 4 bytes"));
  CHECK(read_small(folder.at("big"), 5).ok());
  REQUIRE(::mkfifo(folder.at("pipe").c_str(), 0600) == 0);
  CHECK(holds(read_small(folder.at("pipe")).error().message, "not a plain file"));
}

TEST_CASE("a folder is held by one, until it lets go") {
  const Folder folder;
  const std::string state = folder.at("deep/state");
  {
    const Result<DirectoryLock> first = DirectoryLock::take(state);
    REQUIRE_MESSAGE(first.ok(), first.error().message);
    const Result<DirectoryLock> second = DirectoryLock::take(state);
    REQUIRE_FALSE(second.ok());
    CHECK(holds(second.error().message, state + ": is held by another ballast process (pid " +
                                            std::to_string(::getpid()) + ")"));
  }
  CHECK(DirectoryLock::take(state).ok());
}

TEST_CASE("a holder that dies without a word lets go") {
  const Folder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const Result<DirectoryLock> held = DirectoryLock::take(folder.path());
    ::_exit(held.ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(DirectoryLock::take(folder.path()).ok());
}

TEST_CASE("a lock that moves is still one lock") {
  const Folder folder;
  Result<DirectoryLock> taken = DirectoryLock::take(folder.path());
  REQUIRE(taken.ok());
  DirectoryLock held = std::move(*taken);
  CHECK_FALSE(DirectoryLock::take(folder.path()).ok());
  const DirectoryLock moved = std::move(held);
  CHECK_FALSE(DirectoryLock::take(folder.path()).ok());
}

}  // namespace
}  // namespace ballast::files
