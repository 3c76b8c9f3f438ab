// What a person reads must be words: no name that only the code has, no "1 migrations", nothing
// quoted that is empty. Settings are named as the configuration names them.
#pragma once

#include <initializer_list>
#include <regex>
#include <string>
#include <string_view>

namespace ballast::test {

// What is wrong with this text; empty: nothing.
inline std::string what_is_raw(const std::string& text) {
  static const std::regex quoted_parts("'[^']+'|`[^`]*`|\"[^\"]*\"");
  static const std::regex identifier("\\b[a-z]+(_[a-z0-9]+)+\\b");
  static const std::regex several(
      "\\b1 (migrations|VMs|hosts|samples|reports|steps|times|slaves|masters|moves|rests|"
      "targets)\\b");
  const std::string plain = std::regex_replace(text, quoted_parts, "'x'");
  if (plain.find("''") != std::string::npos) return "something empty is quoted: " + text;
  for (const std::string_view never : {"step 0", "at least 0", "?"})
    if (plain.find(never) != std::string::npos) return std::string(never) + ": " + text;
  std::smatch found;
  if (std::regex_search(plain, found, several)) return found.str() + ": " + text;
  for (std::string rest = plain; std::regex_search(rest, found, identifier);
       rest = found.suffix().str()) {
    const std::string name = found.str();
    bool is_setting = false;
    for (const std::string_view setting :
         {"min_gain", "no_return", "min_masters", "max_slaves", "max_moves", "host_uuid",
          "force_shared_paths", "shared_paths"})
      is_setting = is_setting || name == setting;
    if (!is_setting) return name + ": " + text;
  }
  return {};
}

}  // namespace ballast::test
