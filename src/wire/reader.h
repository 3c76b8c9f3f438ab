// Reads what schema.h describes, from bytes that may be hostile. It pulls exactly the values that
// the schema expects, so nesting costs no recursion beyond the schema's own, and it trusts no
// length that the bytes left cannot hold. The first thing that is wrong is kept as an Error with
// the path of its field; all that follows then reads as empty.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"
#include "inquiry_schema.h"
#include "market_schema.h"
#include "uuid.h"

namespace ballast::wire {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool failed() const { return error_.has_value(); }
  const Error& error() const { return *error_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // The size of the array that starts here. 0 on failure.
  std::uint32_t array(const char* name) {
    if (at_ != end_ && is_fixed_array(here())) return static_cast<unsigned char>(*at_++) & 0x0FU;
    return long_array(name);
  }
  // Fails unless every byte was read.
  void finish();
  // Keeps the first error: the path of the field, then what was found and what is expected.
  [[gnu::cold, gnu::noinline]] void fail(const char* name, const std::string& found,
                                         const std::string& expected);

  void record(const char* name, std::uint32_t size, auto&& read_fields) {
    const std::uint32_t found = array(name);
    if (found != size) return fail_size(name, found, size);
    enter(name);
    read_fields();
    leave();
  }
  template <class T>
  void list(const char* name, std::vector<T>& items, std::size_t size_max,
            std::size_t item_bytes_min) {
    const std::uint32_t size = array(name);
    if (size > size_max || size > left() / item_bytes_min) {
      return fail_list(name, size, size_max);
    }
    items.reserve(size);
    enter(name);
    for (std::uint32_t i = 0; i < size && !failed(); ++i) {
      path_[depth_ - 1].index = i;
      fields(*this, "", items.emplace_back());
    }
    leave();
  }
  template <class T>
  void optional(const char* name, std::optional<T>& item) {
    if (at_ != end_ && *at_ == nil_byte) {
      ++at_;
      item.reset();
    } else {
      fields(*this, name, item.emplace());
    }
  }
  template <class T>
  void list_of(const char* name, std::vector<T>& items, std::size_t size_max,
               std::size_t item_bytes_min, auto&& read) {
    const std::uint32_t size = array(name);
    if (size > size_max || size > left() / item_bytes_min) return fail_list(name, size, size_max);
    enter(name);
    for (std::uint32_t i = 0; i < size && !failed(); ++i) {
      path_[depth_ - 1].index = i;
      read(*this, items.emplace_back());
    }
    leave();
  }
  template <class T>
  void optional_of(const char*, std::optional<T>& item, auto&& read) {
    if (at_ != end_ && *at_ == nil_byte) {
      ++at_;
      item.reset();
    } else {
      read(*this, item.emplace());
    }
  }
  void item(const char* name, ItemPtr& item);
  void fleet_record(const char* name, FleetRecordPtr& record);
  void key(const char* name, PublicKey& key);
  // Fails when two items have the same key. Lists in order of their keys cost one pass.
  template <class T>
  void unique(const char* name, const std::vector<T>& items, auto&& key) {
    bool rising = true;
    for (std::size_t i = 1; i < items.size() && rising; ++i) {
      rising = key(items[i - 1]) < key(items[i]);
    }
    if (rising || failed()) return;
    std::vector<SortKey> keys;
    keys.reserve(items.size());
    for (const T& item : items) keys.emplace_back(key(item).str());
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) fail(name, quoted(twice->text) + " twice", "each once");
  }

  template <class Tag>
  void id(const char* name, Id<Tag>& id) {
    const std::string_view text = string(name);
    if (!is_valid_id(text)) return fail_id(name, text);
    id = Id<Tag>(std::string(text));
  }
  void id(const char* name, std::string& id) {
    const std::string_view text = string(name);
    if (!is_valid_id(text)) return fail_id(name, text);
    id = text;
  }
  template <class Tag>
  void id_or_none(const char* name, Id<Tag>& id) {
    const std::string_view text = string(name);
    if (!text.empty() && !is_valid_id(text)) return fail_id(name, text);
    id = Id<Tag>(std::string(text));
  }
  template <class Tag>
  void short_id(const char* name, Id<Tag>& id) {
    if (left() == 0 || here() != bin8_byte) return this->id(name, id);
    const std::string_view packed = binary(name, uuid_bytes);
    if (packed.size() != uuid_bytes) {
      return fail(name, std::to_string(packed.size()) + " bytes", std::to_string(uuid_bytes));
    }
    id = Id<Tag>(unpack_uuid(packed));
  }
  void small(const char* name, std::uint64_t& number) { whole(name, number); }
  void small(const char* name, std::uint32_t& number) { whole(name, number); }
  void rounded(const char* name, double& number, double high);
  void text(const char* name, std::string& text, std::size_t bytes_max) {
    const std::string_view found = string(name);
    if (!is_clean_text(found, bytes_max)) return fail_text(name, found, bytes_max);
    text = found;
  }
  void number(const char* name, double& number, double low, double high) {
    const double found = real(name);
    if (!(found >= low && found <= high)) return fail_number(name, found, low, high);
    number = found;
  }
  // As number from 0, or unlimited.
  void capacity(const char* name, double& number, double high) {
    const double found = real(name);
    if (!(found >= 0 && (found <= high || found == unlimited))) {
      return fail_number(name, found, 0, high);
    }
    number = found;
  }
  void whole(const char* name, std::uint64_t& number) {
    number = unsigned_up_to(name, std::numeric_limits<std::uint64_t>::max());
  }
  void whole(const char* name, std::uint32_t& number) {
    number =
        static_cast<std::uint32_t>(unsigned_up_to(name, std::numeric_limits<std::uint32_t>::max()));
  }
  void flag(const char* name, bool& flag);
  template <class Choice>
  void choice(const char* name, Choice& choice, Choice last) {
    choice = static_cast<Choice>(unsigned_up_to(name, static_cast<std::uint64_t>(last)));
  }
  void span(const char* name, Duration& span, Duration longest) {
    span = Duration(static_cast<std::int64_t>(
        unsigned_up_to(name, static_cast<std::uint64_t>(longest.count()))));
  }

