// Writes JSON as it goes, without a tree: what every --json of a command goes through.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ballast::files {

// Appends to a text that the caller owns and that must outlive the writer. The caller opens and
// closes in order; commas are the writer's business. Texts that are not UTF-8 come out with '?' in
// place of each wrong byte, numbers that JSON does not have (NaN, infinite) as null.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);

  void text(std::string_view value);
  void number(double value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void boolean(bool value);
  void null();

  // key() and a value in one.
  void field(std::string_view name, std::string_view value);
  void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
  void field(std::string_view name, const std::string& value) {
    field(name, std::string_view(value));
  }
  void field(std::string_view name, double value);
  void field(std::string_view name, std::uint64_t value);
  void field(std::string_view name, std::uint32_t value) { field(name, std::uint64_t{value}); }
  void field(std::string_view name, bool value);

 private:
  void separate();

  std::string& out_;
  bool first_ = true;  // nothing written yet in the innermost object or array
  bool after_key_ = false;
};

}  // namespace ballast::files
