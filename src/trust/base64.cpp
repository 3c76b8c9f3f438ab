#include "base64.h"

#include <sodium.h>

namespace ballast::trust {

std::string base64_of(const std::array<std::uint8_t, 32>& bytes) {
  char text[key_text_bytes + 1];
  sodium_bin2base64(text, sizeof text, bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  return text;
}

std::optional<std::array<std::uint8_t, 32>> bytes_of_base64(std::string_view text) {
  std::array<std::uint8_t, 32> bytes{};
  std::size_t size = 0;
  const int failed = sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(),
                                       nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || size != bytes.size() || base64_of(bytes) != text) return std::nullopt;
  return bytes;
}

std::string base64_of(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // its end
  return text;
}

std::optional<std::string> bytes_of_base64_text(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

}  // namespace ballast::trust
