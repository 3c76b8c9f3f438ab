#include "ballast/files/snapshot_reader.h"

#include <string>
#include <vector>

#include "common/folder.h"

namespace ballast::files {
namespace {

const std::string good = R"({
 "format": "ballast-snapshot/1",
 "thresholds": {"cpu": 0.7, "memory": 0.9},
 "vms": [
  {"id": "v1", "host": "h1", "cpu": 8450, "memory": 8192, "network": 40, "movable": true},
  {"id": "v2", "host": "h2", "cpu": 10, "memory": 1.5, "movable": false},
  {"id": "v3", "host": "h1", "cpu": 0, "memory": 0, "network": null}],
 "hosts": [
  {"id": "h1", "cpu": 83200, "memory": 131072, "network": 10000, "maintenance": true,
   "base": {"cpu": 800, "memory": 4096, "network": 0}, "thresholds": {"memory": 0.5}},
  {"id": "h2", "cpu": 5e4, "memory": 65536, "network": null},
  {"id": "h3", "cpu": 1, "memory": 1}],
 "rules": [
  {"type": "anti_affinity", "vms": ["v1", "v2"]},
  {"type": "affinity", "vms": ["v1", "v3"]},
  {"type": "hosts", "vms": ["v2"], "hosts": ["h2", "h3"]}]
})";

// The good snapshot with one part replaced by another.
std::string with(const std::string& part, const std::string& other) {
  const std::size_t at = good.find(part);
  REQUIRE(at != std::string::npos);
  std::string text = good;
  return text.replace(at, part.size(), other);
}

std::string error_of(const std::string& text) {
  const Result<Snapshot> snapshot = parse_snapshot(text, "file.json");
  if (snapshot.ok()) return "(no error)";
  const std::string& message = snapshot.error().message;
  CHECK(message.starts_with("file.json:"));
  CHECK_FALSE(holds(message, "\n"));
  CHECK(message.size() < 1000);
  return message;
}

TEST_CASE("a snapshot is read, whatever the order of its parts") {
  const Result<Snapshot> read = parse_snapshot(good, "file.json");
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  const Snapshot& s = *read;
  CHECK(check(s).ok());
  REQUIRE(s.hosts.size() == 3);
  REQUIRE(s.vms.size() == 3);
  REQUIRE(s.rules.size() == 3);
  CHECK(s.hosts[0].id.str() == "h1");
  CHECK(s.hosts[0].capacity == Resources{83200, 131072, 10000});
  CHECK(s.hosts[0].base == Resources{800, 4096, 0});
  CHECK(s.hosts[0].maintenance);
  CHECK(s.vms[0].load == Resources{8450, 8192, 40});
  CHECK(s.vms[0].host == 0);
  CHECK(s.vms[1].host == 1);
  CHECK_FALSE(s.vms[1].movable);
  CHECK(s.rules[0].type == RuleType::anti_affinity);
  CHECK(s.rules[1].vms == std::vector<VmIndex>{0, 2});
  CHECK(s.rules[2].hosts == std::vector<HostIndex>{1, 2});
}

TEST_CASE("what may be missing has the default of the design") {
  const Result<Snapshot> read = parse_snapshot(good, "file.json");
  REQUIRE(read.ok());
  CHECK(read->hosts[1].capacity.network_mbit == unlimited);
  CHECK(read->hosts[2].capacity.network_mbit == unlimited);
  CHECK(read->vms[1].load.network_mbit == 0);
  CHECK(read->vms[2].load.network_mbit == 0);
  CHECK(read->vms[2].movable);
  CHECK(read->vms[2].swing == Resources{});
  CHECK_FALSE(read->hosts[1].maintenance);
  CHECK(read->hosts[1].thresholds == Thresholds{0.7, 0.9, 0.8});
  CHECK(read->hosts[0].thresholds == Thresholds{0.7, 0.5, 0.8});
  CHECK(parse_snapshot(R"({"format":"ballast-snapshot/1","hosts":[],"vms":[]})", "x").ok());
}

