// The little that we need of UTF-8: where a character ends, and which ones a terminal obeys.
#pragma once

#include <cstddef>
#include <string_view>

namespace ballast {

// Length in bytes of the character that starts at text[at], or 0 when it is malformed, overlong, a
// surrogate or beyond U+10FFFF. `at` must be below text.size(). Source: RFC 3629.
std::size_t utf8_length(std::string_view text, std::size_t at);

// True when the character at text[at] is one that a terminal obeys instead of showing: of C0, DEL
// or C1 (two bytes of UTF-8, and to some terminals an ESC), or one that turns the direction of what
// follows or has no width, so that two names look the same or one like another. Source: Unicode
// Technical Report 36, "Bidirectional Text Spoofing".
bool is_control(std::string_view text, std::size_t at);

}  // namespace ballast
