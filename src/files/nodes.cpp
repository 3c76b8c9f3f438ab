#include "ballast/files/nodes.h"

#include <nlohmann/json.hpp>

#include "ballast/base/ids.h"

#include "ballast/files/json_writer.h"

namespace ballast::files {
namespace {

void write_text_or_null(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.text(text);
  }
}

FleetNode node_of(const nlohmann::json& from) {
  FleetNode node;
  node.id = from.at("id").get<std::string>();
  node.may_lead = from.at("may_lead").get<bool>();
  node.trust = from.at("trust").get<std::string>();
  if (!from.at("since_s").is_null()) node.since_s = from.at("since_s").get<std::uint64_t>();
  if (!from.at("heard_s").is_null())
    node.heard = duration_of_seconds(from.at("heard_s").get<double>());
  if (!from.at("master").is_null()) node.master = from.at("master").get<std::string>();
  node.lost = from.at("lost").get<bool>();
  return node;
}

}  // namespace

std::string nodes_json(const FleetNodes& fleet) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-nodes/1");
  json.field("trust", fleet.trust);
  write_text_or_null(json, "fleet_key", fleet.fleet_key);
  json.field("generation", fleet.generation);
  json.field("unheard", fleet.unheard);
  json.key("nodes");
  json.begin_array();
  for (const FleetNode& node : fleet.nodes) {
    json.begin_object();
    json.field("id", node.id);
    json.field("may_lead", node.may_lead);
    json.field("trust", node.trust);
    json.key("since_s");
    if (node.since_s) {
      json.unsigned_integer(*node.since_s);
    } else {
      json.null();
    }
    json.key("heard_s");
    if (node.heard) {
      json.number(seconds_of(*node.heard));
    } else {
      json.null();
    }
    write_text_or_null(json, "master", node.master);
    json.field("lost", node.lost);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

Result<FleetNodes> parse_nodes(std::string_view text, const std::string& name) {
  try {
    const nlohmann::json from = nlohmann::json::parse(text);
    if (from.contains("error")) return Error{name + ": " + from.at("error").get<std::string>()};
    if (from.at("format") != "ballast-nodes/1")
      return Error{name + ": found another format, expected ballast-nodes/1"};
    FleetNodes fleet;
    fleet.trust = from.at("trust").get<std::string>();
    if (!from.at("fleet_key").is_null()) fleet.fleet_key = from.at("fleet_key").get<std::string>();
    fleet.generation = from.at("generation").get<std::uint32_t>();
    fleet.unheard = from.at("unheard").get<std::string>();
    for (const nlohmann::json& one : from.at("nodes")) fleet.nodes.push_back(node_of(one));
    return fleet;
  } catch (const nlohmann::json::exception& error) {
    return Error{name + ": found no list of nodes: " + ballast::cleaned_text(error.what(), 200)};
  }
}

}  // namespace ballast::files
