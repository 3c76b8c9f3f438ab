#include "ballast/files/answer.h"

#include <nlohmann/json.hpp>

#include "ballast/files/json_writer.h"

namespace ballast::files {
namespace {

using Json = nlohmann::json;
using wire::Subject;

const char* format_of(Subject subject) {
  switch (subject) {
    case Subject::drain:
    case Subject::undrain: return "ballast-drain/1";
    case Subject::why: return "ballast-why/1";
    case Subject::retry: return "ballast-retry/1";
    case Subject::promote: return "ballast-promote/1";
    case Subject::forget: return "ballast-forget/1";
    case Subject::nodes: return "ballast-nodes/1";
    case Subject::events: return "ballast-events/1";
    case Subject::best_host:
    case Subject::room: return "ballast-best-host/1";
  }
  return "?";
}

void write_id(JsonWriter& json, std::string_view name, const std::string& id) {
  json.key(name);
  if (id.empty()) {
    json.null();
  } else {
    json.text(id);
  }
}

void write_resources(JsonWriter& json, std::string_view name, const Resources& resources) {
  json.key(name);
  json.begin_object();
  for (const Resource r : all_resources) json.field(ballast::name_of(r), resources[r]);
  json.end_object();
}

// Every fact has the same fields; those that a kind does not use are null, or 0.
void write(JsonWriter& json, const wire::Fact& fact) {
  json.begin_object();
  json.field("kind", fact.kind);
  json.field("age_s", seconds_of(fact.age));
  write_id(json, "vm", fact.vm.str());
  write_id(json, "host", fact.host.str());
  write_id(json, "master", fact.master.str());
  write_resources(json, "room", fact.room);
  write_resources(json, "capacity", fact.capacity);
  json.field("heat", fact.heat);
  json.field("text", fact.text);
  json.end_object();
}

// null stands for a network without bound.
Resources resources_of(const Json& from) {
  Resources read;
  for (const Resource r : all_resources) {
    const Json& number = from.at(ballast::name_of(r));
    read[r] = number.is_null() ? unlimited : number.get<double>();
  }
  return read;
}

std::string text_or_empty(const Json& from) {
  return from.is_null() ? std::string() : from.get<std::string>();
}

wire::Fact fact_of(const Json& from) {
  wire::Fact fact;
  fact.kind = from.at("kind").get<std::string>();
  fact.age = duration_of_seconds(from.at("age_s").get<double>());
  fact.vm = VmId(text_or_empty(from.at("vm")));
  fact.host = HostId(text_or_empty(from.at("host")));
  fact.master = NodeId(text_or_empty(from.at("master")));
  fact.room = resources_of(from.at("room"));
  fact.capacity = resources_of(from.at("capacity"));
  fact.heat = from.at("heat").get<double>();
  fact.text = from.at("text").get<std::string>();
  return fact;
}

}  // namespace

std::string answer_json(const node::Question& question, const wire::Reply& reply) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("format", format_of(question.subject));
  const bool ok = reply.answered == wire::Answered::yes;
  json.field("ok", ok);
  if (!ok) json.field("error", reply.text);
  if (!question.vm.empty()) json.field("vm", question.vm.str());
  if (!question.host.empty()) json.field("host", question.host.str());
  json.field("text", reply.text);
  json.key("facts");
  json.begin_array();
  for (const wire::Fact& fact : reply.facts) write(json, fact);
  json.end_array();
  json.end_object();
  return out + "\n";
}

Result<wire::Reply> parse_answer(std::string_view text, const std::string& name) {
  try {
    const Json from = Json::parse(text);
    wire::Reply reply;
    reply.answered = from.at("ok").get<bool>() ? wire::Answered::yes : wire::Answered::no;
    if (reply.answered == wire::Answered::no) reply.text = from.at("error").get<std::string>();
    // A plain verdict says nothing more.
    if (!from.contains("format")) return reply;
    reply.text = from.at("text").get<std::string>();
    for (const Json& fact : from.at("facts")) reply.facts.push_back(fact_of(fact));
    return reply;
  } catch (const std::exception& wrong) {
    return Error{name + ": not an answer: " + std::string(wrong.what()).substr(0, 200)};
  }
}

}  // namespace ballast::files
