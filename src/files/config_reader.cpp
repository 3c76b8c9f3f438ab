// Walks over the TOML of a configuration, hands each value to its row of the table, and collects
// all that is wrong instead of stopping at the first.
#include "ballast/files/config.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "ballast/files/input.h"
#include "config_table.h"
#include "json_text.h"
#include "nearest.h"

namespace ballast::files {
namespace {

struct Problem {
  std::uint32_t line = 0;  // 0: nowhere in the file
  std::string message;
};

struct Reader {
  Config config;
  std::vector<Problem> problems;

  void wrong(const toml::source_region& where, const std::string& message) {
    if (problems.size() < limits::config_errors_max)
      problems.push_back({where.begin.line, message});
  }
};

bool is_section(std::string_view path) {
  const std::span<const SettingRow> rows = config_table();
  return std::any_of(rows.begin(), rows.end(), [path](const SettingRow& row) {
    return row.section == path ||
           (row.section.starts_with(path) && row.section.substr(path.size()).starts_with('.'));
  });
}

const SettingRow* find_row(std::string_view section, std::string_view key) {
  for (const SettingRow& row : config_table()) {
    if (row.section == section && row.key == key) return &row;
  }
  return nullptr;
}

std::string in_section(std::string_view section) {
  return section.empty() ? "at the top" : "in [" + std::string(section) + "]";
}

// "; did you mean 'cooldown'?", from the keys of this section, else where a key of that name is.
std::string hint_for(std::string_view section, std::string_view key) {
  std::set<std::string_view> sections;
  std::vector<std::string_view> near;
  std::string elsewhere;
  for (const SettingRow& row : config_table()) {
    sections.insert(row.section);
    if (row.section == section) near.push_back(row.key);
    if (row.key == key && elsewhere.empty()) elsewhere = row.section;
  }
  if (section.empty()) near.assign(sections.begin(), sections.end());
  const std::string_view nearest = nearest_to(key, near);
  if (!nearest.empty()) return "; did you mean " + ballast::quoted(nearest) + "?";
  if (!elsewhere.empty()) return "; it belongs in [" + elsewhere + "]";
  return "; conf/ballast.toml lists all keys";
}

// In the order of the rows, not of the file: the common thresholds are what a host's own start
// from.
void read_known(Reader& reader, const toml::table& table) {
  for (const SettingRow& row : config_table()) {
    const std::string path = std::string(row.section) + "." + std::string(row.key);
    const toml::node* node = table.at_path(path).node();
    if (node == nullptr || row.set(reader.config, *node)) continue;
    reader.wrong(node->source(), path + ": found " + describe(*node) + ", expected " +
                                     row.expected +
                                     (row.unit.empty() ? "" : " (" + row.unit + ")"));
  }
}

void find_unknown(Reader& reader, const std::string& section, const toml::table& table) {
  for (const auto& [toml_key, node] : table) {
    const std::string_view key = toml_key.str();
    if (find_row(section, key) != nullptr) continue;
    const std::string path = section.empty() ? std::string(key) : section + "." + std::string(key);
    if (!is_section(path)) {
      const char* what = node.is_table() ? "section " : "key ";
      reader.wrong(toml_key.source(), "found the unknown " + (what + ballast::quoted(key)) + " " +
                                          in_section(section) + hint_for(section, key));
    } else if (node.is_table()) {
      find_unknown(reader, path, *node.as_table());
    } else {
      std::string wrong = path;
      wrong.append(": found ").append(describe(node));
      wrong.append(", expected a section [").append(path).append("]");
      reader.wrong(node.source(), wrong);
    }
  }
}

std::string shown_seconds(Duration span) { return shown(seconds_of(span)) + " s"; }

struct Conflict {
  std::string_view path;  // of the key that the message begins with
  std::string message;
};

// What no single key can tell.
std::vector<Conflict> wrong_together(const Config& config) {
  std::vector<Conflict> wrong;
  if (config.sample.sample_interval > config.sample.report_interval)
    wrong.push_back(
        {"sample.sample_interval", "found " + shown_seconds(config.sample.sample_interval) +
                                       ", expected at most sample.report_interval (" +
                                       shown_seconds(config.sample.report_interval) + ")"});
  if (config.sample.report_interval > config.plan.plan_interval)
    wrong.push_back({"sample.report_interval", "found " +
                                                   shown_seconds(config.sample.report_interval) +
                                                   ", expected at most plan.plan_interval (" +
                                                   shown_seconds(config.plan.plan_interval) +
                                                   "), or plans would see nothing new"});
  if (config.node.role == Role::slave && !config.node.master && config.mesh.beacon.empty())
    wrong.push_back({"node.master",
                     "found none and no mesh.beacon, expected one of them: a slave must have a way "
                     "to find its master (a master needs node.role = \"master\")"});
  if (config.node.master && config.node.master->id == config.node.id)
    wrong.push_back({"node.master", "found this node's own id " +
                                        ballast::quoted(config.node.id.str()) +
                                        ", expected another node"});
  if (config.hypervisor.kind == HypervisorKind::simulated && config.hypervisor.trace.empty())
    wrong.push_back(
        {"hypervisor.trace", "found none, expected a trace folder for the simulated hypervisor"});
  if (config.hypervisor.kind == HypervisorKind::simulated && config.node.id.empty())
    wrong.push_back({"node.id", "found none, expected the id of a host in hypervisor.trace"});
  return wrong;
}

}  // namespace

ConfigReading parse_config(std::string_view text, const std::string& name,
                           const ConfigOverride& change, const Config& base) {
  const Result<toml::table> table = parse_toml(text, name);
  if (!table) return {{}, {table.error()}};
  Reader reader;
  reader.config = base;
  read_known(reader, *table);
  find_unknown(reader, {}, *table);
  if (change) change(reader.config);
  for (const Conflict& conflict : wrong_together(reader.config)) {
    const toml::node* node = table->at_path(conflict.path).node();
    reader.wrong(node == nullptr ? toml::source_region{} : node->source(),
                 std::string(conflict.path) + ": " + conflict.message);
  }
  std::stable_sort(reader.problems.begin(), reader.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  ConfigReading reading{std::move(reader.config), {}};
  for (const Problem& problem : reader.problems) {
    // A key that is missing has no line.
    const std::string line = problem.line == 0 ? "" : ":" + std::to_string(problem.line);
    reading.errors.push_back(Error{name + line + ": " + problem.message});
  }
  return reading;
}

ConfigReading read_config(const std::string& path, const ConfigOverride& change) {
  const Result<std::string> text = read_input(path, limits::config_bytes_max);
  if (!text) return {{}, {text.error()}};
  return parse_config(*text, name_of_input(path), change);
}

std::string joined_file(const std::string& state_dir) { return state_dir + "/joined.toml"; }

ConfigReading read_node_config(const std::string& path, bool may_be_missing,
                               const std::string& state_dir, const ConfigOverride& change) {
  const auto is_there = [](const std::string& file) { return access(file.c_str(), F_OK) == 0; };
  const bool has_file = !may_be_missing || is_there(path);
  const Result<std::string> text =
      has_file ? read_input(path, limits::config_bytes_max) : Result<std::string>(std::string());
  if (!text) return {{}, {text.error()}};
  const std::string name = name_of_input(path);
  // Errors come once, below: another state folder is all that matters here.
  const std::string joined =
      joined_file(state_dir.empty() ? parse_config(*text, name).config.node.state_dir : state_dir);
  if (!is_there(joined)) {
    if (has_file) return parse_config(*text, name, change);
    return {
        {},
        {Error{path + ": is not there, and this host belongs to no fleet: `ballast init` on the "
                      "first host, `ballast join TOKEN` on the others"}}};
  }
  const ConfigReading base = read_config(joined);
  if (!base.errors.empty()) return base;
  return parse_config(*text, name, change, base.config);
}

std::vector<Setting> settings() {
  Config defaults;
  std::vector<Setting> out;
  for (const SettingRow& row : config_table())
    out.push_back({row.section, row.key, row.unit, row.expected, row.get(defaults)});
  return out;
}

std::string config_text(const Config& config) {
  std::string text;
  std::string_view section;
  for (const Setting& setting : settings()) {
    const std::string value = value_of(config, setting);
    if (value == setting.default_value) continue;
    if (setting.section != section)
      text += (text.empty() ? "[" : "\n[") + std::string(setting.section) + "]\n";
    section = setting.section;
    text += std::string(setting.key) + " = " + value + "\n";
  }
  return text;
}

std::string value_of(const Config& config, const Setting& setting) {
  const SettingRow* row = find_row(setting.section, setting.key);
  BALLAST_ASSERT(row != nullptr, "a setting that is not in the table");
  Config copy = config;
  return row->get(copy);
}

}  // namespace ballast::files
