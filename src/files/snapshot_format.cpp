#include "snapshot_format.h"

#include <array>

#include "ballast/base/limits.h"
#include "json_text.h"

namespace ballast::files {
namespace {

constexpr double largest_of(Resource r) {
  return r == Resource::cpu      ? limits::cpu_mhz_max
         : r == Resource::memory ? limits::memory_mib_max
                                 : limits::network_mbit_max;
}

constexpr std::string_view key_of(Resource r) {
  return r == Resource::cpu ? "cpu" : r == Resource::memory ? "memory" : "network";
}

constexpr std::string_view unit_of(Resource r) {
  return r == Resource::cpu ? "MHz" : r == Resource::memory ? "MiB" : "Mbit/s";
}

constexpr Field amount(Resource r, bool required, bool may_be_null, bool above_zero) {
  Field field{key_of(r), Kind::number, Slot::amount, required, may_be_null, r};
  field.above_low = above_zero;
  field.high = largest_of(r);
  field.unit = unit_of(r);
  return field;
}

constexpr Field capacity(Resource r) {
  const bool endless = r == Resource::network;
  return amount(r, !endless, endless, true);
}

constexpr Field load(Resource r) {
  return amount(r, r != Resource::network, r == Resource::network, false);
}

constexpr Field base(Resource r) { return amount(r, false, false, false); }

constexpr Field threshold(Resource r) {
  Field field = amount(r, false, false, true);
  field.high = limits::threshold_max;
  field.unit = {};
  return field;
}

constexpr Field nested(std::string_view key, Kind kind, Scope opens, bool required) {
  Field field{key, kind, Slot::scope, required};
  field.opens = opens;
  return field;
}

constexpr std::array file_fields = {
    Field{"format", Kind::text, Slot::format, true},
    nested("thresholds", Kind::object, Scope::thresholds, false),
    nested("hosts", Kind::array, Scope::hosts, true),
    nested("vms", Kind::array, Scope::vms, true),
    nested("rules", Kind::array, Scope::rules, false),
    nested("notes", Kind::array, Scope::notes, false),
};
constexpr std::array threshold_fields = {threshold(Resource::cpu), threshold(Resource::memory),
                                         threshold(Resource::network)};
constexpr std::array base_fields = {base(Resource::cpu), base(Resource::memory),
                                    base(Resource::network)};
constexpr std::array host_fields = {
    Field{"id", Kind::text, Slot::id, true},
    capacity(Resource::cpu),
    capacity(Resource::memory),
    capacity(Resource::network),
    Field{"maintenance", Kind::boolean, Slot::maintenance},
    nested("base", Kind::object, Scope::host_base, false),
    nested("thresholds", Kind::object, Scope::host_thresholds, false),
};
constexpr std::array vm_fields = {
    Field{"id", Kind::text, Slot::id, true},
    Field{"host", Kind::text, Slot::host, true},
    load(Resource::cpu),
    load(Resource::memory),
    load(Resource::network),
    Field{"movable", Kind::boolean, Slot::movable},
    Field{"reason", Kind::text, Slot::reason},
    nested("swing", Kind::object, Scope::vm_swing, false),
};
constexpr std::array rule_fields = {
    Field{"type", Kind::text, Slot::type, true},
    nested("vms", Kind::array, Scope::rule_vms, true),
    nested("hosts", Kind::array, Scope::rule_hosts, false),
};
constexpr std::array host_element = {nested("", Kind::object, Scope::host, false)};
constexpr std::array vm_element = {nested("", Kind::object, Scope::vm, false)};
constexpr std::array rule_element = {nested("", Kind::object, Scope::rule, false)};
constexpr std::array note_element = {Field{"", Kind::text, Slot::note}};
constexpr std::array id_element = {Field{"", Kind::text, Slot::id}};

}  // namespace

std::span<const Field> fields_of(Scope scope) {
  switch (scope) {
    case Scope::file: return file_fields;
    case Scope::thresholds:
    case Scope::host_thresholds: return threshold_fields;
    case Scope::hosts: return host_element;
    case Scope::host: return host_fields;
    case Scope::host_base:
    case Scope::vm_swing: return base_fields;
    case Scope::vms: return vm_element;
    case Scope::vm: return vm_fields;
    case Scope::rules: return rule_element;
    case Scope::rule: return rule_fields;
    case Scope::notes: return note_element;
    case Scope::rule_vms:
    case Scope::rule_hosts: return id_element;
  }
  return {};
}

bool is_array(Scope scope) {
  return scope == Scope::hosts || scope == Scope::vms || scope == Scope::rules ||
         scope == Scope::rule_vms || scope == Scope::rule_hosts || scope == Scope::notes;
}

std::string expectation_of(const Field& field) {
  switch (field.kind) {
    case Kind::text: {
      if (field.slot == Slot::format) return "'ballast-snapshot/1'";
      if (field.slot == Slot::reason || field.slot == Slot::note)
        return "a text of at most " + std::to_string(limits::text_bytes_max) + " bytes";
      if (field.slot == Slot::type) return "'affinity', 'anti_affinity' or 'hosts'";
      return "an id of 1 to " + std::to_string(limits::id_bytes_max) +
             " bytes of UTF-8 without control characters";
    }
    case Kind::boolean: return "true or false";
    case Kind::object: return "an object";
    case Kind::array: return "a list";
    case Kind::number: break;
  }
  std::string text = field.above_low ? "a number above " : "a number from ";
  text += shown(field.low) + (field.above_low ? ", at most " : " to ") + shown(field.high);
  if (!field.unit.empty()) text += " (" + std::string(field.unit) + ")";
  return text;
}

std::string keys_of(Scope scope) {
  std::string keys;
  for (const Field& field : fields_of(scope)) {
    if (!keys.empty()) keys += ", ";
    keys += field.key;
  }
  return keys;
}

}  // namespace ballast::files
