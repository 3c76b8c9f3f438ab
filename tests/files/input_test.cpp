#include "ballast/files/input.h"

#include <sys/stat.h>

#include "common/folder.h"
#include "xz.h"

namespace ballast::files {
namespace {

std::string error_of(const std::string& path, std::size_t bytes_max = 1U << 20U) {
  const Result<std::string> bytes = read_input(path, bytes_max);
  REQUIRE_FALSE(bytes.ok());
  CHECK_FALSE(holds(bytes.error().message, "\n"));
  return bytes.error().message;
}

TEST_CASE("a plain file is read as it is") {
  const Folder folder;
  const Result<std::string> bytes = read_input(folder.write("a.txt", "hello\n"));
  REQUIRE(bytes.ok());
  CHECK(*bytes == "hello\n");
}

TEST_CASE("xz is told by its content, whatever the file is called") {
  const Folder folder;
  const Result<std::string> packed = read_input(folder.write("a.json", xz_of("hello")));
  REQUIRE(packed.ok());
  CHECK(*packed == "hello");
  const Result<std::string> plain = read_input(folder.write("a.xz", "hello"));
  REQUIRE(plain.ok());
  CHECK(*plain == "hello");
}

TEST_CASE("several xz streams in one file are one content") {
  const Folder folder;
  const Result<std::string> bytes = read_input(folder.write("a", xz_of("hello ") + xz_of("you")));
  REQUIRE(bytes.ok());
  CHECK(*bytes == "hello you");
}

TEST_CASE("content of any size comes out whole") {
  const Folder folder;
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 262143U, 262144U, 262145U, 900000U}) {
    CAPTURE(size);
    const std::string content(size, 'x');
    CHECK(*read_input(folder.write("plain", content)) == content);
    CHECK(*read_input(folder.write("packed", xz_of(content))) == content);
  }
}

TEST_CASE("the bound holds before and after decompression, to the byte") {
  const Folder folder;
  const std::string content(1000, 'x');
  const std::string plain = folder.write("plain", content);
  const std::string packed = folder.write("packed", xz_of(content));
  CHECK(read_input(plain, 1000).ok());
  CHECK(read_input(packed, 1000).ok());
  CHECK(holds(error_of(plain, 999), "more than 999 bytes"));
  CHECK(holds(error_of(packed, 999), "more than 999 bytes when decompressed"));
  const std::string bomb = folder.write("bomb", xz_of(std::string(50U << 20U, '\0')));
  CHECK(holds(error_of(bomb), "more than 1048576 bytes when decompressed"));
}

TEST_CASE("xz that is cut short anywhere is an error") {
  const Folder folder;
  const std::string whole = xz_of(std::string(5000, 'x') + "end");
  for (std::size_t length = 6; length < whole.size(); ++length) {
    CAPTURE(length);
    const std::string message = error_of(folder.write("cut", whole.substr(0, length)));
    CHECK(holds(message, "cut: xz data is cut short"));
  }
}

TEST_CASE("damaged xz is an error") {
  const Folder folder;
  std::string damaged = xz_of(std::string(5000, 'x'));
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  CHECK(holds(error_of(folder.write("bad", damaged)), "xz data is damaged"));
  CHECK(holds(error_of(folder.write("more", xz_of("hello") + "junk that follows")), "xz data"));
}

TEST_CASE("what is not a file that can be read is an error that says so") {
  const Folder folder;
  CHECK(holds(error_of(folder.path()), "is a directory, expected a file"));
  CHECK(holds(error_of(folder.at("missing")), "missing: cannot be opened: No such file"));
  CHECK(holds(error_of(""), "the name of a file is empty"));
  CHECK(holds(error_of(std::string("a\0b", 3)), "zero byte"));
}

}  // namespace
}  // namespace ballast::files
