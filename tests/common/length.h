// How long random tests run: few seeds between two edits (scripts/test --quick, and under the
// sanitizers), some in the ordinary run, many in --long. scripts/test says which in
// BALLAST_TEST_LENGTH.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace ballast::test {

inline std::uint64_t of_length(std::uint64_t quick, std::uint64_t ordinary, std::uint64_t whole) {
  const char* const length = std::getenv("BALLAST_TEST_LENGTH");
  const std::string_view name = length == nullptr ? "ordinary" : length;
  return name == "quick" ? quick : name == "long" ? whole : ordinary;
}

}  // namespace ballast::test
