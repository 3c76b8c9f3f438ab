#include "ballast/files/plan_writer.h"

#include "ballast/files/json_writer.h"

namespace ballast::files {
namespace {

void write(JsonWriter& json, const Snapshot& snapshot, const Migration& migration) {
  json.begin_object();
  json.field("vm", snapshot.vms[migration.vm].id.str());
  json.field("from", snapshot.hosts[migration.from].id.str());
  json.field("to", snapshot.hosts[migration.to].id.str());
  json.field("step", migration.step);
  if (migration.swap) json.field("swap", *migration.swap);
  json.end_object();
}

void write(JsonWriter& json, const Snapshot& snapshot, const Surplus& surplus) {
  json.begin_object();
  json.field("vm", snapshot.vms[surplus.vm].id.str());
  json.field("host", snapshot.hosts[surplus.host].id.str());
  json.field("reason", name_of(surplus.reason));
  json.end_object();
}

void write(JsonWriter& json, const Snapshot& snapshot, const Spare& spare) {
  json.begin_object();
  json.field("host", snapshot.hosts[spare.host].id.str());
  json.field("cpu", spare.room.cpu_mhz);
  json.field("memory", spare.room.memory_mib);
  json.field("network", spare.room.network_mbit);  // unlimited comes out as null
  json.end_object();
}

template <class Item>
void write_list(JsonWriter& json, const char* key, const Snapshot& snapshot,
                const std::vector<Item>& items) {
  json.key(key);
  json.begin_array();
  for (const Item& item : items) write(json, snapshot, item);
  json.end_array();
}

}  // namespace

std::string plan_json(const Snapshot& snapshot, const Plan& plan, double elapsed_ms) {
  constexpr std::size_t bytes_per_item = 80;
  std::string out;
  out.reserve(bytes_per_item *
              (plan.migrations.size() + plan.surplus.size() + plan.spare.size() + 8));
  JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-plan/1");
  write_list(json, "migrations", snapshot, plan.migrations);
  write_list(json, "surplus", snapshot, plan.surplus);
  write_list(json, "spare", snapshot, plan.spare);
  json.field("overload_before", plan.overload_before);
  json.field("overload_after", plan.overload_after);
  json.field("overloaded_before", std::uint64_t{plan.overloaded_before});
  json.field("overloaded_after", std::uint64_t{plan.overloaded_after});
  json.field("lower_bound", std::uint64_t{plan.lower_bound});
  json.field("elapsed_ms", elapsed_ms);
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace ballast::files
