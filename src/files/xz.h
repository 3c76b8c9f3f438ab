// Decompression of .xz, bounded in memory and in output.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ballast/base/result.h"

namespace ballast::files {

// True when the bytes begin with the magic of .xz.
bool is_xz(std::string_view bytes);

// The content of one .xz file (or several, one after the other). Errors have no file name in front;
// the caller adds it.
Result<std::string> unxz(std::string_view bytes, std::size_t bytes_max);

}  // namespace ballast::files
