// Writes what schema.h describes as msgpack. Numbers go out as they are (the reader judges them);
// texts are cut to their bound and cleaned, because they come from libraries and may hold anything.
#pragma once

#include <array>
#include <cstring>
#include <msgpack/pack.hpp>
#include <string>
#include <string_view>

#include "fleet_schema.h"
#include "inquiry_schema.h"
#include "market_schema.h"
#include "uuid.h"

namespace ballast::wire {

// A growing buffer in the form that msgpack::packer writes to.
class ByteSink {
 public:
  explicit ByteSink(std::size_t expected_bytes) : bytes_(expected_bytes, '\0') {}

  // Inlined, so that the few bytes of a number become one store.
  [[gnu::always_inline]] void write(const char* from, std::size_t size) {
    if (size > bytes_.size() - used_) grow(size);
    std::memcpy(bytes_.data() + used_, from, size);
    used_ += size;
  }
  std::string take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  [[gnu::cold, gnu::noinline]] void grow(std::size_t size) {
    bytes_.resize(2 * bytes_.size() + size);
  }

  std::string bytes_;
  std::size_t used_ = 0;
};

class Packer {
 public:
  explicit Packer(ByteSink& sink) : out_(sink) {}

  void array(std::uint32_t size) { out_.pack_array(size); }

  void record(const char*, std::uint32_t size, auto&& write_fields) {
    out_.pack_array(size);
    write_fields();
  }
  template <class T>
  void list(const char*, const std::vector<T>& items, std::size_t, std::size_t) {
    out_.pack_array(static_cast<std::uint32_t>(items.size()));
    for (const T& item : items) fields(*this, "", item);
  }
  template <class T>
  void optional(const char* name, const std::optional<T>& item) {
    if (item) {
      fields(*this, name, *item);
    } else {
      out_.pack_nil();
    }
  }
  template <class T>
  void list_of(const char*, const std::vector<T>& items, std::size_t, std::size_t, auto&& write) {
    out_.pack_array(static_cast<std::uint32_t>(items.size()));
    for (const T& item : items) write(*this, item);
  }
  template <class T>
  void optional_of(const char*, const std::optional<T>& item, auto&& write) {
    if (item) {
      write(*this, *item);
    } else {
      out_.pack_nil();
    }
  }
  void unique(const char*, const auto&, auto&&) {}
  // The bytes that its origin signed, as they are, and the signature.
  void item(const char*, const ItemPtr& item) {
    out_.pack_array(2);
    binary(item->bytes);
    binary({reinterpret_cast<const char*>(item->signature.data()), item->signature.size()});
  }
  void fleet_record(const char*, const FleetRecordPtr& record) {
    out_.pack_array(2);
    binary(bytes_of(*record));
    binary({reinterpret_cast<const char*>(record->signature.data()), record->signature.size()});
  }
  void key(const char*, const PublicKey& key) {
    binary({reinterpret_cast<const char*>(key.data()), key.size()});
  }

  template <class Tag>
  void id(const char*, const Id<Tag>& id) {
    string(id.str());
  }
  void id(const char*, const std::string& id) { string(id); }
  template <class Tag>
  void id_or_none(const char*, const Id<Tag>& id) {
    string(id.str());
  }
  // The id of a node is its host's UUID as a rule: 16 bytes instead of 36 characters.
  template <class Tag>
  void short_id(const char*, const Id<Tag>& id) {
    std::array<char, uuid_bytes> packed;
    if (pack_uuid(id.str(), packed)) {
      binary({packed.data(), packed.size()});
    } else {
      string(id.str());
    }
  }
  // As whole, in as few bytes as it takes.
  void small(const char*, std::uint64_t number) { out_.pack_unsigned_long_long(number); }
  // In whole units, rounded down; nil is unlimited.
  void rounded(const char*, double number, double) {
    if (number == unlimited) {
      out_.pack_nil();
    } else {
      out_.pack_unsigned_long_long(number >= 1 ? static_cast<std::uint64_t>(number) : 0);
    }
  }
  void text(const char*, const std::string& text, std::size_t bytes_max) {
    if (text.empty() || is_clean_text(text, bytes_max)) {
      string(text);
    } else {
      string(cleaned_text(text, bytes_max));
    }
  }
  void number(const char*, double number, double, double) { out_.pack_double(number); }
  void capacity(const char*, double number, double) { out_.pack_double(number); }
  void whole(const char*, std::uint32_t number) { out_.pack_uint32(number); }
  void whole(const char*, std::uint64_t number) { out_.pack_uint64(number); }
  void flag(const char*, bool flag) { flag ? out_.pack_true() : out_.pack_false(); }
  template <class Choice>
  void choice(const char*, Choice choice, Choice) {
    out_.pack_uint8(static_cast<std::uint8_t>(choice));
  }
  void span(const char*, Duration span, Duration) {
    out_.pack_uint64(span.count() > 0 ? static_cast<std::uint64_t>(span.count()) : 0);
  }

 private:
  void string(std::string_view text) {
    out_.pack_str(static_cast<std::uint32_t>(text.size()));
    out_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
  }

  void binary(std::string_view bytes) {
    out_.pack_bin(static_cast<std::uint32_t>(bytes.size()));
    out_.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  }

  msgpack::packer<ByteSink> out_;
};

}  // namespace ballast::wire