TEST_CASE("how much a load swings may be told, each resource by itself") {
  const auto text = [](const std::string& swing) {
    return R"({"format":"ballast-snapshot/1","hosts":[{"id":"h","cpu":9,"memory":9}],
"vms":[{"id":"v","host":"h","cpu":1,"memory":1,"swing":)" +
           swing + "}]}";
  };
  const Result<Snapshot> read = parse_snapshot(text(R"({"cpu": 0.5})"), "x");
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(read->vms[0].swing == Resources{0.5, 0, 0});
  CHECK(check(*read).ok());
  for (const char* bad : {"1", R"({"cpu": -1})", R"({"cpu": null})", R"({"disk": 1})"}) {
    const Result<Snapshot> refused = parse_snapshot(text(bad), "x");
    REQUIRE_FALSE(refused.ok());
    CHECK_MESSAGE(refused.error().message.find("vms[0].swing") != std::string::npos,
                  refused.error().message);
  }
}

struct Case {
  std::string text;
  std::vector<std::string> parts;  // of the message
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    CAPTURE(each.text.substr(0, 200));
    const std::string message = error_of(each.text);
    for (const std::string& part : each.parts)
      CHECK_MESSAGE(holds(message, part), message << "  lacks  " << part);
  }
}

TEST_CASE("numbers that make no sense are errors with line, key, found and expected") {
  const std::string memory = "\"memory\": 65536";
  check_all({
      {with(memory, "\"memory\": -5"),
       {"file.json:11: hosts[1].memory (host 'h2')", "found -5", "a number above 0", "(MiB)"}},
      {with(memory, "\"memory\": 0"), {"hosts[1].memory", "found 0", "above 0"}},
      {with(memory, "\"memory\": -0.0"), {"hosts[1].memory", "found -0", "above 0"}},
      {with(memory, "\"memory\": NaN"), {":11:38: hosts[1].memory", "not JSON"}},
      {with(memory, "\"memory\": Infinity"), {"hosts[1].memory", "not JSON"}},
      {with(memory, "\"memory\": 1e999"), {"hosts[1].memory", "'1e999'", "too large"}},
      {with(memory, "\"memory\": 1e300"),
       {"hosts[1].memory", "found 1e+300", "at most 10000000000"}},
      {with(memory, "\"memory\": " + std::string(400, '9')), {"hosts[1].memory", "too large"}},
      {with(memory, "\"memory\": \"65536\""), {"hosts[1].memory", "found '65536'", "a number"}},
      {with(memory, "\"memory\": null"), {"hosts[1].memory", "found null", "a number"}},
      {with(memory, "\"memory\": true"), {"hosts[1].memory", "found true", "a number"}},
      {with(memory, "\"memory\": [1]"), {"hosts[1].memory", "found a list", "a number"}},
      {with(memory, "\"memory\": {}"), {"hosts[1].memory", "found an object", "a number"}},
      {with("\"network\": 10000", "\"network\": 0"), {"hosts[0].network", "found 0", "above 0"}},
      {with("\"cpu\": 8450", "\"cpu\": -1"), {"vms[0].cpu (vm 'v1')", "found -1", "(MHz)"}},
      {with("\"cpu\": 8450", "\"cpu\": 1e10"), {"vms[0].cpu", "to 1000000000"}},
      {with("\"cpu\": 800,", "\"cpu\": -800,"), {"hosts[0].base.cpu (host 'h1')", "from 0"}},
      {with("\"cpu\": 0.7", "\"cpu\": 0"), {":3: thresholds.cpu", "above 0, at most 1"}},
      {with("\"cpu\": 0.7", "\"cpu\": 70"), {"thresholds.cpu", "found 70", "at most 1"}},
      {with("\"memory\": 0.5", "\"memory\": 1.01"), {"hosts[0].thresholds.memory", "at most 1"}},
  });
}

