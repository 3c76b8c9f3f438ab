// The kinds of values that a configuration holds. Each function makes one row of the table of
// settings; `at` gives the member of Config that the row fills.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config_table.h"
#include "json_text.h"

namespace ballast::files {

inline std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// A range of numbers, both ends allowed unless `above_low`.
struct Range {
  double low;
  double high;
  bool above_low = false;
  bool holds(double number) const {
    return number <= high && (above_low ? number > low : number >= low);  // false for NaN
  }
  std::string text() const {
    return (above_low ? "above " : "from ") + shown(low) + (above_low ? ", at most " : " to ") +
           shown(high);
  }
};

using Key = std::pair<std::string_view, std::string_view>;  // section, key

template <class Get>
SettingRow seconds(Key key, Range range, Get at) {
  SettingRow row{key.first, key.second, "s", "a number of seconds " + range.text(), {}, {}};
  row.set = [range, at](Config& config, const toml::node& node) {
    double number = 0;
    if (!number_in(node, number) || !range.holds(number)) return false;
    at(config) = duration_of_seconds(number);
    return true;
  };
  row.get = [at](Config& config) { return shown(seconds_of(at(config))); };
  return row;
}

template <class Get>
SettingRow number(Key key, const char* unit, Range range, Get at) {
  SettingRow row{key.first, key.second, unit, "a number " + range.text(), {}, {}};
  row.set = [range, at](Config& config, const toml::node& node) {
    double found = 0;
    if (!number_in(node, found) || !range.holds(found)) return false;
    at(config) = found;
    return true;
  };
  row.get = [at](Config& config) { return shown(at(config)); };
  return row;
}

// A number that may be absent: `find` gives a pointer or null, `make` a reference to fill.
template <class Find, class Make>
SettingRow optional_number(Key key, const char* unit, Range range, Find find, Make make) {
  SettingRow row{key.first, key.second, unit, "a number " + range.text(), {}, {}};
  row.set = [range, make](Config& config, const toml::node& node) {
    double found = 0;
    if (!number_in(node, found) || !range.holds(found)) return false;
    make(config) = found;
    return true;
  };
  row.get = [find](Config& config) {
    const double* value = find(config);
    return value == nullptr ? std::string() : shown(*value);
  };
  return row;
}

template <class Get>
SettingRow count(Key key, Range range, Get at) {
  SettingRow row{key.first, key.second, "", "a whole number " + range.text(), {}, {}};
  row.set = [range, at](Config& config, const toml::node& node) {
    if (!node.is_integer()) return false;
    const std::int64_t found = node.as_integer()->get();
    if (!range.holds(static_cast<double>(found))) return false;
    at(config) = static_cast<std::uint32_t>(found);
    return true;
  };
  row.get = [at](Config& config) { return std::to_string(at(config)); };
  return row;
}

template <class Get>
SettingRow yes_or_no(Key key, Get at) {
  SettingRow row{key.first, key.second, "", "true or false", {}, {}};
  row.set = [at](Config& config, const toml::node& node) {
    if (!node.is_boolean()) return false;
    at(config) = node.as_boolean()->get();
    return true;
  };
  row.get = [at](Config& config) { return std::string(at(config) ? "true" : "false"); };
  return row;
}

template <class Get>
SettingRow text(Key key, std::string expected, bool (*fits)(std::string_view), Get at) {
  SettingRow row{key.first, key.second, "", std::move(expected), {}, {}};
  row.set = [fits, at](Config& config, const toml::node& node) {
    if (!node.is_string() || !fits(node.as_string()->get())) return false;
    using Value = std::remove_reference_t<decltype(at(config))>;
    at(config) = Value(node.as_string()->get());
    return true;
  };
  row.get = [at](Config& config) {
    using Value = std::remove_reference_t<decltype(at(config))>;
    if constexpr (std::is_same_v<Value, std::string>) {
      return in_quotes(at(config));
    } else {
      return in_quotes(at(config).str());
    }
  };
  return row;
}

// One of the names of an enumeration.
template <class Enum, class Get>
SettingRow choice(Key key, std::vector<Enum> values, Get at) {
  std::string expected;
  for (std::size_t n = 0; n < values.size(); ++n)
    expected += (n == 0                   ? ""
                 : n + 1 == values.size() ? " or "
                                          : ", ") +
                in_quotes(name_of(values[n]));
  SettingRow row{key.first, key.second, "", expected, {}, {}};
  row.set = [values, at](Config& config, const toml::node& node) {
    if (!node.is_string()) return false;
    for (const Enum value : values) {
      if (node.as_string()->get() != name_of(value)) continue;
      at(config) = value;
      return true;
    }
    return false;
  };
  row.get = [at](Config& config) { return in_quotes(name_of(at(config))); };
  return row;
}

}  // namespace ballast::files
