// toml++ as we use it: as headers, without exceptions, and with a bound on nesting that keeps its
// recursive parser and destructors far from the end of the stack.
#pragma once

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <string>
#include <string_view>

#include "ballast/base/result.h"

namespace ballast::files {

// A table, or the error of its syntax: "name:line:column: ...".
Result<toml::table> parse_toml(std::string_view text, const std::string& name);

// What a value is, for "found ...".
std::string describe(const toml::node& node);

// The number in an integer or a float; false for anything else.
bool number_in(const toml::node& node, double& out);

}  // namespace ballast::files
