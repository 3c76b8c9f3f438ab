// Ids are the first thing that a hostile file or peer sends: what is no clean, short UTF-8 text
// must not get past is_valid_id, and whatever is shown to a person must not speak to the terminal.
#include "ballast/base/ids.h"

#include <doctest/doctest.h>

#include <string>
#include <unordered_set>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"

using namespace ballast;

namespace {

bool has_control_bytes(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return true;
  }
  return false;
}

std::string random_bytes(Random& random, std::size_t length) {
  std::string text;
  while (text.size() < length) text += static_cast<char>(random.below(256));
  return text;
}

}  // namespace

TEST_CASE("names as operators give them are valid ids") {
  for (const char* text : {"v1", "web-01.example.org", "7b0f4c1e-3f0a-4bd1-9a55-0c1f5a1d2e3f",
                           "a b", "b\xC3\xBCro", "\xE6\x9C\x8D\xE5\x8A\xA1", "\xF0\x9F\x9A\xA2"})
    CHECK_MESSAGE(is_valid_id(text), text);
}

TEST_CASE("an id has at least one byte and at most the bound") {
  CHECK_FALSE(is_valid_id(""));
  CHECK(is_valid_id(std::string(limits::id_bytes_max, 'x')));
  CHECK_FALSE(is_valid_id(std::string(limits::id_bytes_max + 1, 'x')));
  CHECK_FALSE(is_valid_id(std::string(4U << 20U, 'x')));
}

TEST_CASE("control characters are refused, those of two bytes too") {
  CHECK_FALSE(is_valid_id("a\nb"));
  CHECK_FALSE(is_valid_id("a\x7F"));
  CHECK_FALSE(is_valid_id("\x1B[2J"));
  CHECK_FALSE(is_valid_id(std::string_view("a\0b", 3)));
  CHECK_FALSE(
      is_valid_id("\xC2\x9B"
                  "2J"));          // U+009B: a terminal takes it for ESC [
  CHECK(is_valid_id("\xC2\xA0"));  // U+00A0, the first after them
}

TEST_CASE("malformed UTF-8 is refused") {
  for (const char* text : {"\x80",              // a continuation without a lead
                           "\xC3",              // cut short
                           "\xE6\x9C",          // cut short
                           "\xF0\x9F\x9A",      // cut short
                           "\xC3(",             // not a continuation
                           "\xC0\xAF",          // overlong /
                           "\xE0\x80\xAF",      // overlong /
                           "\xF0\x80\x80\xAF",  // overlong /
                           "\xED\xA0\x80",      // a surrogate
                           "\xF4\x90\x80\x80",  // beyond U+10FFFF
                           "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF", "ok\xFE"})
    CHECK_FALSE_MESSAGE(is_valid_id(text), quoted(text));
}

TEST_CASE("the edges of the encoding are accepted") {
  for (const char* text : {"\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xE0\xA0\x80", "\xDF\xBF"})
    CHECK_MESSAGE(is_valid_id(text), text);
}

TEST_CASE("what is quoted for a person is short and holds no control bytes, whatever came in") {
  const std::uint64_t seed = 20;
  CAPTURE(seed);
  Random random(seed);
  for (int n = 0; n < 2000; ++n) {
    const std::string text = random_bytes(random, random.below(200));
    const std::string shown = quoted(text);
    CHECK_FALSE(has_control_bytes(shown));
    CHECK(shown.find("\xC2\x9B") == std::string::npos);
    CHECK(shown.size() < 100);
  }
  CHECK(quoted("v1") == "'v1'");
  CHECK(quoted("a\nb") == "'a?b'");
  CHECK(quoted("\xC2\x9Bx") == "'?x'");
  CHECK(quoted(std::string(1000, 'x')) == "'" + std::string(64, 'x') + "'... (1000 bytes)");
}

TEST_CASE("what turns the direction of a name, or cannot be seen in it, is not part of one") {
  for (const char* bad : {"vm\u202Eexe", "vm\u2066x", "vm\u200B1", "\uFEFFvm", "vm\u2028x",
                          "vm\u061C", "v\u00ADm", "v\u2060m", "v\U000E0041m", "vm\u0085"}) {
    CHECK_FALSE_MESSAGE(is_valid_id(bad), bad);
    CHECK(is_valid_id(cleaned_text(bad, 80)));
    CHECK(quoted(bad).find('?') != std::string::npos);
  }
  for (const char* good : {"b\u00FCro", "\u6771\u4EAC", "\u05D0\u05D1", "\u2013", "\U0001F600"})
    CHECK_MESSAGE(is_valid_id(good), good);
}

TEST_CASE("a text made clean is clean, as long as allowed, and the same where it was clean") {
  const std::uint64_t seed = 21;
  CAPTURE(seed);
  Random random(seed);
  for (int n = 0; n < 2000; ++n) {
    const std::string text = random_bytes(random, random.below(100));
    const std::size_t bytes_max = random.below(80);
    const std::string clean = cleaned_text(text, bytes_max);
    CHECK(is_clean_text(clean, bytes_max));
    CHECK(cleaned_text(clean, bytes_max) == clean);
  }
  CHECK(cleaned_text("b\xC3\xBCro", 80) == "b\xC3\xBCro");
  CHECK(cleaned_text("b\xC3\xBCro", 2) == "b");  // never half a character
  CHECK(cleaned_text("a\x1B[2J", 80) == "a?[2J");
  CHECK(is_clean_text("", 0));
}

TEST_CASE("ids compare and hash by their text") {
  CHECK(VmId("a") == VmId("a"));
  CHECK(VmId("a") < VmId("b"));
  CHECK(VmId().empty());
  const std::unordered_set<VmId> seen = {VmId("a"), VmId("b"), VmId("a")};
  CHECK(seen.size() == 2);
}
