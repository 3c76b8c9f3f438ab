// Damaged input of every kind: bytes flipped, cut, doubled and moved. Whatever comes out must be a
// value that keeps its promises, or an error of one line.
#include <string>

#include "ballast/base/random.h"
#include "ballast/files/config.h"
#include "ballast/files/input.h"
#include "ballast/files/snapshot_reader.h"
#include "ballast/files/trace_folder.h"
#include "common/folder.h"
#include "xz.h"

namespace ballast::files {
namespace {

std::string damaged(std::string text, Random& random) {
  const std::string tokens[] = {
      "{",    "}",  "[",     "]",    ",",    ":",   "\"",
      "-",    "0",  "1e999", "null", "true", "\\u", "NaN",
      "\xFF", "\n", ".",     "=",    "#",    "'",   "99999999999999999999"};
  const std::uint64_t times = 1 + random.below(4);
  for (std::uint64_t n = 0; n < times && !text.empty(); ++n) {
    const std::size_t at = random.below(text.size());
    const std::size_t length = random.below(std::min<std::size_t>(40, text.size() - at) + 1);
    switch (random.below(6)) {
      case 0: text[at] = static_cast<char>(random.below(256)); break;
      case 1: text.resize(at); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(random.below(text.size()), length)); break;
      case 4: text.insert(at, tokens[random.below(std::size(tokens))]); break;
      default: text[at] = static_cast<char>(text[at] ^ (1 << random.below(8))); break;
    }
  }
  return text;
}

void check_error(const Error& error) {
  CHECK_FALSE(error.message.empty());
  CHECK(error.message.size() < 2000);
  CHECK(error.message.find('\n') == std::string::npos);
}

const std::string snapshot_text = R"({"format": "ballast-snapshot/1",
 "thresholds": {"cpu": 0.8, "memory": 0.9, "network": 0.8},
 "hosts": [{"id": "h1", "cpu": 83200, "memory": 131072, "network": 10000, "maintenance": false,
            "base": {"cpu": 800, "memory": 4096, "network": 0}, "thresholds": {"cpu": 0.5}},
           {"id": "h2", "cpu": 83200, "memory": 131072}],
 "vms": [{"id": "v1", "host": "h1", "cpu": 8450, "memory": 8192, "network": 40, "movable": true},
         {"id": "v2", "host": "h2", "cpu": 1, "memory": 2}],
 "rules": [{"type": "anti_affinity", "vms": ["v1", "v2"]},
           {"type": "hosts", "vms": ["v1"], "hosts": ["h1", "h2"]}]})";

TEST_CASE("a damaged snapshot is an error or a good snapshot") {
  std::size_t good = 0;
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Result<Snapshot> snapshot = parse_snapshot(damaged(snapshot_text, random), "x");
    if (snapshot.ok()) {
      ++good;
      const Status status = check(*snapshot);
      CHECK_MESSAGE(status.ok(), status.error().message);
    } else {
      check_error(snapshot.error());
    }
  }
  CHECK(good > 0);
}

const std::string config_text = R"([node]
id = "n1"
role = "slave"
master = "m@tcp://10.0.0.1:7720"
seeds = ["10.1.0.1:7720"]
[plan]
mode = "auto"
target = 0.9
thresholds = {cpu = 0.5, memory = 0.6}
[hypervisor.base]
cpu = 10
)";

TEST_CASE("a damaged configuration is errors or a configuration in range") {
  std::size_t good = 0;
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const ConfigReading reading = parse_config(damaged(config_text, random), "x");
    for (const Error& error : reading.errors) check_error(error);
    if (!reading.errors.empty()) continue;
    ++good;
    CHECK(reading.config.plan.target > 0);
    CHECK(reading.config.plan.target <= 1);
    CHECK(reading.config.plan.thresholds.cpu > 0);
    CHECK(reading.config.plan.thresholds.cpu <= 1);
  }
  CHECK(good > 0);
}

TEST_CASE("a damaged trace is an error or a good trace") {
  const std::pair<std::string, std::string> whole[] = {
      {"hosts.csv", "host,cpu,memory,network,group\nh1,3720,24576,1000,g0\nh2,5320,24576,,g1\n"},
      {"vms.csv", "vm,host,cpu,memory,network\nv1,h1,2500,870,0\nv2,h2,500,613,5\n"},
      {"cpu.csv", "vm,t0,t1,t2\nv2,24,34.5,0\nv1,100,1e1,7\n"},
      {"memory.csv", "vm,t0,t1,t2\nv2,100,200,300\n"},
      {"trace.toml", "interval_s = 300\n[thresholds]\ncpu = 0.7\n"}};
  const Folder folder;
  for (const auto& [name, text] : whole) folder.write(name, text);
  std::size_t good = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::size_t hit = random.below(std::size(whole));
    folder.write(whole[hit].first, damaged(whole[hit].second, random));
    const Result<Trace> trace = read_trace(folder.path());
    folder.write(whole[hit].first, whole[hit].second);
    if (!trace.ok()) {
      check_error(trace.error());
      continue;
    }
    ++good;
    for (const TraceVm& vm : trace->vms) {
      CHECK(vm.host < trace->hosts.size());
      CHECK(vm.cpu_percent.size() == intervals_of(*trace));
    }
  }
  CHECK(good > 0);
}

TEST_CASE("damaged xz is an error or some content") {
  const Folder folder;
  const std::string whole = xz_of(snapshot_text);
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Result<std::string> bytes =
        read_input(folder.write("x.xz", damaged(whole, random)), 1U << 20U);
    if (!bytes.ok()) check_error(bytes.error());
  }
}

}  // namespace
}  // namespace ballast::files
