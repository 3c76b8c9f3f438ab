// The formats of msgpack that our messages use, and the words for what is wrong with the others.
// Source: the msgpack specification, "Formats" (github.com/msgpack/msgpack, spec.md).
#include "reader.h"

#include <cstdio>

namespace ballast::wire {
namespace {

constexpr unsigned positive_fixed_last = 0x7F;
constexpr unsigned fixed_array_first = 0x90;
constexpr unsigned fixed_string_first = 0xA0;
constexpr unsigned nil = 0xC0;
constexpr unsigned false_byte = 0xC2;
constexpr unsigned true_byte = 0xC3;
constexpr unsigned uint8_byte = 0xCC;
constexpr unsigned uint16_byte = 0xCD;
constexpr unsigned uint32_byte = 0xCE;
constexpr unsigned uint64_byte = 0xCF;
constexpr unsigned bin16_byte = 0xC5;
constexpr unsigned bin32_byte = 0xC6;
constexpr unsigned int8_byte = 0xD0;
constexpr unsigned int16_byte = 0xD1;
constexpr unsigned int32_byte = 0xD2;
constexpr unsigned int64_byte = 0xD3;
constexpr unsigned str8_byte = 0xD9;
constexpr unsigned str16_byte = 0xDA;
constexpr unsigned str32_byte = 0xDB;
constexpr unsigned array16_byte = 0xDC;
constexpr unsigned array32_byte = 0xDD;

constexpr unsigned negative_fixed_first = 0xE0;

constexpr bool is_unsigned(unsigned byte) {
  return byte <= positive_fixed_last || (byte >= uint8_byte && byte <= uint64_byte);
}

const char* kind_of(unsigned byte) {
  if (is_unsigned(byte)) return "a whole number";
  if (byte >= negative_fixed_first || (byte >= int8_byte && byte <= int64_byte)) {
    return "a signed whole number";
  }
  if ((byte >= fixed_string_first && byte < nil) || (byte >= str8_byte && byte <= str32_byte))
    return "a text";
  if ((byte >= fixed_array_first && byte < fixed_string_first) || byte == array16_byte ||
      byte == array32_byte)
    return "an array";
  if (byte <= 0x8F || byte == 0xDE || byte == 0xDF) return "a map";
  if (byte == false_byte || byte == true_byte) return "true or false";
  if (byte == 0xCA || byte == 0xCB) return "a real number";
  if (byte == nil) return "nil";
  return "binary data or an extension";
}

std::string shown(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", number);
  return text;
}

}  // namespace

std::uint32_t Reader::long_array(const char* name) {
  const unsigned byte = left() > 0 ? here() : nil;
  if (byte != array16_byte && byte != array32_byte) {
    fail_kind(name, "an array");
    return 0;
  }
  ++at_;
  return byte == array16_byte ? big_endian<std::uint16_t>(name) : big_endian<std::uint32_t>(name);
}

void Reader::finish() {
  if (left() > 0) fail("", std::to_string(left()) + " bytes after the end", "none");
}

std::string_view Reader::binary(const char* name, std::size_t bytes_max) {
  const unsigned byte = left() > 0 ? here() : nil;
  if (byte < bin8_byte || byte > bin32_byte) {
    fail_kind(name, "binary data");
    return {};
  }
  ++at_;
  const std::size_t size = byte == bin8_byte    ? big_endian<std::uint8_t>(name)
                           : byte == bin16_byte ? big_endian<std::uint16_t>(name)
                                                : big_endian<std::uint32_t>(name);
  if (size > bytes_max) {
    fail(name, std::to_string(size) + " bytes", "at most " + std::to_string(bytes_max));
    return {};
  }
  return string_of(name, size);
}

void Reader::rounded(const char* name, double& number, double high) {
  if (left() > 0 && *at_ == nil_byte) {
    ++at_;
    number = unlimited;
    return;
  }
  number = static_cast<double>(unsigned_up_to(name, static_cast<std::uint64_t>(high)));
}

// Bytes that somebody has signed, and the 64 bytes of the signature.
std::string_view Reader::sealed(const char* name, std::size_t bytes_max, Signature& signature) {
  std::string_view bytes;
  record(name, 2, [&] {
    bytes = binary("bytes", bytes_max);
    const std::string_view seal = binary("signature", sizeof(Signature));
    if (failed()) return;
    if (seal.size() != signature.size()) {
      return fail("signature", std::to_string(seal.size()) + " bytes",
                  std::to_string(signature.size()));
    }
    std::copy(seal.begin(), seal.end(), signature.begin());
  });
  return bytes;
}

void Reader::item(const char* name, ItemPtr& item) {
  Signature signature;
  const std::string_view bytes = sealed(name, limits::item_bytes_max, signature);
  if (failed()) return;
  Result<ItemPtr> parsed = parse_item(std::string(bytes), signature);
  if (!parsed) return fail(name, parsed.error().message, "an item");
  item = std::move(parsed).value();
}

void Reader::fleet_record(const char* name, FleetRecordPtr& record) {
  Signature signature;
  const std::string_view bytes = sealed(name, limits::fleet_record_bytes_max, signature);
  if (failed()) return;
  Result<FleetRecordPtr> parsed = parse_fleet_record(bytes, signature);
  if (!parsed) return fail(name, parsed.error().message, "a record of the fleet");
  record = std::move(parsed).value();
}

void Reader::key(const char* name, PublicKey& key) {
  const std::string_view bytes = binary(name, key.size());
  if (failed()) return;
  if (bytes.size() != key.size()) {
    return fail(name, std::to_string(bytes.size()) + " bytes", std::to_string(key.size()));
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
}

void Reader::flag(const char* name, bool& flag) {
  const unsigned byte = left() > 0 ? here() : nil;
  if (byte != false_byte && byte != true_byte) return fail_kind(name, "true or false");
  ++at_;
  flag = byte == true_byte;
}

std::string_view Reader::long_string(const char* name) {
  const unsigned byte = left() > 0 ? here() : nil;
  if (byte < str8_byte || byte > str32_byte) {
    fail_kind(name, "a text");
    return {};
  }
  ++at_;
  return string_of(name, byte == str8_byte    ? big_endian<std::uint8_t>(name)
                         : byte == str16_byte ? big_endian<std::uint16_t>(name)
                                              : big_endian<std::uint32_t>(name));
}

std::uint64_t Reader::unsigned_here(const char* name) {
  const auto byte = static_cast<unsigned char>(*at_++);
  switch (byte) {
    case uint8_byte: return big_endian<std::uint8_t>(name);
    case uint16_byte: return big_endian<std::uint16_t>(name);
    case uint32_byte: return big_endian<std::uint32_t>(name);
    case uint64_byte: return big_endian<std::uint64_t>(name);
    default: return byte;
  }
}

std::uint64_t Reader::long_unsigned(const char* name, std::uint64_t largest) {
  if (left() == 0 || !is_unsigned(here())) {
    fail_kind(name, "a whole number");
    return 0;
  }
  const std::uint64_t number = unsigned_here(name);
  if (number <= largest) return number;
  fail(name, std::to_string(number), "at most " + std::to_string(largest));
  return 0;
}

double Reader::whole_as_real(const char* name) {
  const unsigned byte = left() > 0 ? here() : nil;
  if (is_unsigned(byte)) return static_cast<double>(unsigned_here(name));
  if (byte >= negative_fixed_first) return static_cast<signed char>(*at_++);
  if (byte < int8_byte || byte > int64_byte) {
    fail_kind(name, "a number");
    return 0;
  }
  ++at_;
  switch (byte) {
    case int8_byte: return static_cast<std::int8_t>(big_endian<std::uint8_t>(name));
    case int16_byte: return static_cast<std::int16_t>(big_endian<std::uint16_t>(name));
    case int32_byte: return static_cast<std::int32_t>(big_endian<std::uint32_t>(name));
    default: return static_cast<double>(static_cast<std::int64_t>(big_endian<std::uint64_t>(name)));
  }
}

void Reader::fail(const char* name, const std::string& found, const std::string& expected) {
  if (failed()) return;
  std::string path;
  const auto append = [&](const char* part) {
    if (*part == '\0') return;
    if (!path.empty()) path += '.';
    path += part;
  };
  for (std::size_t i = 0; i < depth_; ++i) {
    append(path_[i].name);
    if (path_[i].index != no_index) path += '[' + std::to_string(path_[i].index) + ']';
  }
  append(name);
  if (path.empty()) path = "message";
  error_ = Error{path + ": found " + found + ", expected " + expected};
  at_ = end_;
}

void Reader::fail_short(const char* name) { fail(name, "the end of the message", "more bytes"); }

void Reader::fail_kind(const char* name, const char* expected) {
  if (left() == 0) return fail_short(name);
  fail(name, kind_of(here()), expected);
}

void Reader::fail_size(const char* name, std::uint32_t found, std::uint32_t expected) {
  fail(name, std::to_string(found) + " fields", std::to_string(expected));
}

void Reader::fail_list(const char* name, std::uint32_t found, std::size_t largest) {
  fail(name, std::to_string(found) + " items in " + std::to_string(left()) + " bytes",
       "at most " + std::to_string(largest) + ", and the bytes for them");
}

void Reader::fail_id(const char* name, std::string_view found) {
  fail(name, quoted(found),
       "1 to " + std::to_string(limits::id_bytes_max) +
           " bytes of UTF-8 without control characters");
}

void Reader::fail_text(const char* name, std::string_view found, std::size_t bytes_max) {
  fail(name, quoted(found),
       "at most " + std::to_string(bytes_max) + " bytes of UTF-8 without control characters");
}

void Reader::fail_number(const char* name, double found, double low, double high) {
  fail(name, shown(found), shown(low) + " to " + shown(high));
}

}  // namespace ballast::wire
