// UUIDs as libvirt writes them (RFC 4122, lower case) in 16 bytes. Other ids are texts.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace ballast::wire {

inline constexpr std::size_t uuid_bytes = 16;

// False when the text is not exactly what unpack_uuid() would give back.
bool pack_uuid(std::string_view text, std::array<char, uuid_bytes>& packed);
// `packed` has uuid_bytes.
std::string unpack_uuid(std::string_view packed);

}  // namespace ballast::wire
