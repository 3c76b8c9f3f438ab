#include "ballast/files/json_writer.h"
#include "ballast/files/status.h"

namespace ballast::files {
namespace {

void write_id(JsonWriter& json, std::string_view name, const std::string& id) {
  json.key(name);
  if (id.empty()) {
    json.null();
  } else {
    json.text(id);
  }
}

void write(JsonWriter& json, const node::HostView& host) {
  json.begin_object();
  json.field("id", host.id.str());
  json.field("role", name_of(host.role));
  for (const Resource r : all_resources) {
    json.key(name_of(r));
    json.begin_object();
    json.field("load", host.load[r]);
    json.field("capacity", host.capacity[r]);  // null: unlimited
    json.field("threshold", host.thresholds[r]);
    json.end_object();
  }
  json.field("vms", std::uint64_t{host.vms});
  json.field("state", host.state);
  json.field("age_s", seconds_of(host.age));
  json.key("lost_vms");
  json.begin_array();
  for (const VmId& vm : host.lost_vms) json.text(vm.str());
  json.end_array();
  json.end_object();
}

void write(JsonWriter& json, const node::MoveView& move) {
  json.begin_object();
  json.field("vm", move.vm.str());
  json.field("from", move.from.str());
  json.field("to", move.to.str());
  json.field("step", move.step);
  if (move.swap) json.field("swap", *move.swap);
  json.field("state", move.state);
  json.field("why", move.why);
  json.end_object();
}

void write(JsonWriter& json, const node::LeaseView& lease) {
  json.begin_object();
  json.field("vm", lease.vm.str());
  json.field("from", lease.from.str());
  json.field("to", lease.to.str());
  json.field("phase", lease.phase);
  json.end_object();
}

void write(JsonWriter& json, const node::FailureView& failure) {
  json.begin_object();
  write_id(json, "vm", failure.vm.str());      // null: any VM between the two
  write_id(json, "from", failure.from.str());  // null: from any host
  write_id(json, "to", failure.to.str());      // null: whatever the target
  json.field("times", failure.times);
  json.field("left_s", seconds_of(failure.left));
  json.field("reason", failure.reason);
  json.end_object();
}

void write(JsonWriter& json, const node::MasterView& master) {
  json.begin_object();
  json.field("id", master.id.str());
  json.field("endpoint", master.endpoint);
  json.field("hosts", master.hosts);
  json.field("surplus_vms", master.surplus_vms);
  json.key("spare");
  json.begin_object();
  for (const Resource r : all_resources) json.field(name_of(r), master.spare[r]);
  json.end_object();
  json.field("peer", master.peer);
  json.field("withdrawn", master.withdrawn);
  json.field("lost", master.lost);
  json.end_object();
}

void write_moves(JsonWriter& json, std::string_view name,
                 const std::vector<node::MoveView>& moves) {
  json.key(name);
  json.begin_array();
  for (const node::MoveView& move : moves) write(json, move);
  json.end_array();
}

void write(JsonWriter& json, const node::PlanView& plan) {
  json.begin_object();
  json.field("id", plan.id);
  json.field("state", plan.state);
  json.field("age_s", seconds_of(plan.age));
  write_moves(json, "migrations", plan.moves);
  json.key("surplus");
  json.begin_array();
  for (const node::SurplusView& surplus : plan.surplus) {
    json.begin_object();
    json.field("vm", surplus.vm.str());
    json.field("host", surplus.host.str());
    json.field("reason", surplus.reason);
    json.field("pause", surplus.pause);
    json.field("left", surplus.left);
    json.end_object();
  }
  json.end_array();
  json.field("pause", plan.pause);
  json.field("overload_before", plan.overload_before);
  json.field("overload_after", plan.overload_after);
  json.field("overloaded_before", std::uint64_t{plan.overloaded_before});
  json.field("overloaded_after", std::uint64_t{plan.overloaded_after});
  json.field("lower_bound", std::uint64_t{plan.lower_bound});
  json.end_object();
}

void write(JsonWriter& json, const node::Event& event, TimePoint now) {
  json.begin_object();
  json.field("number", event.number);
  json.field("kind", name_of(event.kind));
  json.field("age_s", seconds_of(now - event.at));
  write_id(json, "vm", event.vm.str());
  write_id(json, "host", event.host.str());
  json.field("text", event.text);
  json.end_object();
}

}  // namespace

std::string status_json(const node::View& view, TimePoint now) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("format", "ballast-status/1");
  json.field("id", view.id.str());
  json.field("role", name_of(view.role));
  json.field("endpoint", view.endpoint);
  write_id(json, "master", view.master.str());
  json.key("epoch");
  json.begin_object();
  json.field("incarnation", view.epoch.incarnation);
  json.field("attachment", view.epoch.attachment);
  json.end_object();
  json.field("mode", name_of(view.mode));
  json.key("hosts");
  json.begin_array();
  for (const node::HostView& host : view.hosts) write(json, host);
  json.end_array();
  json.key("plan");
  if (view.plan) {
    write(json, *view.plan);
  } else {
    json.null();
  }
  write_moves(json, "in_flight", view.in_flight);
  json.key("leases");
  json.begin_array();
  for (const node::LeaseView& lease : view.leases) write(json, lease);
  json.end_array();
  json.key("failures");
  json.begin_array();
  for (const node::FailureView& failure : view.failures) write(json, failure);
  json.end_array();
  json.key("masters");
  json.begin_array();
  for (const node::MasterView& master : view.masters) write(json, master);
  json.end_array();
  json.field("paused", view.paused);
  json.key("vms");
  json.begin_array();
  for (const VmId& vm : view.own_vms) json.text(vm.str());
  json.end_array();
  json.key("counters");
  json.begin_object();
  for (const auto& [name, count] : view.counters) json.field(name, count);
  json.end_object();
  if (!view.events.empty()) {
    json.key("events");
    json.begin_array();
    for (const node::Event& event : view.events) write(json, event, now);
    json.end_array();
  }
  json.end_object();
  return out + "\n";
}

}  // namespace ballast::files
