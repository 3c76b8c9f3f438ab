#include "ballast/base/ids.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ballast/base/limits.h"
#include "ballast/base/utf8.h"

namespace ballast {
namespace {

// True when these eight bytes are printable ASCII, as nearly all are: looked at as one number.
bool are_plain(const char* bytes) {
  constexpr std::uint64_t each = 0x0101010101010101U;
  constexpr std::uint64_t highest_bits = each * 0x80U;
  std::uint64_t eight = 0;
  std::memcpy(&eight, bytes, sizeof eight);
  // With the highest bits clear, adding carries into a byte's highest bit exactly when the byte is
  // at least 0x20, and at least 0x7F. A byte above 0x7F shows its own highest bit.
  const std::uint64_t low = eight & ~highest_bits;
  const std::uint64_t at_least_blank = low + each * (0x80U - 0x20U);
  const std::uint64_t at_least_delete = low + each;
  return ((eight | ~at_least_blank | at_least_delete) & highest_bits) == 0;
}

}  // namespace

bool is_valid_id(std::string_view text) {
  return !text.empty() && is_clean_text(text, limits::id_bytes_max);
}

bool is_clean_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return false;
  for (std::size_t at = 0; at < text.size();) {
    // The last eight bytes may overlap what was looked at already.
    const std::size_t from = std::min(at, text.size() < 8 ? 0 : text.size() - 8);
    if (text.size() >= 8 && are_plain(text.data() + from)) {
      at = from + 8;
      continue;
    }
    if (text[at] >= ' ' && text[at] <= '~') {
      ++at;
      continue;
    }
    if (is_control(text, at)) return false;
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string cleaned_text(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const bool shown = length > 0 && !is_control(text, at);
    if (out.size() + (shown ? length : 1) > bytes_max) break;
    if (shown) {
      out += text.substr(at, length);
    } else {
      out += '?';
    }
    at += length > 0 ? length : 1;
  }
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_bytes_max = 64;
  std::string out = "'";
  std::size_t at = 0;
  while (at < text.size() && at < shown_bytes_max) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0 || is_control(text, at)) {
      out += '?';
      at += std::max<std::size_t>(length, 1);
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
