// The little that we need of UTF-8: where a character ends, and which ones a terminal obeys.
#pragma once

#include <cstddef>
#include <string_view>

namespace ballast {

// Length in bytes of the character that starts at text[at], or 0 when it is malformed, overlong, a
// surrogate or beyond U+10FFFF. `at` must be below text.size(). Source: RFC 3629.
std::size_t utf8_length(std::string_view text, std::size_t at);

// True when the character at text[at] is of C0, DEL or C1. Those of C1 are two bytes of UTF-8, and
// some terminals obey them like an ESC.
bool is_control(std::string_view text, std::size_t at);

}  // namespace ballast
