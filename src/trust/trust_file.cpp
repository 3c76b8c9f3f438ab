#include "ballast/trust/trust_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "ballast/base/limits.h"
#include "small_file.h"

namespace ballast::trust {
namespace {

constexpr std::size_t line_bytes_max = 256;
constexpr std::size_t file_bytes_max = limits::trusted_keys_max * line_bytes_max;
constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Takes the last word off the text.
std::string_view take_last_word(std::string_view& text) {
  text = trimmed(text);
  const std::size_t before = text.find_last_of(blanks);
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view word = text.substr(start);
  text = trimmed(text.substr(0, start));
  return word;
}

// True for what means: may be master.
std::optional<bool> parse_roles(std::string_view text) {
  if (text == "slave") return false;
  if (text == "master" || text == "master,slave" || text == "slave,master") return true;
  return std::nullopt;
}

bool is_comment(std::string_view line) {
  line = trimmed(line);
  return line.empty() || line.front() == '#';
}

Result<TrustedNode> parse_line(std::string_view line, const CurveKeys& known) {
  std::string_view left = line;
  const std::string_view roles = take_last_word(left);
  const std::string_view key_text = take_last_word(left);
  const std::optional<bool> master = parse_roles(roles);
  if (!master) {
    return Error{"roles: found " + quoted(roles) + ", expected slave or master,slave"};
  }
  const Result<NodeKeys> keys = parse_keys(key_text, known);
  if (!keys) return keys.error();
  if (!is_valid_id(left)) {
    return Error{"id: found " + quoted(left) + ", expected 1 to " +
                 std::to_string(limits::id_bytes_max) + " bytes of UTF-8"};
  }
  TrustedNode node{NodeId(std::string(left)), keys->identity, *master};
  node.curve = keys->curve;
  return node;
}

std::string line_of(const TrustedNode& node) {
  return node.id.str() + " " + text_of(node.key) + (node.master ? " master,slave" : " slave") +
         "\n";
}

// Calls `take` with each line (without its end) and its number, until one gives an Error.
template <class Take>
Status each_line(std::string_view text, Take take) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const Status good = take(line, number); !good) return good;
  }
  return {};
}

// The text of the file; empty when there is none yet.
Result<std::string> read_or_empty(const std::string& file) {
  struct stat status {};
  if (lstat(file.c_str(), &status) != 0 && errno == ENOENT) return std::string();
  return read_small(file, file_bytes_max, false);
}

// The text without the lines of this node.
std::string without(const std::string& text, const NodeId& id) {
  std::string out;
  const Status all = each_line(text, [&](std::string_view line, std::size_t) -> Status {
    const Result<TrustedNode> node = is_comment(line) ? Error{""} : parse_line(line, {});
    if (!node.ok() || node->id != id) out += std::string(line) + "\n";
    return {};
  });
  BALLAST_ASSERT(all.ok(), "copying lines cannot fail");
  return out;
}

}  // namespace

Result<std::vector<TrustedNode>> parse_trust(std::string_view text, const std::string& name,
                                             const CurveKeys& known) {
  std::vector<TrustedNode> nodes;
  std::map<NodeId, std::size_t> line_of_id;
  // By the CURVE key: an identity and its mirror image (the other sign) make the same one.
  std::map<port::CurveKey, std::size_t> line_of_key;
  const Status all = each_line(text, [&](std::string_view line, std::size_t number) -> Status {
    if (is_comment(line)) return {};
    const std::string where = name + ":" + std::to_string(number) + ": ";
    Result<TrustedNode> node = parse_line(line, known);
    if (!node) return Error{where + node.error().message};
    const auto [same_id, new_id] = line_of_id.emplace(node->id, number);
    if (!new_id) {
      return Error{where + "found " + quoted(node->id.str()) + " again, first on line " +
                   std::to_string(same_id->second) + ", expected each id once"};
    }
    const auto [same_key, new_key] = line_of_key.emplace(node->curve, number);
    if (!new_key) {
      return Error{where + "found the key of line " + std::to_string(same_key->second) +
                   " under a second id " + quoted(node->id.str()) + ", expected each key once"};
    }
    if (nodes.size() >= limits::trusted_keys_max) {
      return Error{where + "found more than " + std::to_string(limits::trusted_keys_max) +
                   " nodes, expected no more"};
    }
    nodes.push_back(std::move(node).value());
    return {};
  });
  if (!all) return all.error();
  return nodes;
}

Result<std::vector<TrustedNode>> read_trust(const std::string& file, const CurveKeys& known) {
  const Result<std::string> text = read_small(file, file_bytes_max, false);
  if (!text) return text.error();
  return parse_trust(*text, file, known);
}

Result<Added> add_node(const std::string& file, const TrustedNode& node) {
  const std::string& id = node.id.str();
  if (!is_valid_id(id) || trimmed(id) != id || id.front() == '#') {
    return Error{"id: found " + quoted(id) + ", expected 1 to " +
                 std::to_string(limits::id_bytes_max) +
                 " bytes of UTF-8 without # or a blank at its start, or a blank at its end"};
  }
  const Result<FileLock> lock = FileLock::take(file);
  if (!lock) return lock.error();
  const Result<std::string> text = read_or_empty(file);
  if (!text) return text.error();
  const Result<std::vector<TrustedNode>> nodes = parse_trust(*text, file);
  if (!nodes) return nodes.error();
  Added done = Added::anew;
  for (const TrustedNode& other : *nodes) {
    if (other == node) return Added::nothing;
    if (other.id == node.id) done = Added::other_roles;
    if (other.id == node.id && other.key != node.key) {
      return Error{file + ": " + quoted(id) +
                   " has another key already; two hosts with one id? (`ballast trust revoke` it "
                   "first if its key was changed)"};
    }
    if (other.id != node.id && curve_key_of(other.key) == curve_key_of(node.key)) {
      return Error{file + ": this key belongs to " + quoted(other.id.str()) +
                   " already; expected each key once"};
    }
  }
  if (nodes->size() >= limits::trusted_keys_max) {
    return Error{file + ": found " + std::to_string(nodes->size()) + " nodes, expected no more"};
  }
  const Status replaced = replace(file, without(*text, node.id) + line_of(node));
  return replaced ? Result<Added>(done) : replaced.error();
}

Result<bool> revoke_node(const std::string& file, const NodeId& id) {
  const Result<FileLock> lock = FileLock::take(file);
  if (!lock) return lock.error();
  const Result<std::string> text = read_small(file, file_bytes_max, false);
  if (!text) return text.error();
  const Result<std::vector<TrustedNode>> nodes = parse_trust(*text, file);
  if (!nodes) return nodes.error();
  const bool known = std::any_of(nodes->begin(), nodes->end(),
                                 [&](const TrustedNode& node) { return node.id == id; });
  if (!known) return false;
  if (const Status written = replace(file, without(*text, id)); !written) return written.error();
  return true;
}

}  // namespace ballast::trust
