#include "toml.h"

#include <algorithm>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "json_text.h"

namespace ballast::files {
namespace {

// The parser makes one nested table for each part of a dotted key; how many there are is bounded
// here, since it does not bound them itself.
constexpr std::size_t key_parts_max = 200;

// Offset of the first run of more parts than that, or npos. What cannot stand within a key ends a
// run.
std::size_t find_deep_key(std::string_view text) {
  constexpr std::string_view ends_a_key = ",=[]{}:/#\n";
  std::size_t dots = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '.' && ++dots > key_parts_max) return at;
    if (ends_a_key.find(text[at]) != std::string_view::npos) dots = 0;
  }
  return std::string_view::npos;
}

}  // namespace

void toml_fault(const char* condition) { throw TomlFault(condition); }

Result<toml::table> parse_toml(std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF"))
    return Error{name + ":1: found a byte order mark, expected plain UTF-8 without one"};
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    return Error{place_of(name, text, zero) + ": found a zero byte, expected TOML text"};
  if (const std::size_t deep = find_deep_key(text); deep != std::string_view::npos)
    return Error{place_of(name, text, deep) + ": found a key of more than " +
                 std::to_string(key_parts_max) + " parts, expected the keys of conf/ballast.toml"};
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& problem) {
    const toml::source_position at = problem.source().begin;
    return Error{name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                 ": not TOML: " + cleaned_text(problem.description(), limits::text_bytes_max)};
  } catch (const TomlFault&) {
    return Error{name +
                 ": not TOML: the parser gave up, expected keys and sections as in "
                 "conf/ballast.toml"};
  }
}

std::string describe(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: return ballast::quoted(node.as_string()->get());
    case toml::node_type::integer: return std::to_string(node.as_integer()->get());
    case toml::node_type::floating_point: return shown(node.as_floating_point()->get());
    case toml::node_type::boolean: return node.as_boolean()->get() ? "true" : "false";
    case toml::node_type::array: return "a list";
    case toml::node_type::table: return "a section";
    case toml::node_type::none: break;
    default: return "a date or time";
  }
  return "nothing";
}

bool number_in(const toml::node& node, double& out) {
  if (node.is_integer()) {
    out = static_cast<double>(node.as_integer()->get());
  } else if (node.is_floating_point()) {
    out = node.as_floating_point()->get();
  } else {
    return false;
  }
  return true;
}

}  // namespace ballast::files
