// Reads a status back. It comes from a node of ours over a socket that only we can open, so the
// first thing that is wrong is told and nothing more is made of it.

#include <nlohmann/json.hpp>

#include "ballast/files/status.h"

namespace ballast::files {
namespace {

using Json = nlohmann::json;

template <class Value>
Value one_of(const std::string& name, std::initializer_list<Value> values) {
  for (const Value value : values) {
    if (name == name_of(value)) return value;
  }
  throw std::runtime_error("found '" + name + "' where a known name is expected");
}

Role role_of(const Json& from) {
  return one_of(from.get<std::string>(), {Role::master, Role::slave, Role::automatic});
}

std::string text_or_empty(const Json& from) {
  return from.is_null() ? std::string() : from.get<std::string>();
}

node::HostView host_of(const Json& from) {
  node::HostView host;
  host.id = HostId(from.at("id").get<std::string>());
  host.role = role_of(from.at("role"));
  for (const Resource r : all_resources) {
    const Json& resource = from.at(name_of(r));
    host.load[r] = resource.at("load").get<double>();
    const Json& capacity = resource.at("capacity");
    host.capacity[r] = capacity.is_null() ? unlimited : capacity.get<double>();
    host.thresholds[r] = resource.at("threshold").get<double>();
  }
  host.vms = from.at("vms").get<std::size_t>();
  host.state = from.at("state").get<std::string>();
  // Of a node of before these were told they are missing.
  if (from.contains("age_s")) host.age = duration_of_seconds(from.at("age_s").get<double>());
  if (from.contains("lost_vms"))
    for (const Json& vm : from.at("lost_vms")) host.lost_vms.emplace_back(vm.get<std::string>());
  return host;
}

node::MoveView move_of(const Json& from) {
  node::MoveView move;
  move.vm = VmId(from.at("vm").get<std::string>());
  move.from = HostId(from.at("from").get<std::string>());
  move.to = HostId(from.at("to").get<std::string>());
  move.step = from.at("step").get<std::uint32_t>();
  if (from.contains("swap")) move.swap = from.at("swap").get<std::uint32_t>();
  move.state = from.at("state").get<std::string>();
  move.why = from.at("why").get<std::string>();
  return move;
}

node::MasterView master_of(const Json& from) {
  node::MasterView master;
  master.id = NodeId(from.at("id").get<std::string>());
  master.endpoint = from.at("endpoint").get<std::string>();
  master.hosts = from.at("hosts").get<std::uint32_t>();
  master.surplus_vms = from.at("surplus_vms").get<std::uint32_t>();
  for (const Resource r : all_resources) {
    const Json& room = from.at("spare").at(name_of(r));
    master.spare[r] = room.is_null() ? unlimited : room.get<double>();
  }
  master.peer = from.at("peer").get<bool>();
  master.withdrawn = from.at("withdrawn").get<bool>();
  master.lost = from.contains("lost") && from.at("lost").get<bool>();
  return master;
}

node::PlanView plan_of(const Json& from) {
  node::PlanView plan;
  plan.id = from.at("id").get<std::string>();
  plan.state = from.at("state").get<std::string>();
  plan.age = duration_of_seconds(from.at("age_s").get<double>());
  for (const Json& move : from.at("migrations")) plan.moves.push_back(move_of(move));
  for (const Json& surplus : from.at("surplus")) {
    plan.surplus.push_back(
        {VmId(surplus.at("vm").get<std::string>()), HostId(surplus.at("host").get<std::string>()),
         surplus.at("reason").get<std::string>(), surplus.at("pause").get<std::string>(),
         surplus.at("left").get<bool>()});
  }
  plan.pause = from.at("pause").get<std::string>();
  plan.overload_before = from.at("overload_before").get<double>();
  plan.overload_after = from.at("overload_after").get<double>();
  plan.overloaded_before = from.at("overloaded_before").get<std::size_t>();
  plan.overloaded_after = from.at("overloaded_after").get<std::size_t>();
  plan.lower_bound = from.at("lower_bound").get<std::size_t>();
  return plan;
}

node::Event event_of(const Json& from) {
  using node::EventKind;
  node::Event event;
  event.at = TimePoint(-duration_of_seconds(from.at("age_s").get<double>()));
  event.number = from.at("number").get<std::uint64_t>();
  event.kind = one_of(from.at("kind").get<std::string>(),
                      {EventKind::attached, EventKind::lost, EventKind::planned, EventKind::ordered,
                       EventKind::moved, EventKind::not_moved, EventKind::alarm,
                       EventKind::recovered, EventKind::drain});
  event.vm = VmId(text_or_empty(from.at("vm")));
  event.host = HostId(text_or_empty(from.at("host")));
  event.text = from.at("text").get<std::string>();
  return event;
}

node::View view_of(const Json& from) {
  node::View view;
  if (const auto format = from.at("format").get<std::string>(); format != "ballast-status/1")
    throw std::runtime_error("found format '" + format + "', expected 'ballast-status/1'");
  view.id = NodeId(from.at("id").get<std::string>());
  view.role = role_of(from.at("role"));
  view.endpoint = from.at("endpoint").get<std::string>();
  view.master = NodeId(text_or_empty(from.at("master")));
  view.epoch.incarnation = from.at("epoch").at("incarnation").get<std::uint64_t>();
  view.epoch.attachment = from.at("epoch").at("attachment").get<std::uint64_t>();
  view.mode =
      one_of(from.at("mode").get<std::string>(), {Mode::recommend, Mode::approve, Mode::act});
  for (const Json& host : from.at("hosts")) view.hosts.push_back(host_of(host));
  if (!from.at("plan").is_null()) view.plan = plan_of(from.at("plan"));
  for (const Json& move : from.at("in_flight")) view.in_flight.push_back(move_of(move));
  for (const Json& lease : from.at("leases")) {
    view.leases.push_back({LeaseId{}, VmId(lease.at("vm").get<std::string>()),
                           HostId(lease.at("from").get<std::string>()),
                           HostId(lease.at("to").get<std::string>()),
                           lease.at("phase").get<std::string>()});
  }
  if (from.contains("failures")) {
    for (const Json& failure : from.at("failures"))
      view.failures.push_back(
          {VmId(text_or_empty(failure.at("vm"))), HostId(text_or_empty(failure.at("from"))),
           HostId(text_or_empty(failure.at("to"))), failure.at("times").get<std::uint32_t>(),
           duration_of_seconds(failure.at("left_s").get<double>()),
           failure.at("reason").get<std::string>()});
  }
  for (const Json& master : from.at("masters")) view.masters.push_back(master_of(master));
  view.paused = from.at("paused").get<bool>();
  for (const Json& vm : from.at("vms")) view.own_vms.emplace_back(vm.get<std::string>());
  for (const auto& [name, count] : from.at("counters").items())
    view.counters.emplace(name, count.get<std::uint64_t>());
  if (from.contains("events")) {
    for (const Json& event : from.at("events")) view.events.push_back(event_of(event));
  }
  return view;
}

}  // namespace

Result<node::View> parse_status(std::string_view text, const std::string& name) {
  try {
    return view_of(Json::parse(text));
  } catch (const std::exception& wrong) {
    return Error{name + ": not a ballast-status/1: " + std::string(wrong.what()).substr(0, 200)};
  }
}

Status parse_verdict(std::string_view text, const std::string& name) {
  try {
    const Json reply = Json::parse(text);
    if (reply.at("ok").get<bool>()) return {};
    return Error{reply.at("error").get<std::string>()};
  } catch (const std::exception& wrong) {
    return Error{name + ": not an answer: " + std::string(wrong.what()).substr(0, 200)};
  }
}

}  // namespace ballast::files