 private:
  static constexpr char nil_byte = '\xC0';
  static constexpr unsigned bin8_byte = 0xC4;
  // Empty on failure.
  std::string_view binary(const char* name, std::size_t bytes_max);
  std::string_view sealed(const char* name, std::size_t bytes_max, Signature& signature);
  static constexpr std::size_t no_index = ~std::size_t{0};
  struct Level {
    const char* name;
    std::size_t index;
  };

  // A text that compares by its first eight bytes where these differ, without following a pointer.
  struct SortKey {
    explicit SortKey(std::string_view from) : text(from) {
      for (std::size_t i = 0; i < 8; ++i) {
        head = head << 8U | (i < from.size() ? static_cast<unsigned char>(from[i]) : 0U);
      }
    }
    std::uint64_t head = 0;
    std::string_view text;
    auto operator<=>(const SortKey&) const = default;
  };

  static constexpr bool is_fixed_array(unsigned byte) { return (byte & 0xF0U) == 0x90U; }
  static constexpr bool is_fixed_string(unsigned byte) { return (byte & 0xE0U) == 0xA0U; }
  unsigned here() const { return static_cast<unsigned char>(*at_); }

  void enter(const char* name) {
    BALLAST_ASSERT(depth_ < path_.size(), "the schema is deeper than message_depth_max");
    path_[depth_++] = {name, no_index};
  }
  void leave() { --depth_; }

  // A big-endian number of the size of T, or 0 when the bytes end before.
  template <class T>
  T big_endian(const char* name) {
    if (left() < sizeof(T)) {
      fail_short(name);
      return 0;
    }
    T number = 0;
    std::memcpy(&number, at_, sizeof(T));
    at_ += sizeof(T);
    if constexpr (std::endian::native == std::endian::little) {
      if constexpr (sizeof(T) == 2) number = __builtin_bswap16(number);
      if constexpr (sizeof(T) == 4) number = __builtin_bswap32(number);
      if constexpr (sizeof(T) == 8) number = __builtin_bswap64(number);
    }
    return number;
  }
  // A real number; msgpack writes one without fraction as a whole number.
  double real(const char* name) {
    constexpr char float64_byte = '\xCB';
    if (left() == 0 || *at_ != float64_byte) return whole_as_real(name);
    ++at_;
    return std::bit_cast<double>(big_endian<std::uint64_t>(name));
  }
  double whole_as_real(const char* name);
  // A view into the message; empty on failure.
  std::string_view string(const char* name) {
    if (at_ == end_ || !is_fixed_string(here())) return long_string(name);
    return string_of(name, static_cast<unsigned char>(*at_++) & 0x1FU);
  }
  std::string_view string_of(const char* name, std::size_t size) {
    if (size > left()) {
      fail_short(name);
      return {};
    }
    at_ += size;
    return {at_ - size, size};
  }
  std::uint64_t unsigned_up_to(const char* name, std::uint64_t largest) {
    const bool is_small = at_ != end_ && here() <= 0x7F && here() <= largest;
    return is_small ? static_cast<unsigned char>(*at_++) : long_unsigned(name, largest);
  }
  // The same three, in their longer formats.
  std::uint32_t long_array(const char* name);
  std::string_view long_string(const char* name);
  std::uint64_t long_unsigned(const char* name, std::uint64_t largest);
  // The same; at_ stands on one of the formats of unsigned numbers.
  std::uint64_t unsigned_here(const char* name);

  [[gnu::cold, gnu::noinline]] void fail_short(const char* name);
  [[gnu::cold, gnu::noinline]] void fail_kind(const char* name, const char* expected);
  [[gnu::cold, gnu::noinline]] void fail_size(const char* name, std::uint32_t found,
                                              std::uint32_t expected);
  [[gnu::cold, gnu::noinline]] void fail_list(const char* name, std::uint32_t found,
                                              std::size_t largest);
  [[gnu::cold, gnu::noinline]] void fail_id(const char* name, std::string_view found);
  [[gnu::cold, gnu::noinline]] void fail_text(const char* name, std::string_view found,
                                              std::size_t bytes_max);
  [[gnu::cold, gnu::noinline]] void fail_number(const char* name, double found, double low,
                                                double high);

  const char* at_;
  const char* end_;
  std::array<Level, limits::message_depth_max> path_{};
  std::size_t depth_ = 0;
  std::optional<Error> error_;
};

}  // namespace ballast::wire
