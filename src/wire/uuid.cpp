#include "uuid.h"

namespace ballast::wire {
namespace {

constexpr std::size_t text_bytes = 36;
constexpr bool is_dash(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool pack_uuid(std::string_view text, std::array<char, uuid_bytes>& packed) {
  if (text.size() != text_bytes) return false;
  std::size_t digits = 0;
  int byte = 0;
  for (std::size_t i = 0; i < text_bytes; ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') return false;
      continue;
    }
    const int digit = digit_of(text[i]);
    if (digit < 0) return false;
    byte = (byte << 4 | digit) & 0xFF;
    if (++digits % 2 == 0) packed[digits / 2 - 1] = static_cast<char>(byte);
  }
  return true;
}

std::string unpack_uuid(std::string_view packed) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(text_bytes);
  for (const char c : packed) {
    if (is_dash(text.size())) text.push_back('-');
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(digits[byte >> 4U]);
    text.push_back(digits[byte & 0xFU]);
  }
  return text;
}

}  // namespace ballast::wire
