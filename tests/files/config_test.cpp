#include "ballast/files/config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "ballast/base/limits.h"
#include "common/folder.h"
#include "xz.h"

namespace ballast::files {
namespace {

const std::string master = "[node]\nrole = \"master\"\n";

std::vector<std::string> errors_of(const std::string& text) {
  std::vector<std::string> messages;
  for (const Error& error : parse_config(text, "b.toml").errors) {
    CHECK(error.message.starts_with("b.toml"));
    CHECK_FALSE(holds(error.message, "\n"));
    CHECK(error.message.size() < 1000);
    messages.push_back(error.message);
  }
  return messages;
}

TEST_CASE("an empty file is the defaults, and a slave that cannot find a master says so") {
  CHECK(errors_of("").empty());
  const std::vector<std::string> errors = errors_of("[mesh]\nbeacon = \"\"\n");
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0], "node.master: found none and no mesh.beacon"));
  CHECK(errors_of(master).empty());
}

TEST_CASE("every kind of value is taken over") {
  const ConfigReading reading = parse_config(R"(
[node]
id = "n1"
role = "slave"
master = "m@1@tcp://10.0.0.1:7720"
seeds = ["10.1.0.1:7720", "[fe80::1]:7720"]
[sample]
sample_interval = 0.5
[plan]
mode = "auto"
dwell = 3
thresholds.cpu = 0.5
[security]
enabled = false
[hypervisor]
cpu = 1000
base = {cpu = 10}
thresholds.memory = 0.7
)",
                                             "b.toml");
  REQUIRE(reading.errors.empty());
  const Config& config = reading.config;
  CHECK(config.node.id.str() == "n1");
  REQUIRE(config.node.master.has_value());
  CHECK(config.node.master->id.str() == "m@1");
  CHECK(config.node.master->endpoint == "tcp://10.0.0.1:7720");
  CHECK(config.node.seeds.size() == 2);
  CHECK(config.sample.sample_interval == std::chrono::milliseconds(500));
  CHECK(config.plan.mode == Mode::act);
  CHECK(config.plan.dwell == 3);
  CHECK_FALSE(config.security.enabled);
  CHECK(config.host.cpu_mhz == 1000);
  CHECK(config.host.base == Resources{10, 0, 0});
  // What a host does not set for itself is the fleet's, not the built-in default.
  CHECK(config.host.thresholds == Thresholds{0.5, 0.7, 0.8});
}

TEST_CASE("flags win over the file, before settings are checked against each other") {
  const auto as_master = [](Config& config) { config.node.role = Role::master; };
  CHECK(parse_config("[node]\nrole = \"slave\"\n", "b.toml", as_master).errors.empty());
}

