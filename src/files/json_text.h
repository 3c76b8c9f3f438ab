// Where in a JSON text something is wrong, in words: shared by all readers of JSON.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "ballast/base/result.h"

namespace ballast::files {

// Walks over a text and leaves its position behind, so that whoever is called back in the middle of
// a parse can tell the line.
class TrackedIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** track) : at_(at), track_(track) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *track_ = ++at_;
    return *this;
  }
  TrackedIterator operator++(int) {
    TrackedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** track_;
};

// "name:line" of the byte at `offset`, lines from 1.
std::string place_of(const std::string& name, std::string_view text, std::size_t offset);

// The column, in bytes from 1, of the last byte that a parser had read when it stood at `offset`.
std::size_t column_of(std::string_view text, std::size_t offset);

// What makes a text unfit for any JSON reader before a parser sees it: empty, a byte order mark, a
// zero byte (which the parser would take for the end).
Status check_json_text(std::string_view text, const std::string& name);

// The parser's own words on a syntax error, without its prefix and without the last token, which
// may be megabytes long.
std::string syntax_reason(std::string_view what, std::string_view last_token);

// A number as it is shown in messages and configurations: whole numbers in full, others in the
// shortest form that reads back the same.
std::string shown(double number);

}  // namespace ballast::files
