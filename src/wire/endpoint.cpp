#include "ballast/wire/endpoint.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace ballast::wire {
namespace {

// Takes a number without leading zeros off the text; false when there is none up to `most`.
bool take_number(std::string_view& text, unsigned most, unsigned& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || number > most || (length > 1 && text[0] == '0')) return false;
  text.remove_prefix(length);
  return true;
}

}  // namespace

bool is_numeric_endpoint(std::string_view text) {
  constexpr std::string_view scheme = "tcp://";
  constexpr unsigned first_multicast = 224;
  if (!text.starts_with(scheme)) return false;
  text.remove_prefix(scheme.size());
  std::array<unsigned, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (!take_number(text, 255, bytes[i])) return false;
    if (!text.starts_with(i + 1 < bytes.size() ? '.' : ':')) return false;
    text.remove_prefix(1);
  }
  unsigned port = 0;
  return bytes[0] > 0 && bytes[0] < first_multicast && take_number(text, 65535, port) &&
         text.empty() && port > 0;
}

}  // namespace ballast::wire
