// Receives the events of the JSON parser and builds the parts of a snapshot as they come, without
// ever holding the file as a tree: a fleet of 30,000 VMs is read in tens of milliseconds, and depth
// cannot exhaust the stack. The grammar is in snapshot_format.h; what needs the whole file (ids
// that refer to each other, defaults) is done afterwards by snapshot_reader.cpp.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/model/snapshot.h"
#include "snapshot_format.h"

namespace ballast::files {

// Thresholds of one place in the file; what it does not name is unset.
struct GivenThresholds {
  std::optional<double> cpu, memory, network;
};

// A rule as written: by ids.
struct NamedRule {
  RuleType type = RuleType::affinity;
  std::vector<std::string> vms;
  std::vector<std::string> hosts;
};

// The file as it was read, ids not resolved yet.
struct SnapshotParts {
  GivenThresholds thresholds;
  std::vector<Host> hosts;
  std::vector<std::pair<HostIndex, GivenThresholds>> host_thresholds;
  std::vector<Vm> vms;
  std::vector<std::string> vm_hosts;  // of vms[i]: the id of its host
  std::vector<NamedRule> rules;
};

class SnapshotSax final : public nlohmann::json_sax<nlohmann::json> {
 public:
  SnapshotSax(std::string_view text, const std::string& name, const char* const* track)
      : text_(text), name_(name), track_(track) {}

  SnapshotParts& parts() { return parts_; }
  // What stopped the parse; empty when nothing did.
  const std::string& error() const { return error_; }

  bool null() override;
  bool boolean(bool value) override;
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const string_t& text) override;
  bool string(string_t& value) override;
  bool binary(binary_t& value) override;
  bool start_object(std::size_t) override;
  bool key(string_t& name) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& problem) override;

 private:
  struct Frame {
    Scope scope = Scope::file;
    std::uint32_t seen = 0;        // bit per key of the object
    const Field* field = nullptr;  // the key whose value comes next
    std::size_t count = 0;         // elements begun, of an array
  };

  bool fail(const std::string& found, const std::string& expected);
  bool fail_at(const std::string& key, const std::string& found, const std::string& expected);
  // The field that the value at hand belongs to, when it is of that kind; else null, after fail().
  const Field* take(Kind kind, const std::string& found);
  const Field* next_field();
  bool number(double value);
  bool open(Kind kind, const char* found);
  bool begin(Scope scope);
  bool finish_rule();
  bool saw(Scope list) const;
  double& amount_at(Resource resource);
  std::string path() const;
  std::string known_as() const;

  std::string_view text_;
  const std::string& name_;
  const char* const* track_;
  std::vector<Frame> frames_;
  SnapshotParts parts_;
  std::string error_;
};

}  // namespace ballast::files
