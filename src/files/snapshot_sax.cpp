#include "snapshot_sax.h"

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "json_text.h"

namespace ballast::files {
namespace {

constexpr std::string_view format_name = "ballast-snapshot/1";

std::optional<RuleType> rule_type_of(std::string_view name) {
  if (name == "affinity") return RuleType::affinity;
  if (name == "anti_affinity") return RuleType::anti_affinity;
  if (name == "hosts") return RuleType::hosts;
  return std::nullopt;
}

double& given(GivenThresholds& thresholds, Resource r) {
  return (r == Resource::cpu      ? thresholds.cpu
          : r == Resource::memory ? thresholds.memory
                                  : thresholds.network)
      .emplace(0.0);
}

// How many elements an array of the format may have.
std::size_t elements_max(Scope array) {
  switch (array) {
    case Scope::hosts: return limits::snapshot_hosts_max;
    case Scope::rules: return limits::snapshot_rules_max;
    default: return limits::snapshot_vms_max;
  }
}

}  // namespace

std::string SnapshotSax::path() const {
  std::string path;
  for (const Frame& frame : frames_) {
    if (is_array(frame.scope)) {
      path += "[" + std::to_string(frame.count == 0 ? 0 : frame.count - 1) + "]";
    } else if (frame.field != nullptr) {
      if (!path.empty()) path += '.';
      path += frame.field->key;
    }
  }
  return path;
}

// Indices are hard to find in a large file: the id of the host or VM helps, once it is known.
std::string SnapshotSax::known_as() const {
  for (const Frame& frame : frames_) {
    if (frame.scope == Scope::host && !parts_.hosts.back().id.empty())
      return " (host " + ballast::quoted(parts_.hosts.back().id.str()) + ")";
    if (frame.scope == Scope::vm && !parts_.vms.back().id.empty())
      return " (vm " + ballast::quoted(parts_.vms.back().id.str()) + ")";
  }
  return {};
}

bool SnapshotSax::fail_at(const std::string& key, const std::string& found,
                          const std::string& expected) {
  const auto offset = static_cast<std::size_t>(*track_ - text_.data());
  error_ = place_of(name_, text_, offset) + ": " + (key.empty() ? "" : key + known_as() + ": ") +
           "found " + found + ", expected " + expected;
  return false;
}

bool SnapshotSax::fail(const std::string& found, const std::string& expected) {
  return fail_at(path(), found, expected);
}

const Field* SnapshotSax::next_field() {
  Frame& frame = frames_.back();
  if (!is_array(frame.scope)) return frame.field;
  ++frame.count;
  return fields_of(frame.scope).data();
}

const Field* SnapshotSax::take(Kind kind, const std::string& found) {
  if (frames_.empty()) {
    fail(found, "an object with the keys " + keys_of(Scope::file));
    return nullptr;
  }
  const Field* field = next_field();
  if (field->kind == kind) return field;
  fail(found, expectation_of(*field));
  return nullptr;
}

bool SnapshotSax::null() {
  if (frames_.empty()) return take(Kind::object, "null") != nullptr;
  const Field* field = next_field();
  // What a new host or VM starts with is what null means.
  return field->may_be_null || fail("null", expectation_of(*field));
}

bool SnapshotSax::boolean(bool value) {
  const Field* field = take(Kind::boolean, value ? "true" : "false");
  if (field == nullptr) return false;
  if (field->slot == Slot::maintenance) parts_.hosts.back().maintenance = value;
  if (field->slot == Slot::movable) parts_.vms.back().movable = value;
  return true;
}

bool SnapshotSax::number_integer(number_integer_t value) {
  return number(static_cast<double>(value));
}

bool SnapshotSax::number_unsigned(number_unsigned_t value) {
  return number(static_cast<double>(value));
}

bool SnapshotSax::number_float(number_float_t value, const string_t&) { return number(value); }

bool SnapshotSax::number(double value) {
  if (frames_.empty()) return take(Kind::object, "a number") != nullptr;
  const Field* field = next_field();
  const bool fits = field->kind == Kind::number && value <= field->high &&
                    (field->above_low ? value > field->low : value >= field->low);
  if (!fits) return fail(shown(value), expectation_of(*field));
  amount_at(field->resource) = value;
  return true;
}

double& SnapshotSax::amount_at(Resource r) {
  switch (frames_.back().scope) {
    case Scope::thresholds: return given(parts_.thresholds, r);
    case Scope::host: return parts_.hosts.back().capacity[r];
    case Scope::host_base: return parts_.hosts.back().base[r];
    case Scope::host_thresholds: return given(parts_.host_thresholds.back().second, r);
    case Scope::vm: return parts_.vms.back().load[r];
    case Scope::vm_swing: return parts_.vms.back().swing[r];
    default: break;
  }
  BALLAST_ASSERT(false, "a number where the format has none");
}

bool SnapshotSax::string(string_t& value) {
  // Building the text for an error costs: only where it may be needed.
  const bool misplaced =
      frames_.empty() || (is_array(frames_.back().scope) ? fields_of(frames_.back().scope).data()
                                                         : frames_.back().field)
                                 ->kind != Kind::text;
  const Field* field = take(Kind::text, misplaced ? ballast::quoted(value) : std::string());
  if (field == nullptr) return false;
  if (field->slot == Slot::format)
    return value == format_name || fail(ballast::quoted(value), expectation_of(*field));
  if (field->slot == Slot::type) {
    const std::optional<RuleType> type = rule_type_of(value);
    if (!type) return fail(ballast::quoted(value), expectation_of(*field));
    parts_.rules.back().type = *type;
    return true;
  }
  if (field->slot == Slot::reason || field->slot == Slot::note) {
    if (value.size() > limits::text_bytes_max)
      return fail("one of " + std::to_string(value.size()), expectation_of(*field));
    if (field->slot == Slot::reason)
      parts_.vms.back().immovable_reason = cleaned_text(value, limits::text_bytes_max);
    return true;
  }
  if (!is_valid_id(value)) return fail(ballast::quoted(value), expectation_of(*field));
  switch (frames_.back().scope) {
    case Scope::host: parts_.hosts.back().id = HostId(std::move(value)); break;
    case Scope::vm:
      if (field->slot == Slot::id) {
        parts_.vms.back().id = VmId(std::move(value));
      } else {
        parts_.vm_hosts.back() = std::move(value);
      }
      break;
    case Scope::rule_vms: parts_.rules.back().vms.push_back(std::move(value)); break;
    case Scope::rule_hosts: parts_.rules.back().hosts.push_back(std::move(value)); break;
    default: break;
  }
  return true;
}

bool SnapshotSax::binary(binary_t&) { return fail("binary data", "JSON text"); }

bool SnapshotSax::key(string_t& name) {
  Frame& frame = frames_.back();
  frame.field = nullptr;
  const std::span<const Field> fields = fields_of(frame.scope);
  for (std::size_t n = 0; n < fields.size(); ++n) {
    if (fields[n].key != name) continue;
    frame.field = &fields[n];
    const std::uint32_t bit = 1U << n;
    if ((frame.seen & bit) != 0) return fail("the key a second time", "it once");
    frame.seen |= bit;
    return true;
  }
  return fail_at(path(), "the unknown key " + ballast::quoted(name),
                 "one of " + keys_of(frame.scope));
}

bool SnapshotSax::start_object(std::size_t) { return open(Kind::object, "an object"); }
bool SnapshotSax::start_array(std::size_t) { return open(Kind::array, "a list"); }

bool SnapshotSax::open(Kind kind, const char* found) {
  if (frames_.empty() && kind == Kind::object) return begin(Scope::file);
  const Field* field = take(kind, found);
  if (field == nullptr) return false;
  const Frame& outer = frames_.back();
  if (is_array(outer.scope) && outer.count > elements_max(outer.scope))
    return fail("one more element",
                "at most " + std::to_string(elements_max(outer.scope)) + " in this list");
  return begin(field->opens);
}

bool SnapshotSax::begin(Scope scope) {
  BALLAST_ASSERT(frames_.size() < limits::json_depth_max, "a format deeper than its bound");
  frames_.push_back(Frame{scope});
  switch (scope) {
    case Scope::host: parts_.hosts.emplace_back().capacity.network_mbit = unlimited; break;
    case Scope::host_thresholds:
      parts_.host_thresholds.emplace_back(static_cast<HostIndex>(parts_.hosts.size() - 1),
                                          GivenThresholds{});
      break;
    case Scope::vm:
      parts_.vms.emplace_back();
      parts_.vm_hosts.emplace_back();
      break;
    case Scope::rule: parts_.rules.emplace_back(); break;
    default: break;
  }
  return true;
}

bool SnapshotSax::end_object() {
  Frame& frame = frames_.back();
  frame.field = nullptr;
  const std::span<const Field> fields = fields_of(frame.scope);
  for (std::size_t n = 0; n < fields.size(); ++n) {
    if (fields[n].required && (frame.seen & (1U << n)) == 0) {
      const std::string key = std::string(fields[n].key);
      return fail("no " + ballast::quoted(key),
                  ballast::quoted(key) + ": " + expectation_of(fields[n]));
    }
  }
  if (frame.scope == Scope::rule && !finish_rule()) return false;
  frames_.pop_back();
  return true;
}

// Whether the object at hand has the key that opens this list.
bool SnapshotSax::saw(Scope list) const {
  const std::span<const Field> fields = fields_of(frames_.back().scope);
  for (std::size_t n = 0; n < fields.size(); ++n) {
    if (fields[n].opens == list && (frames_.back().seen & (1U << n)) != 0) return true;
  }
  return false;
}

bool SnapshotSax::finish_rule() {
  const NamedRule& rule = parts_.rules.back();
  const bool wants_hosts = rule.type == RuleType::hosts;
  const bool has_hosts = saw(Scope::rule_hosts);
  if (wants_hosts && rule.hosts.empty())
    return fail(has_hosts ? "an empty 'hosts'" : "no 'hosts'",
                "the hosts where these VMs may run, at least one");
  if (!wants_hosts && has_hosts) return fail("'hosts'", "it only in a rule of the type 'hosts'");
  if (rule.vms.empty()) return fail("an empty 'vms'", "at least one VM");
  return true;
}

bool SnapshotSax::end_array() {
  frames_.pop_back();
  return true;
}

bool SnapshotSax::parse_error(std::size_t position, const std::string& last_token,
                              const nlohmann::detail::exception& problem) {
  error_ =
      place_of(name_, text_, position) + ":" + std::to_string(column_of(text_, position)) + ": ";
  // While a value is read, the key at hand is the one that it belongs to.
  const std::string_view what = problem.what();
  const bool in_value = what.find("while parsing value") != std::string_view::npos ||
                        what.find("number overflow") != std::string_view::npos;
  if (const std::string key = path(); in_value && !key.empty()) error_ += key + known_as() + ": ";
  error_ += syntax_reason(problem.what(), last_token);
  return false;
}

}  // namespace ballast::files
