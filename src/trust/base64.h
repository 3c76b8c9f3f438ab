// Base64. 32 bytes are the 44 characters of base64 that keys are written in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::trust {

inline constexpr std::size_t key_text_bytes = 44;

std::string base64_of(const std::array<std::uint8_t, 32>& bytes);
// Nothing unless the text is the one that base64_of gives for those bytes.
std::optional<std::array<std::uint8_t, 32>> bytes_of_base64(std::string_view text);

// The same of bytes of any length.
std::string base64_of(std::string_view bytes);
std::optional<std::string> bytes_of_base64_text(std::string_view text);

}  // namespace ballast::trust
