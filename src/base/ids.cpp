#include "ballast/base/ids.h"

#include "ballast/base/limits.h"

namespace ballast {
namespace {

// Length of the UTF-8 sequence that starts at text[at], or 0 when it is malformed, overlong, a
// surrogate or beyond U+10FFFF.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(at + 1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return length;
}

// C0, DEL and C1. Those of C1 are two bytes of UTF-8, and some terminals obey them like an ESC.
bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte == 0xC2 && at + 1 < text.size()) return static_cast<unsigned char>(text[at + 1]) < 0xA0;
  return byte < 0x20 || byte == 0x7F;
}

}  // namespace

bool is_valid_id(std::string_view text) {
  if (text.empty() || text.size() > limits::id_bytes_max) return false;
  for (std::size_t at = 0; at < text.size();) {
    if (is_control(text, at)) return false;
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_bytes_max = 64;
  std::string out = "'";
  std::size_t at = 0;
  while (at < text.size() && at < shown_bytes_max) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0 || is_control(text, at)) {
      out += '?';
      ++at;
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  out += '\'';
  if (at < text.size()) out += "... (" + std::to_string(text.size()) + " bytes)";
  return out;
}

}  // namespace ballast
