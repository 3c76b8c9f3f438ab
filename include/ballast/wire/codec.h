// Messages to bytes and back: a msgpack array [version, cluster, sender, incarnation, attachment,
// kind, body] with known bounds. The only room that knows msgpack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/wire/messages.h"

namespace ballast::wire {

inline constexpr std::uint32_t protocol_version = 4;

// The bytes of a message; at most limits::message_bytes_max for what our own limits allow.
std::string encode(const Message& message);

// The message in these bytes, or why not: too short, too long, too deep, trailing, out of range, of
// another version or of an unknown kind. Never throws, never reads past the end, and allocates no
// more than a small multiple of the bytes given.
Result<Message> decode(std::string_view bytes);

}  // namespace ballast::wire
