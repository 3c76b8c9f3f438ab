#include "json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"

namespace ballast::files {

std::string place_of(const std::string& name, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return name + ":" + std::to_string(line);
}

std::size_t column_of(std::string_view text, std::size_t offset) {
  const std::size_t at = std::min(offset, text.size());
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return newline == std::string_view::npos ? at : at - newline - 1;
}

Status check_json_text(std::string_view text, const std::string& name) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Error{name + ": is empty, expected JSON"};
  if (text.starts_with("\xEF\xBB\xBF"))
    return Error{name + ":1: found a byte order mark, expected plain UTF-8 without one"};
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos)
    return Error{place_of(name, text, zero) + ": found a zero byte, expected JSON text"};
  return {};
}

std::string syntax_reason(std::string_view what, std::string_view last_token) {
  constexpr std::string_view overflow = "number overflow";
  if (what.find(overflow) != std::string_view::npos)
    return "found the number " + quoted(last_token) + ", which is too large";
  std::string reason(what);
  const std::string read = "; last read: '" + std::string(last_token) + "'";
  if (const std::size_t at = reason.rfind(read); at != std::string::npos)
    reason.replace(at, read.size(), ", after " + quoted(last_token));
  if (const std::size_t at = reason.find(" - "); at != std::string::npos) reason.erase(0, at + 3);
  if (reason.size() > limits::text_bytes_max) reason.resize(limits::text_bytes_max);
  return "not JSON: " + reason;
}

std::string shown(double number) {
  // Whole numbers of a readable length as people write them: 1000000, not 1e+06.
  constexpr double plain_max = 1e12;
  std::array<char, 32> text;
  char* const end = text.data() + text.size();
  const bool plain = std::fabs(number) < plain_max && number == std::trunc(number);
  const auto written = plain ? std::to_chars(text.data(), end, number, std::chars_format::fixed)
                             : std::to_chars(text.data(), end, number);
  return {text.data(), written.ptr};
}

}  // namespace ballast::files
