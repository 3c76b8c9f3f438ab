// xz to feed to what reads files.
#pragma once

#include <doctest/doctest.h>
#include <lzma.h>

#include <cstdint>
#include <string>

namespace ballast::files {

inline std::string xz_of(const std::string& text) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t filled = 0;
  REQUIRE(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr,
                                  reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                  reinterpret_cast<std::uint8_t*>(out.data()), &filled,
                                  out.size()) == LZMA_OK);
  out.resize(filled);
  return out;
}

}  // namespace ballast::files
