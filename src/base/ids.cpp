#include "ballast/base/ids.h"

#include "ballast/base/limits.h"
#include "ballast/base/utf8.h"

namespace ballast {

bool is_valid_id(std::string_view text) {
  return !text.empty() && is_clean_text(text, limits::id_bytes_max);
}

bool is_clean_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] >= ' ' && text[at] <= '~') {  // nearly all of them
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