TEST_CASE("ids that are doubled, unknown, empty or no text are errors") {
  const std::string megabyte(1U << 20U, 'x');
  check_all({
      {with("\"id\": \"h2\"", "\"id\": \"h1\""), {"hosts[1].id", "'h1' again", "hosts[0]"}},
      {with("\"id\": \"v2\"", "\"id\": \"v1\""), {"vms[1].id", "'v1' again", "vms[0]"}},
      {with("\"host\": \"h2\"", "\"host\": \"h9\""),
       {"vms[1].host (vm 'v2')", "found 'h9'", "a host in 'hosts'"}},
      {with("\"vms\": [\"v1\", \"v2\"]", "\"vms\": [\"v1\", \"v9\"]"),
       {"rules[0].vms[1]", "'v9'", "a vm in 'vms'"}},
      {with("[\"h2\", \"h3\"]", "[\"h2\", \"v1\"]"), {"rules[2].hosts[1]", "'v1'"}},
      {with("[\"v1\", \"v2\"]", "[\"v1\", \"v1\"]"), {"rules[0].vms", "twice"}},
      {with("\"id\": \"h2\"", "\"id\": \"\""), {"hosts[1].id", "found ''", "1 to 128 bytes"}},
      {with("\"id\": \"h2\"", "\"id\": 7"), {"hosts[1].id", "found 7", "an id"}},
      {with("\"id\": \"h2\"", "\"id\": \"a\\nb\""), {"hosts[1].id", "found 'a?b'"}},
      {with("\"id\": \"h2\"", "\"id\": \"a\\u0000\""), {"hosts[1].id", "an id"}},
      {with("\"id\": \"h2\"", "\"id\": \"" + megabyte + "\""),
       {"hosts[1].id", "(1048576 bytes)", "1 to 128 bytes"}},
      {with("\"host\": \"h2\"", "\"host\": \"" + megabyte + "\""), {"vms[1].host", "1048576"}},
      {with("\"h2\", \"h3\"", "\"" + megabyte + "\""), {"rules[2].hosts[0]", "1048576"}},
  });
}

TEST_CASE("keys that are unknown, doubled, missing or of the wrong kind are errors") {
  const std::string megabyte(1U << 20U, 'k');
  check_all({
      {with("\"maintenance\"", "\"maintenence\""),
       {":9: hosts[0] (host 'h1')", "unknown key 'maintenence'", "id, cpu, memory"}},
      {with("\"rules\"", "\"rulez\""), {"unknown key 'rulez'", "format, thresholds, hosts"}},
      {with("\"rules\"", "\"" + megabyte + "\""), {"unknown key 'kkk", "(1048576 bytes)"}},
      {with("\"movable\": true", "\"cpu\": 1"), {"vms[0].cpu", "a second time"}},
      {with("\"rules\": [", "\"vms\": ["), {"vms", "a second time"}},
      {with(", \"memory\": 65536", ""), {"hosts[1] (host 'h2')", "no 'memory'"}},
      {with("\"host\": \"h2\", ", ""), {"vms[1] (vm 'v2')", "no 'host'"}},
      {with("\"id\": \"v1\", ", ""), {"vms[0]", "no 'id'"}},
      {with("\"movable\": true", "\"movable\": 1"), {"vms[0].movable", "true or false"}},
      {with("\"maintenance\": true", "\"maintenance\": \"yes\""), {"hosts[0].maintenance"}},
      {with("\"format\": \"ballast-snapshot/1\",", ""), {"no 'format'", "ballast-snapshot/1"}},
      {with("snapshot/1", "snapshot/2"), {":2: format", "'ballast-snapshot/2'", "snapshot/1"}},
      {with("\"ballast-snapshot/1\"", "1"), {"format", "found 1", "ballast-snapshot/1"}},
      {with("\"affinity\"", "\"afinity\""), {"rules[1].type", "'afinity'", "'anti_affinity'"}},
      {with(", \"hosts\": [\"h2\", \"h3\"]", ""), {"rules[2]", "no 'hosts'"}},
      {with("[\"h2\", \"h3\"]", "[]"), {"rules[2]", "an empty 'hosts'"}},
      {with("\"vms\": [\"v1\", \"v2\"]", "\"vms\": []"), {"rules[0]", "an empty 'vms'"}},
      {with("\"vms\": [\"v1\", \"v2\"]", "\"vms\": [\"v1\"], \"hosts\": [\"h1\"]"),
       {"rules[0]", "found 'hosts'"}},
      {"[]", {"found a list", "an object"}},
      {"7", {"an object"}},
      {"\"text\"", {"found 'text'", "an object"}},
      {"null", {"found null", "an object"}},
      {"{\"hosts\": {}}", {"hosts", "found an object", "a list"}},
      {"{\"hosts\": [[]]}", {"hosts[0]", "found a list", "an object"}},
      {"{\"hosts\": [null]}", {"hosts[0]", "found null", "an object"}},
      {"{\"thresholds\": []}", {"thresholds", "found a list", "an object"}},
  });
}

