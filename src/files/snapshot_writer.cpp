#include "ballast/files/snapshot_writer.h"

#include <cmath>

#include "ballast/base/limits.h"
#include "ballast/files/json_writer.h"

namespace ballast::files {
namespace {

// To a thousandth: nothing that is measured is known better.
double rounded(double value) { return std::round(value * 1000) / 1000; }

void write_loads(JsonWriter& json, const Resources& loads) {
  json.field("cpu", rounded(loads.cpu_mhz));
  json.field("memory", rounded(loads.memory_mib));
  if (loads.network_mbit != 0 && loads.network_mbit != unlimited)
    json.field("network", rounded(loads.network_mbit));
}

void write_one(JsonWriter& json, const Snapshot&, const Host& host) {
  json.begin_object();
  json.field("id", host.id.str());
  write_loads(json, host.capacity);
  if (host.maintenance) json.field("maintenance", true);
  if (host.base != Resources{}) {
    json.key("base");
    json.begin_object();
    write_loads(json, host.base);
    json.end_object();
  }
  if (host.thresholds != Thresholds{}) {
    json.key("thresholds");
    json.begin_object();
    for (const Resource r : all_resources) json.field(name_of(r), host.thresholds[r]);
    json.end_object();
  }
  json.end_object();
}

void write_one(JsonWriter& json, const Snapshot& snapshot, const Vm& vm) {
  json.begin_object();
  json.field("id", vm.id.str());
  json.field("host", snapshot.hosts[vm.host].id.str());
  write_loads(json, vm.load);
  if (!vm.movable) json.field("movable", false);
  if (!vm.immovable_reason.empty())
    json.field("reason", cleaned_text(vm.immovable_reason, limits::text_bytes_max));
  json.end_object();
}

void write_one(JsonWriter& json, const Snapshot& snapshot, const Rule& rule) {
  json.begin_object();
  json.field("type", rule.type == RuleType::affinity        ? "affinity"
                     : rule.type == RuleType::anti_affinity ? "anti_affinity"
                                                            : "hosts");
  json.key("vms");
  json.begin_array();
  for (const VmIndex vm : rule.vms) json.text(snapshot.vms[vm].id.str());
  json.end_array();
  if (rule.type == RuleType::hosts) {
    json.key("hosts");
    json.begin_array();
    for (const HostIndex host : rule.hosts) json.text(snapshot.hosts[host].id.str());
    json.end_array();
  }
  json.end_object();
}

void write_one(JsonWriter& json, const Snapshot&, const std::string& note) {
  json.text(cleaned_text(note, limits::text_bytes_max));
}

template <class Item>
void write_list_by_lines(std::string& out, const char* name, const Snapshot& snapshot,
                         const std::vector<Item>& items) {
  out += ",\n \"" + std::string(name) + "\": [";
  for (std::size_t n = 0; n < items.size(); ++n) {
    out += n == 0 ? "\n  " : ",\n  ";
    std::string line;
    JsonWriter json(line);
    write_one(json, snapshot, items[n]);
    out += line;
  }
  out += "]";
}

}  // namespace

std::string snapshot_json(const Snapshot& snapshot, const std::vector<std::string>& notes) {
  std::string out = "{\"format\": \"ballast-snapshot/1\"";
  if (!notes.empty()) write_list_by_lines(out, "notes", snapshot, notes);
  write_list_by_lines(out, "hosts", snapshot, snapshot.hosts);
  write_list_by_lines(out, "vms", snapshot, snapshot.vms);
  if (!snapshot.rules.empty()) write_list_by_lines(out, "rules", snapshot, snapshot.rules);
  return out + "}\n";
}

}  // namespace ballast::files
