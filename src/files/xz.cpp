#include "xz.h"

#include <lzma.h>

#include <algorithm>
#include <cstdint>

namespace ballast::files {
namespace {

constexpr std::string_view magic{
    "\xFD"
    "7zXZ\0",
    6};
// xz -9 asks for 65 MiB to decompress; more than this is not a file for us.
constexpr std::uint64_t decoder_bytes_max = 256U << 20U;
constexpr std::size_t first_chunk_bytes = 256U << 10U;

class Decoder {
 public:
  Decoder() {
    started_ = lzma_stream_decoder(&stream_, decoder_bytes_max, LZMA_CONCATENATED) == LZMA_OK;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { lzma_end(&stream_); }

  bool started() const { return started_; }
  lzma_stream& stream() { return stream_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool started_ = false;
};

Error error_of(lzma_ret code, std::uint64_t at) {
  const std::string where = " at byte " + std::to_string(at);
  switch (code) {
    case LZMA_BUF_ERROR: return Error{"xz data is cut short" + where + ", expected more"};
    case LZMA_FORMAT_ERROR: return Error{"found bytes that are not xz" + where + " of xz data"};
    case LZMA_OPTIONS_ERROR: return Error{"xz data uses options that are not supported"};
    case LZMA_MEMLIMIT_ERROR: return Error{"xz data needs more than 256 MiB to decompress"};
    case LZMA_MEM_ERROR: return Error{"not enough memory to decompress xz data"};
    default: return Error{"xz data is damaged" + where};
  }
}

}  // namespace

bool is_xz(std::string_view bytes) { return bytes.starts_with(magic); }

Result<std::string> unxz(std::string_view bytes, std::size_t bytes_max) {
  Decoder decoder;
  if (!decoder.started()) return Error{"not enough memory to decompress xz data"};
  lzma_stream& stream = decoder.stream();
  stream.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  stream.avail_in = bytes.size();
  std::string out;
  while (true) {
    if (stream.avail_out == 0) {
      const std::size_t filled = out.size();
      if (filled > bytes_max)
        return Error{"more than " + std::to_string(bytes_max) + " bytes when decompressed"};
      // One byte above the bound tells "exactly full" from "too much".
      out.resize(std::min(std::max(first_chunk_bytes, filled * 2), bytes_max + 1));
      stream.next_out = reinterpret_cast<std::uint8_t*>(out.data()) + filled;
      stream.avail_out = out.size() - filled;
    }
    const lzma_ret code = lzma_code(&stream, LZMA_FINISH);
    if (code == LZMA_STREAM_END) break;
    if (code != LZMA_OK && !(code == LZMA_BUF_ERROR && stream.avail_out == 0))
      return error_of(code, stream.total_in);
  }
  out.resize(out.size() - stream.avail_out);
  if (out.size() > bytes_max)
    return Error{"more than " + std::to_string(bytes_max) + " bytes when decompressed"};
  return out;
}

}  // namespace ballast::files
