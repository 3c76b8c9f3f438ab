#include "ballast/files/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "ballast/base/utf8.h"

namespace ballast::files {
namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

void append_escaped(std::string& out, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    case '\r': out += "\\r"; return;
    default: break;
  }
  if (byte >= 0x20 && byte != 0x7F) {
    out += static_cast<char>(byte);
  } else {
    out += "\\u00";
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
}

}  // namespace

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!first_) out_ += ',';
  first_ = false;
}

void JsonWriter::begin_object() {
  separate();
  out_ += '{';
  first_ = true;
}

void JsonWriter::end_object() {
  out_ += '}';
  first_ = false;
}

void JsonWriter::begin_array() {
  separate();
  out_ += '[';
  first_ = true;
}

void JsonWriter::end_array() {
  out_ += ']';
  first_ = false;
}

void JsonWriter::key(std::string_view name) {
  text(name);
  out_ += ':';
  after_key_ = true;
}

void JsonWriter::text(std::string_view value) {
  separate();
  out_ += '"';
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t length = utf8_length(value, at);
    if (length > 1) {
      out_ += value.substr(at, length);
    } else if (length == 1) {
      append_escaped(out_, static_cast<unsigned char>(value[at]));
    } else {
      out_ += '?';
    }
    at += length == 0 ? 1 : length;
  }
  out_ += '"';
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_number(out_, value);
}

void JsonWriter::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void JsonWriter::unsigned_integer(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::null() {
  separate();
  out_ += "null";
}

void JsonWriter::field(std::string_view name, std::string_view value) {
  key(name);
  text(value);
}

void JsonWriter::field(std::string_view name, double value) {
  key(name);
  number(value);
}

void JsonWriter::field(std::string_view name, std::uint64_t value) {
  key(name);
  unsigned_integer(value);
}

void JsonWriter::field(std::string_view name, bool value) {
  key(name);
  boolean(value);
}

}  // namespace ballast::files
