// The configuration of a node from TOML. One table of settings (src/files/config_table.cpp) drives
// the parser, the ranges, the units, what check-config prints, and the test that holds conf/ to it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/model/config.h"

namespace ballast::files {

// What was read, and all that is wrong with it: each error is one line with file, line, key, what
// was found and what is expected. The configuration is fit for use only without errors.
struct ConfigReading {
  Config config;
  std::vector<Error> errors;
};

// Changes the configuration after the file was read and before settings are checked against each
// other: how flags of a command win over the file.
using ConfigOverride = std::function<void(Config&)>;

// Reads a TOML file; "-" is standard input. What it does not set has its default.
ConfigReading read_config(const std::string& path, const ConfigOverride& change = {});

// The same, from text that is in memory; `name` is what errors call it. What the text does not set
// has the value of `base`.
ConfigReading parse_config(std::string_view text, const std::string& name,
                           const ConfigOverride& change = {}, const Config& base = {});

// What `ballast init` and `ballast join` have left in the state folder, in the form of a
// configuration file: a node runs by it alone, and any file of the operator's wins over it.
std::string joined_file(const std::string& state_dir);

// The configuration of this host: the file, over what a join has left. With `may_be_missing` there
// may be no file, if this host has joined. `state_dir` is that of the file where it is empty.
ConfigReading read_node_config(const std::string& path, bool may_be_missing,
                               const std::string& state_dir = {},
                               const ConfigOverride& change = {});

// One line of the table, in words.
struct Setting {
  std::string_view section;  // "plan.thresholds"
  std::string_view key;
  std::string unit;           // "s", "MiB/s", or empty
  std::string expected;       // kind and range: "a number from 0.1 to 3600"
  std::string default_value;  // as in TOML; empty: none
};
std::vector<Setting> settings();

// The value of a setting in a configuration, as in TOML; empty where it is not set. `setting` must
// come from settings().
std::string value_of(const Config& config, const Setting& setting);

// What a running node takes over from a configuration that it reads anew.
struct ConfigChange {
  Config config;                           // to go on with
  std::vector<std::string> taken;          // "plan.mode: \"recommend\" -> \"auto\""
  std::vector<std::string> needs_restart;  // the same, of what stays as it was
};
ConfigChange change_of(const Config& running, const Config& read);
// What the control socket answers to "reload": {"ok":true,"taken":["..."],"needs_restart":["..."]}
std::string change_json(const ConfigChange& change);
// The two lists of it, or the error that it tells; `name` is whose answer it is.
Result<ConfigChange> parse_change(std::string_view text, const std::string& name);

// The text of a configuration file that sets what differs from the defaults, and nothing else.
std::string config_text(const Config& config);

}  // namespace ballast::files
