// Which settings a running node takes over: all that says how it plans, and how much it does at a
// time. Whatever decides who the node is, where it listens, how it measures and whom it believes
// would have to be built anew, and is left to a restart.
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "ballast/files/config.h"
#include "ballast/files/json_writer.h"
#include "ballast/files/status.h"

namespace ballast::files {
namespace {

std::string or_not_set(const std::string& value) { return value.empty() ? "(not set)" : value; }

}  // namespace

ConfigChange change_of(const Config& running, const Config& read) {
  ConfigChange change;
  Config& next = change.config = running;
  next.plan = read.plan;
  next.market = read.market;
  next.host.thresholds = read.host.thresholds;
  next.migrate.outgoing = read.migrate.outgoing;
  next.migrate.incoming = read.migrate.incoming;
  next.migrate.bandwidth_mib_s = read.migrate.bandwidth_mib_s;
  next.migrate.timeout = read.migrate.timeout;
  for (const Setting& setting : settings()) {
    const std::string before = value_of(running, setting);
    const std::string wanted = value_of(read, setting);
    if (before == wanted) continue;
    const bool is_taken = value_of(next, setting) == wanted;
    (is_taken ? change.taken : change.needs_restart)
        .push_back(std::string(setting.section) + "." + std::string(setting.key) + ": " +
                   or_not_set(before) + " -> " + or_not_set(wanted));
  }
  return change;
}

std::string change_json(const ConfigChange& change) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("ok", true);
  for (const auto& [name, lines] :
       {std::pair("taken", &change.taken), std::pair("needs_restart", &change.needs_restart)}) {
    json.key(name);
    json.begin_array();
    for (const std::string& line : *lines) json.text(line);
    json.end_array();
  }
  json.end_object();
  return out + "\n";
}

Result<ConfigChange> parse_change(std::string_view text, const std::string& name) {
  if (const Status verdict = parse_verdict(text, name); !verdict) return verdict.error();
  try {
    const auto reply = nlohmann::json::parse(text);
    ConfigChange change;
    change.taken = reply.at("taken").get<std::vector<std::string>>();
    change.needs_restart = reply.at("needs_restart").get<std::vector<std::string>>();
    return change;
  } catch (const std::exception& wrong) {
    return Error{name + ": not an answer: " + std::string(wrong.what()).substr(0, 200)};
  }
}

}  // namespace ballast::files
