// How a text goes over the control socket: its length in four bytes, the largest first, then its
// bytes. Both ends, so that they cannot differ.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ballast::zmq {

inline constexpr std::size_t control_head_bytes = 4;

inline std::string control_frame(std::string_view text) {
  std::string frame;
  frame.reserve(control_head_bytes + text.size());
  for (unsigned shift = 24;; shift -= 8) {
    frame += static_cast<char>(text.size() >> shift & 0xFFU);
    if (shift == 0) break;
  }
  frame += text;
  return frame;
}

// The length that these bytes begin with; nothing while there are too few of them.
inline std::optional<std::size_t> control_length(std::string_view bytes) {
  if (bytes.size() < control_head_bytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < control_head_bytes; ++i)
    length = length << 8U | static_cast<unsigned char>(bytes[i]);
  return length;
}

// A descriptor that is closed when it goes.
class OwnDescriptor {
 public:
  explicit OwnDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  OwnDescriptor(OwnDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OwnDescriptor& operator=(OwnDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~OwnDescriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace ballast::zmq