TEST_CASE("bytes that are not JSON are errors with their line") {
  const std::string deep(200000, '[');
  std::string objects;
  for (int n = 0; n < 200000; ++n) objects += "{\"hosts\":";
  check_all({
      {"", {"is empty"}},
      {" \n\t ", {"is empty"}},
      {good.substr(0, good.find("\"rules\"")), {":13:", "not JSON", "unexpected end of input"}},
      {good + "{}", {"not JSON", "expected end of input"}},
      {good + "x", {"not JSON"}},
      {good + std::string(1, '\0'), {"zero byte"}},
      {"\xEF\xBB\xBF" + good, {":1:", "byte order mark"}},
      {"\xFF\xFE{", {"not JSON"}},
      {with("\"h2\"", "\"h\xC3\x28\""), {":6:27: vms[1].host", "not JSON", "UTF-8"}},
      {with("\"h2\"", "\"\\ud800\""), {":6:", "not JSON"}},
      {with("\"h2\"", "\"a\nb\""), {"not JSON"}},
      {with("\"vms\"", "'vms'"), {":4:", "not JSON"}},
      {std::string(1000, '\x01'), {"not JSON"}},
      {deep, {"found a list", "an object"}},
      {objects, {"hosts", "found an object", "a list"}},
      {"{\"hosts\":[" + deep, {"hosts[0]", "found a list"}},
      {"{\"x\":" + deep, {"unknown key 'x'"}},
      {"\"" + std::string(3U << 20U, 'a'), {"not JSON"}},
      {std::string(3U << 20U, '9'), {"too large"}},
  });
}

TEST_CASE("a host whose VMs are all idle while its CPU is busy is not usable") {
  const auto usable = [](const std::string& base_cpu, const std::string& vms) {
    const std::string text = R"({"format":"ballast-snapshot/1","hosts":[{"id":"h","cpu":100,)"
                             R"("memory":10,"base":{"cpu":)" +
                             base_cpu + R"(}}],"vms":[)" + vms + "]}";
    const Result<Snapshot> snapshot = parse_snapshot(text, "x");
    REQUIRE_MESSAGE(snapshot.ok(), snapshot.error().message);
    return snapshot->hosts[0].usable;
  };
  const std::string idle = R"({"id":"a","host":"h","cpu":0,"memory":1})";
  const std::string busy = R"({"id":"b","host":"h","cpu":1,"memory":1})";
  CHECK_FALSE(usable("90", idle));
  CHECK(usable("80", idle));
  CHECK(usable("90", idle + "," + busy));
  CHECK(usable("90", ""));
  CHECK(usable("0", idle));
}

}  // namespace
}  // namespace ballast::files
