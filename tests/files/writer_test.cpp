#include <doctest/doctest.h>

#include "ballast/files/json_writer.h"
#include "ballast/files/plan_writer.h"

namespace ballast::files {
namespace {

TEST_CASE("JSON comes out with its commas, nested as it was opened") {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("a", 1.5);
  json.key("b");
  json.begin_array();
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.null();
  json.integer(-3);
  json.end_array();
  json.field("c", true);
  json.field("d", "x");
  json.field("e", std::uint64_t{18446744073709551615U});
  json.end_object();
  CHECK(out == R"({"a":1.5,"b":[{},[],null,-3],"c":true,"d":"x","e":18446744073709551615})");
}

TEST_CASE("texts are escaped, and what is not UTF-8 or not a number of JSON cannot break out") {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  json.text("\"\\\n\x01\x7F h\xC3\xA9 \xFF");
  json.number(std::numeric_limits<double>::quiet_NaN());
  json.number(unlimited);
  json.number(0.1);
  json.end_array();
  CHECK(out == "[\"\\\"\\\\\\n\\u0001\\u007f h\xC3\xA9 ?\",null,null,0.1]");
}

TEST_CASE("a plan is written as ballast-plan/1") {
  Snapshot snapshot;
  for (const char* id : {"h1", "h2"}) {
    Host host;
    host.id = HostId(id);
    snapshot.hosts.push_back(host);
  }
  for (const char* id : {"v1", "v2"}) {
    Vm vm;
    vm.id = VmId(id);
    snapshot.vms.push_back(vm);
  }
  Plan plan;
  plan.migrations = {{0, 0, 1, 1, std::nullopt}, {1, 1, 0, 2, 1}};
  plan.surplus = {{1, 0, SurplusReason::no_memory}};
  plan.spare = {{1, {100, 200.5, unlimited}}};
  plan.overload_before = 0.25;
  plan.overloaded_before = 2;
  plan.lower_bound = 3;
  CHECK(plan_json(snapshot, plan, 1.25) ==
        R"({"format":"ballast-plan/1","migrations":[{"vm":"v1","from":"h1","to":"h2","step":1},)"
        R"({"vm":"v2","from":"h2","to":"h1","step":2,"swap":1}],)"
        R"("surplus":[{"vm":"v2","host":"h1","reason":"no_memory"}],)"
        R"("spare":[{"host":"h2","cpu":100,"memory":200.5,"network":null}],)"
        R"("overload_before":0.25,"overload_after":0,"overloaded_before":2,"overloaded_after":0,)"
        R"("lower_bound":3,"elapsed_ms":1.25})"
        "\n");
}

}  // namespace
}  // namespace ballast::files
