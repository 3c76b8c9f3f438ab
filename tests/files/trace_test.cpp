#include "ballast/files/trace_folder.h"

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "common/folder.h"
#include "xz.h"

namespace ballast::files {
namespace {

using Files = std::map<std::string, std::string>;

const Files good = {
    {"hosts.csv", "host,cpu,memory,network,group\nh1,3720,24576,1000,g0\nh2,5320,24576,,g1\n"},
    {"vms.csv", "vm,host,cpu,memory,network\nv1,h1,2500,870,0\nv2,h2,500,613,5\n"},
    {"cpu.csv", "vm,t0,t1,t2\nv2,24,34.5,0\nv1,100,1e1,7\n"},
    {"memory.csv", "vm,t0,t1,t2\nv2,100,200,300\n"},
    {"trace.toml", "interval_s = 300\n[thresholds]\ncpu = 0.7\n"},
};

Result<Trace> read(const Files& files) {
  const Folder folder;
  for (const auto& [name, text] : files) folder.write(name, text);
  return read_trace(folder.path());
}

TEST_CASE("a trace is read, rows in any order") {
  const Result<Trace> trace = read(good);
  REQUIRE_MESSAGE(trace.ok(), trace.error().message);
  CHECK(trace->interval == std::chrono::seconds(300));
  CHECK(trace->thresholds == Thresholds{0.7, 0.9, 0.8});
  REQUIRE(trace->hosts.size() == 2);
  CHECK(trace->hosts[0].capacity == Resources{3720, 24576, 1000});
  CHECK(trace->hosts[1].capacity.network_mbit == unlimited);
  CHECK(trace->hosts[1].group == "g1");
  REQUIRE(trace->vms.size() == 2);
  CHECK(trace->vms[0].cpu_percent == std::vector<float>{100, 10, 7});
  CHECK(trace->vms[1].cpu_percent == std::vector<float>{24, 34.5F, 0});
  CHECK(trace->vms[0].memory_mib.empty());
  CHECK(trace->vms[1].memory_mib == std::vector<float>{100, 200, 300});
  CHECK(trace->vms[1].host == 1);
}

TEST_CASE("files may be xz, lines may end in CR LF, memory.csv and trace.toml may be missing") {
  Files files;
  for (const char* name : {"hosts.csv", "vms.csv", "cpu.csv"})
    files[std::string(name) + ".xz"] = xz_of(good.at(name));
  CHECK(read(files).ok());
  files = good;
  files["cpu.csv"] = "vm,t0,t1,t2\r\nv2,24,34,0\r\nv1,100,1,7\r\n\r\n";
  CHECK(read(files).ok());
}

TEST_CASE("each mistake is one line with file, line, column, found and expected") {
  struct Case {
    std::string file;
    std::string text;
    std::vector<std::string> parts;
  };
  const std::string hosts = "host,cpu,memory,network,group\n";
  const std::string vms = "vm,host,cpu,memory,network\n";
  const std::string megabyte(1U << 20U, 'x');
  const std::vector<Case> cases = {
      {"hosts.csv", "", {"hosts.csv: is empty"}},
      {"hosts.csv", "host,cpu\n", {"hosts.csv:1:", "'host,cpu'", "'host,cpu,memory,network"}},
      {"hosts.csv", hosts, {"found no host"}},
      {"hosts.csv", hosts + "h1,1,1\n", {"hosts.csv:2: found 3 columns, expected 5"}},
      {"hosts.csv", hosts + "h1,0,1,1,g\n", {":2: column 2 (cpu): found '0'", "above 0", "MHz"}},
      {"hosts.csv", hosts + "h1,nan,1,1,g\n", {"(cpu): found 'nan'"}},
      {"hosts.csv", hosts + "h1,inf,1,1,g\n", {"(cpu): found 'inf'"}},
      {"hosts.csv", hosts + "h1,1e999,1,1,g\n", {"(cpu): found '1e999'"}},
      {"hosts.csv", hosts + "h1,-1,1,1,g\n", {"(cpu): found '-1'"}},
      {"hosts.csv", hosts + "h1,1x,1,1,g\n", {"(cpu): found '1x'"}},
      {"hosts.csv", hosts + "h1, 1,1,1,g\n", {"(cpu): found ' 1'"}},
      {"hosts.csv", hosts + "h1,,1,1,g\n", {"(cpu): found nothing"}},
      {"hosts.csv", hosts + "h1,1,1,0,g\n", {"(network): found '0'"}},
      {"hosts.csv", hosts + "h1,1,1e11,0,g\n", {"(memory): found '1e11'"}},
      {"hosts.csv", hosts + "h1,1,1,1,g\nh1,1,1,1,g\n", {":3: column 1 (host)", "once"}},
      {"hosts.csv", hosts + ",1,1,1,g\n", {"(host): found nothing"}},
      {"hosts.csv", hosts + megabyte + ",1,1,1,g\n", {"(host): found 'xxx", "1048576 bytes"}},
      {"hosts.csv", hosts + "\"h1\",1,1,1,g\n", {"(host): found '\"h1\"'", "without quotes"}},
      {"hosts.csv", hosts + "h\xFF,1,1,1,g\n", {"(host): found 'h?'"}},
      {"hosts.csv", megabyte, {"hosts.csv:1:", "expected 'host,cpu"}},
      {"vms.csv", vms + "v1,h9,1,1,0\n", {"vms.csv:2: column 2 (host): found 'h9'", "hosts.csv"}},
      {"vms.csv", vms + "v1,h1,1,1,0\nv1,h1,1,1,0\n", {":3: column 1 (vm)", "once"}},
      {"vms.csv", vms + "v1,h1,1,-1,0\n", {"(memory): found '-1'"}},
      {"cpu.csv", "vm\nv1\n", {"cpu.csv:1:", "'vm,t0,t1,...'"}},
      {"cpu.csv", "vm,t1,t2\n", {"cpu.csv:1: column 2: found 't1', expected 't0'"}},
      {"cpu.csv", "vm,t0\nv1,5\n", {"cpu.csv: found no row for 'v2'"}},
      {"cpu.csv", "vm,t0\nv1,5\nv1,5\nv2,5\n", {"cpu.csv:3: column 1 (vm)", "once"}},
      {"cpu.csv", "vm,t0\nv9,5\n", {"cpu.csv:2: column 1 (vm): found 'v9'", "vms.csv"}},
      {"cpu.csv", "vm,t0,t1\nv1,5\n", {"cpu.csv:2: found 2 columns, expected 3"}},
      {"cpu.csv", "vm,t0\nv1,5000\n", {"cpu.csv:2: column 2 (t0): found '5000'", "to 1000"}},
      {"memory.csv", "vm,t0\nv1,5\n", {"memory.csv:1: found 1 intervals, expected 3"}},
      {"memory.csv", "vm,t0,t1,t2\nv1,5,6,x\n", {"memory.csv:2: column 4 (t2): found 'x'"}},
      {"trace.toml", "interval_s = 0", {"trace.toml:1: interval_s: found 0"}},
      {"trace.toml", "interval_s = nan", {"interval_s: found nan"}},
      {"trace.toml", "interval = 5", {"trace.toml:1: found 'interval'"}},
      {"trace.toml", "[thresholds]\ncpu = 8", {"trace.toml:2: thresholds.cpu: found 8"}},
      {"trace.toml", "[thresholds]\ndisk = 1", {"trace.toml:2: found the unknown key 'disk'"}},
      {"trace.toml", "thresholds = 1", {"trace.toml:1: found 'thresholds'"}},
      {"trace.toml", "[", {"trace.toml:1:", "not TOML"}},
      {"cpu.csv.xz", xz_of("vm,t0\n"), {"cpu.csv: found both", "expected one"}},
      {"hosts.csv", xz_of(good.at("hosts.csv")).substr(0, 60), {"hosts.csv: xz data is cut"}},
      {"hosts.csv", "\xEF\xBB\xBF" + good.at("hosts.csv"), {"byte order mark"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.file);
    CAPTURE(each.text.substr(0, 200));
    Files files = good;
    files[each.file] = each.text;
    const Result<Trace> trace = read(files);
    REQUIRE_FALSE(trace.ok());
    const std::string& message = trace.error().message;
    CHECK_FALSE(holds(message, "\n"));
    CHECK(message.size() < 1000);
    for (const std::string& part : each.parts)
      CHECK_MESSAGE(holds(message, part), message << "  lacks  " << part);
  }
}

TEST_CASE("a folder that is not there, or lacks a file, is an error") {
  const Folder folder;
  CHECK(holds(read_trace(folder.at("none")).error().message, "found no such folder"));
  CHECK(holds(read_trace(folder.path()).error().message, "hosts.csv: cannot be opened"));
}

Trace random_trace(Random& random) {
  Trace trace;
  trace.interval = duration_of_seconds(static_cast<double>(1 + random.below(1000)) / 4);
  for (const Resource r : all_resources) trace.thresholds[r] = random.between(0.01, 1);
  const std::uint64_t hosts = 1 + random.below(5);
  for (std::uint64_t h = 0; h < hosts; ++h) {
    TraceHost host{HostId("h\xC3\xA9 " + std::to_string(h)), {}, random.chance(0.5) ? "g" : ""};
    host.capacity = {random.between(1, 1e5), random.between(1, 1e6),
                     random.chance(0.5) ? unlimited : random.between(1, 1e4)};
    trace.hosts.push_back(host);
  }
  const std::uint64_t vms = 1 + random.below(8);
  const std::uint64_t intervals = 1 + random.below(20);
  for (std::uint64_t v = 0; v < vms; ++v) {
    TraceVm vm{VmId("v" + std::to_string(v)),
               static_cast<std::uint32_t>(random.below(hosts)),
               {random.between(1, 5000), random.between(0, 9e4), random.between(0, 100)},
               {},
               {}};
    const bool memory = random.chance(0.5);
    for (std::uint64_t n = 0; n < intervals; ++n) {
      vm.cpu_percent.push_back(static_cast<float>(random.between(0, 100)));
      if (memory) vm.memory_mib.push_back(static_cast<float>(random.between(0, 1e5)));
    }
    trace.vms.push_back(std::move(vm));
  }
  return trace;
}

TEST_CASE("what was written reads back the same") {
  const Folder folder;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Trace trace = random_trace(random);
    const Status written = write_trace(folder.at("trace"), trace);
    REQUIRE_MESSAGE(written.ok(), written.error().message);
    const Result<Trace> back = read_trace(folder.at("trace"));
    REQUIRE_MESSAGE(back.ok(), back.error().message);
    CHECK(back->interval == trace.interval);
    CHECK(back->thresholds == trace.thresholds);
    REQUIRE(back->hosts.size() == trace.hosts.size());
    REQUIRE(back->vms.size() == trace.vms.size());
    for (std::size_t h = 0; h < trace.hosts.size(); ++h) {
      CHECK(back->hosts[h].id == trace.hosts[h].id);
      CHECK(back->hosts[h].capacity == trace.hosts[h].capacity);
      CHECK(back->hosts[h].group == trace.hosts[h].group);
    }
    for (std::size_t v = 0; v < trace.vms.size(); ++v) {
      CHECK(back->vms[v].id == trace.vms[v].id);
      CHECK(back->vms[v].host == trace.vms[v].host);
      CHECK(back->vms[v].size == trace.vms[v].size);
      CHECK(back->vms[v].cpu_percent == trace.vms[v].cpu_percent);
      CHECK(back->vms[v].memory_mib == trace.vms[v].memory_mib);
    }
  }
}

TEST_CASE("a trace that CSV cannot hold is refused, and nothing is written") {
  const Folder folder;
  Random random(1);
  Trace trace = random_trace(random);
  trace.hosts[0].id = HostId("a,b");
  const Status status = write_trace(folder.at("trace"), trace);
  REQUIRE_FALSE(status.ok());
  CHECK(holds(status.error().message, "'a,b' holds a comma"));
  CHECK_FALSE(std::filesystem::exists(folder.at("trace")));
  trace = random_trace(random);
  CHECK(holds(write_trace("/proc/ballast", trace).error().message, "cannot be made"));
}

}  // namespace
}  // namespace ballast::files
