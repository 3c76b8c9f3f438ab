// Records: what is written is read back, whatever bytes ids hold; anything else is nothing.
#include "../../src/simulated/record.h"

#include <doctest/doctest.h>

#include "ballast/base/random.h"

namespace ballast::simulated {

TEST_CASE("any fields come back as they were") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Record record(1 + random.below(fields_max));
    for (std::string& field : record)
      for (std::uint64_t n = random.below(20); n > 0; --n)
        field += static_cast<char>(random.below(256));
    const std::string line = to_line(record);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(from_line(line) == record);
  }
}

TEST_CASE("lines that to_line does not write are nothing") {
  for (const char* line : {"", " ", "a  b", "a ", " a", "%4", "%G0", "a%", "\x80", "a\tb"})
    CHECK_FALSE(from_line(line).has_value());
  CHECK_FALSE(from_line(std::string(record_bytes_max + 1, 'a')).has_value());
}

TEST_CASE("numbers are decimal and within their bound") {
  CHECK(number_from("12.5", 100) == 12.5);
  for (const char* text : {"", "x", "1x", "-1", "nan", "inf", "101", "1e999", " 1"})
    CHECK_FALSE(number_from(text, 100).has_value());
}

TEST_CASE("secrets are equal only when they are") {
  CHECK(equal_secrets("abc", "abc"));
  CHECK_FALSE(equal_secrets("abc", "abd"));
  CHECK_FALSE(equal_secrets("abc", "ab"));
  CHECK_FALSE(equal_secrets("ab", "abab"));
  CHECK_FALSE(equal_secrets("", "a"));
  CHECK_FALSE(equal_secrets("a", ""));
}

TEST_CASE("addresses are loopback or nothing") {
  CHECK(address_from("127.0.0.1:0").has_value());
  CHECK(address_from_uri("sim://127.9.8.7:80")->port == 80);
  for (const char* text : {"127.0.0.1", "0.0.0.0:1", "128.0.0.1:1", "localhost:1", "127.0.0.1:-1",
                           "127.0.0.1:65536", "127.0.0.1:1x", ":1", "127.1:1"})
    CHECK_FALSE(address_from(text).has_value());
  CHECK_FALSE(address_from_uri("sim://127.0.0.1:0").has_value());
}

}  // namespace ballast::simulated
