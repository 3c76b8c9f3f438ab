// The table of settings: one row a key, with how it is read from TOML and written back.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "ballast/model/config.h"
#include "toml.h"

namespace ballast::files {

struct SettingRow {
  std::string_view section;
  std::string_view key;
  std::string unit;
  std::string expected;
  // Takes the value over; false, and nothing changed, when it is not what is expected.
  std::function<bool(Config&, const toml::node&)> set;
  // As in TOML; empty where there is no value. The configuration is not changed.
  std::function<std::string(Config&)> get;
};

std::span<const SettingRow> config_table();

}  // namespace ballast::files
