// The grammar of `ballast-snapshot/1` as tables: which keys an object may have, of which kind, in
// which range. The SAX handler (snapshot_sax.h) walks over them, and errors quote them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ballast/model/resources.h"

namespace ballast::files {

enum class Kind : unsigned char { text, number, boolean, object, array };

// What a value means, whatever object it stands in.
enum class Slot : unsigned char {
  format,
  id,
  host,
  type,
  amount,  // of `resource`: capacity, base, load or threshold, by the object it stands in
  maintenance,
  movable,
  reason,  // any text for people
  note,    // the same, and nobody keeps it
  scope,   // an object or array of its own
};

// Objects and arrays of the format, by their place.
enum class Scope : unsigned char {
  file,
  thresholds,
  hosts,
  host,
  host_base,
  host_thresholds,
  vms,
  vm,
  vm_swing,
  rules,
  rule,
  rule_vms,
  rule_hosts,
  notes,
};

struct Field {
  std::string_view key;
  Kind kind;
  Slot slot;
  bool required = false;
  bool may_be_null = false;
  Resource resource = Resource::cpu;
  Scope opens = Scope::file;  // for Kind::object and Kind::array
  double low = 0;             // numbers: smallest, itself allowed unless `above_low`
  bool above_low = false;
  double high = 0;
  std::string_view unit = {};  // "MHz", "MiB", "Mbit/s" or empty
};

// The keys of an object, or the one field that describes every element of an array.
std::span<const Field> fields_of(Scope scope);
bool is_array(Scope scope);

// "a number above 0, at most 1000000000 (MHz)", "text", "a list", ...
std::string expectation_of(const Field& field);

// "id, cpu, memory": for the error on an unknown key.
std::string keys_of(Scope scope);

}  // namespace ballast::files