TEST_CASE("each mistake is one line with its line, key, found and expected") {
  struct Case {
    std::string text;
    std::vector<std::string> parts;
  };
  const std::string megabyte(900000, 'x');
  const std::vector<Case> cases = {
      {"[plan]\ntarget = 1.5", {":2: plan.target: found 1.5", "above 0, at most 1"}},
      {"[plan]\ntarget = nan", {":2: plan.target: found nan"}},
      {"[plan]\ntarget = inf", {"plan.target: found inf"}},
      {"[plan]\ntarget = 0", {"plan.target: found 0"}},
      {"[plan]\ntarget = \"1\"", {"plan.target: found '1'", "a number"}},
      {"[plan]\ndwell = 2.5", {"plan.dwell: found 2.5", "a whole number from 1 to 1000"}},
      {"[plan]\ndwell = 0", {"plan.dwell: found 0"}},
      {"[plan]\ndwell = -1", {"plan.dwell: found -1"}},
      {"[plan]\ndwell = 99999999999999999999", {":2:", "not TOML"}},
      {"[plan]\nmax_moves = 9223372036854775807", {"plan.max_moves: found 9223372036854775807"}},
      {"[plan]\nmode = \"act\"", {"plan.mode: found 'act'", "\"approve\" or \"auto\""}},
      {"[plan]\nmode = true", {"plan.mode: found true"}},
      {"[plan]\nmode = 1979-05-27", {"plan.mode: found a date"}},
      {"[plan]\nmoed = \"auto\"", {":2: found the unknown key 'moed' in [plan]", "mean 'mode'?"}},
      {"[sample]\ncooldown = 1", {"unknown key 'cooldown' in [sample]", "belongs in [plan]"}},
      {"[plan]\nzzz = 1", {"unknown key 'zzz' in [plan]", "conf/ballast.toml"}},
      {"[plam]\nmode = \"auto\"", {":1: found the unknown section 'plam'", "mean 'plan'?"}},
      {"cooldown = 5", {":1: found the unknown key 'cooldown' at the top", "in [plan]"}},
      {"plan = 5", {":1: plan: found 5, expected a section [plan]"}},
      {"[[plan]]\nmode = \"auto\"", {"plan: found a list, expected a section"}},
      {"[plan.mode]\nx = 1", {"plan.mode: found a section"}},
      {"[plan.thresholds]\ncpu = 80", {"plan.thresholds.cpu: found 80"}},
      {"[plan.thresholds]\ndisk = 0.5", {"unknown key 'disk' in [plan.thresholds]"}},
      {"[node]\nmaster = \"10.0.0.1:7720\"", {"node.master: found", "ID@tcp://HOST:PORT"}},
      {"[node]\nmaster = \"m@tcp://0.0.0.0:7720\"", {"node.master: found"}},
      {"[node]\nmaster = \"m@tcp://a:99999\"", {"node.master: found"}},
      {"[node]\nbind = \"0.0.0.0:7720\"", {"node.bind: found '0.0.0.0:7720'", "tcp://"}},
      {"[node]\nbind = \"tcp://a:+1\"", {"node.bind: found"}},
      {"[node]\nbind = \"tcp://a b:1\"", {"node.bind: found"}},
      {"[node]\nadvertise = \"tcp://*:1\"", {"node.advertise: found"}},
      {"[node]\nseeds = [1]", {"node.seeds: found a list", "HOST:PORT"}},
      {"[node]\nseeds = \"a:1\"", {"node.seeds: found 'a:1'", "a list"}},
      {"[node]\ncontrol = \"/" + std::string(107, 'x') + "\"", {"node.control", "107 bytes"}},
      {"[node]\nid = \"" + megabyte + "\"", {"node.id: found 'xxx", "(900000 bytes)"}},
      {"[node]\n" + megabyte + " = 1", {"unknown key 'xxx", "(900000 bytes)"}},
      {"[node]\ncluster = \"\"", {"node.cluster: found ''"}},
      {"[node]\ncluster = \"a\\nb\"", {"node.cluster: found 'a?b'"}},
      {"[security]\nenabled = 1", {"security.enabled: found 1", "true or false"}},
      {"[migrate]\nbandwidth = -1", {"migrate.bandwidth: found -1", "(MiB/s)"}},
      {"[hypervisor.base]\ncpu = -1", {"hypervisor.base.cpu: found -1", "(MHz)"}},
      {"[hypervisor]\ncpu = 0", {"hypervisor.cpu: found 0", "above 0"}},
      {"[hypervisor]\nkind = \"simulated\"", {"hypervisor.trace: found none"}},
      {"[hypervisor]\nkind = \"simulated\"", {"node.id: found none"}},
      {"[sample]\nsample_interval = 90",
       {":2: sample.sample_interval: found 90 s", "at most sample.report_interval (60 s)"}},
      {"[sample]\nreport_interval = 600", {":2: sample.report_interval", "plan.plan_interval"}},
      {"[node]\nid = \"a\"\nmaster = \"a@tcp://x:1\"", {":3: node.master", "own id 'a'"}},
      {"[node\n", {":1:", "not TOML"}},
      {"a = 1\na = 2", {":2:", "not TOML", "redefine"}},
      {"a = \"\xFF\"", {"not TOML"}},
      {"[node]\nid = \"h\xC3\xA9\" # \xC3\xA9\n\xC3\xA9 = 1", {":3:", "not TOML"}},
      {"[node]\nid = '''\n\xC3\xA9''''\n\xEF\xBA\xBF", {":4:", "not TOML"}},
      {"[1 [1", {"not TOML"}},
      {"a = 0\"\xC7\x9C", {"not TOML"}},
      {std::string("a = 1\n\0", 7), {":2: found a zero byte"}},
      {"\xEF\xBB\xBF[node]", {"byte order mark"}},
      {"a = " + std::string(200000, '['), {"not TOML", "depth"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text.substr(0, 200));
    std::string all;
    for (const std::string& error : errors_of(each.text)) all += error + "\n";
    for (const std::string& part : each.parts)
      CHECK_MESSAGE(holds(all, part), all << "  lacks  " << part);
  }
}

TEST_CASE("dotted keys of any depth are an error, however they are written") {
  std::string dots;
  for (int n = 0; n < 200000; ++n) dots += "a.";
  std::string inline_tables = "x = ";
  for (int n = 0; n < 15; ++n) {
    inline_tables += "{";
    for (int part = 0; part < 199; ++part) inline_tables += "a.";
    inline_tables += "a = ";
  }
  inline_tables += "1" + std::string(15, '}');
  for (const std::string& text :
       {dots + "a = 1", "[" + dots + "a]", "[[" + dots + "a]]", "x = {" + dots + "a = 1}",
        "x = [\"\"\"\n\"\"\", {" + dots + "a = 1}]", inline_tables}) {
    CAPTURE(text.substr(0, 100));
    CHECK_FALSE(errors_of(master + text).empty());
  }
}

TEST_CASE("all mistakes of a file are told, in the order of its lines, up to a bound") {
  const std::vector<std::string> errors = errors_of(
      "[plan]\ntarget = 2\nx = 1\n[migrate]\nincoming = 0\n[node]\nrole = \"boss\"\n"
      "[sample]\nsample_interval = 61\n[mesh]\nbeacon = \"\"\n");
  REQUIRE(errors.size() == 6);
  CHECK(holds(errors[0], "b.toml: node.master"));
  CHECK(holds(errors[1], "b.toml:2: "));
  CHECK(holds(errors[2], "b.toml:3: "));
  CHECK(holds(errors[3], "b.toml:5: "));
  CHECK(holds(errors[4], "b.toml:7: "));
  CHECK(holds(errors[5], "b.toml:9: "));
  std::string many = "[plan]\n";
  for (int n = 0; n < 5000; ++n) many += "k" + std::to_string(n) + " = 1\n";
  CHECK(errors_of(many).size() == limits::config_errors_max);
}

TEST_CASE("a file that cannot be read is an error") {
  const Folder folder;
  CHECK(holds(read_config(folder.path()).errors.at(0).message, "is a directory"));
  CHECK(holds(read_config(folder.at("none")).errors.at(0).message, "No such file"));
  CHECK(read_config(folder.write("ok.xz", xz_of(master))).errors.empty());
}

// The line of facts that conf/ballast.toml must have above each key.
std::string facts_of(const Setting& setting) {
  return "# " + (setting.unit.empty() ? "" : "[" + setting.unit + "] ") +
         (setting.default_value.empty() ? "no default; "
                                        : "default " + setting.default_value + "; ") +
         setting.expected;
}

std::string annotated_file() {
  const char* path = std::getenv("BALLAST_CONF");
  REQUIRE_MESSAGE(path != nullptr, "BALLAST_CONF names conf/ballast.toml");
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("conf/ballast.toml as it is shipped changes nothing") {
  const ConfigReading reading = parse_config(annotated_file(), "ballast.toml");
  CHECK(reading.errors.empty());
  for (const Setting& setting : settings())
    CHECK(value_of(reading.config, setting) == setting.default_value);
}

TEST_CASE("conf/ballast.toml explains every key, with its true default, unit and range") {
  const std::string text = annotated_file();
  std::string section;
  std::string above;
  std::set<std::string> explained;
  const std::regex header("\\[([a-z.]+)\\]");
  const std::regex entry("#([a-z_]+) = (.*)");
  std::smatch match;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (std::regex_match(line, match, header)) {
      section = match[1];
    } else if (std::regex_match(line, match, entry)) {
      const std::string path = section + "." + match[1].str();
      CAPTURE(path);
      CHECK(explained.insert(path).second);
      bool known = false;
      for (const Setting& setting : settings()) {
        if (setting.section != section || setting.key != match[1].str()) continue;
        known = true;
        CHECK(above == facts_of(setting));
        if (!setting.default_value.empty()) CHECK(match[2].str() == setting.default_value);
      }
      CHECK(known);
    }
    above = line;
  }
  for (const Setting& setting : settings())
    CHECK(explained.count(std::string(setting.section) + "." + std::string(setting.key)) == 1);
}

TEST_CASE("conf/ballast.toml with every key set is a good configuration") {
  const std::string text =
      std::regex_replace(annotated_file(), std::regex("\n#([a-z_]+ = )"), "\n$1");
  const ConfigReading reading = parse_config(text, "ballast.toml");
  for (const Error& error : reading.errors) FAIL_CHECK(error.message);
  for (const Setting& setting : settings()) {
    CAPTURE(setting.key);
    if (setting.default_value.empty()) {
      CHECK_FALSE(value_of(reading.config, setting).empty());
    } else {
      CHECK(value_of(reading.config, setting) == setting.default_value);
    }
  }
}

// Which keys those are is told in conf/ballast.toml, too: whoever adds one to either side finds
// this.
TEST_CASE("what a running node takes over is told apart from what needs a restart") {
  const std::set<std::string> live = {"migrate.outgoing", "migrate.incoming", "migrate.bandwidth",
                                      "migrate.timeout", "market.enabled"};
  const Config running;
  CHECK(change_of(running, running).taken.empty());
  CHECK(change_of(running, running).needs_restart.empty());
  const std::map<std::string, std::string> others = {{"plan.mode", "\"auto\""},
                                                     {"node.role", "\"master\""},
                                                     {"sample.estimator", "\"trend\""},
                                                     {"migrate.transport", "\"tcp\""},
                                                     {"node.master", "\"m@tcp://10.0.0.1:7720\""},
                                                     {"hypervisor.shared_paths", "[\"/srv\"]"},
                                                     {"hypervisor.trace", "\"/t\""},
                                                     {"hypervisor.uri", "\"qemu:///session\""},
                                                     {"hypervisor.kind", "\"simulated\""}};
  for (const Setting& setting : settings()) {
    const std::string key = std::string(setting.section) + "." + std::string(setting.key);
    CAPTURE(key);
    const std::string was = value_of(running, setting);
    std::string value = was == "true" ? "false" : was == "false" ? "true" : "1";
    if (const auto other = others.find(key); other != others.end()) value = other->second;
    if (value == was) value = "2";
    const auto text = [&](const std::string& with) {
      return "[" + std::string(setting.section) + "]\n" + std::string(setting.key) + " = " + with;
    };
    Config read = parse_config(text(value), "t").config;
    if (value_of(read, setting) == was) read = parse_config(text("0.5"), "t").config;
    if (value_of(read, setting) == was)
      read = parse_config(text("\"tcp://10.0.0.9:7799\""), "t").config;
    if (value_of(read, setting) == was) read = parse_config(text("\"10.0.0.9:7799\""), "t").config;
    if (value_of(read, setting) == was) read = parse_config(text("\"/x\""), "t").config;
    if (value_of(read, setting) == was) read = parse_config(text("[\"h:1\"]"), "t").config;
    if (value_of(read, setting) == was) read = parse_config(text("\"name\""), "t").config;
    REQUIRE(value_of(read, setting) != was);
    const ConfigChange change = change_of(running, read);
    const bool is_live =
        live.contains(key) || key.starts_with("plan.") || key.starts_with("hypervisor.thresholds.");
    CHECK(std::any_of(change.taken.begin(), change.taken.end(), [&](const std::string& line) {
            return line.starts_with(key + ": ");
          }) == is_live);
    CHECK(change.needs_restart.empty() == is_live);
    CHECK(value_of(change.config, setting) == (is_live ? value_of(read, setting) : was));
    const Result<ConfigChange> told = parse_change(change_json(change), "t");
    REQUIRE(told);
    CHECK(told->taken == change.taken);
    CHECK(told->needs_restart == change.needs_restart);
  }
}

}  // namespace
}  // namespace ballast::files
