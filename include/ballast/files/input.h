// Reads a whole input file: plain or compressed by xz, told apart by its first bytes and not by its
// name. The only door through which files of operators come in.
#pragma once

#include <cstddef>
#include <string>

#include "ballast/base/limits.h"
#include "ballast/base/result.h"

namespace ballast::files {

// How messages call this input: the path, or "standard input" for "-".
std::string name_of_input(const std::string& path);

// The bytes of the file, decompressed where it is xz; "-" reads standard input. Errors name the
// file: missing, not readable, a directory, cut short or damaged xz, more than `bytes_max` bytes
// after decompression. Source: design, section 8, "Plain or `.xz` everywhere".
Result<std::string> read_input(const std::string& path,
                               std::size_t bytes_max = limits::input_bytes_max);

}  // namespace ballast::files
