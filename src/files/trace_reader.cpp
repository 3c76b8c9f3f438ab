// Reads the files of a trace in the order in which they refer to each other: hosts, VMs, series.
#include <sys/stat.h>

#include <array>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "ballast/files/input.h"
#include "ballast/files/trace_folder.h"
#include "csv.h"
#include "json_text.h"
#include "toml.h"

namespace ballast::files {
namespace {

using Index = std::unordered_map<std::string, std::uint32_t>;
using Range = Csv::Range;

constexpr Range cpu_range{0, limits::cpu_mhz_max, false, "MHz"};
constexpr Range memory_range{0, limits::memory_mib_max, false, "MiB"};
constexpr Range network_range{0, limits::network_mbit_max, false, "Mbit/s"};
constexpr Range percent_range{0, limits::trace_percent_max, false, "% of the VM's cpu"};

constexpr Range above_zero(Range range) {
  range.above_low = true;
  return range;
}

constexpr const char* id_expected = "an id of 1 to 128 bytes of UTF-8 without quotes";

bool is_csv_id(std::string_view text) {
  return is_valid_id(text) && text.find('"') == std::string_view::npos;
}

bool exists(const std::string& path) {
  struct stat facts = {};
  return ::stat(path.c_str(), &facts) == 0;
}

// The one of FILE and FILE.xz that is there; the plain name when none is.
Result<std::string> pick(const std::string& folder, const char* file) {
  const std::string plain = folder + "/" + file;
  const std::string packed = plain + ".xz";
  if (!exists(packed)) return plain;
  if (exists(plain)) return Error{plain + ": found both it and " + packed + ", expected one"};
  return packed;
}

struct Reader {
  std::string folder;
  Trace trace;
  Index hosts;
  Index vms;

  Status hosts_csv();
  Status vms_csv();
  Status series_csv(const char* file, const Range& range, bool all_vms,
                    std::vector<float> TraceVm::*series);
  Status trace_toml();
};

// Opens a CSV file of the folder and checks the fixed names that its header starts with.
Status open_csv(Result<std::string> path, Result<std::string>& text) {
  if (!path) return path.error();
  text = read_input(*path);
  if (!text) return text.error();
  return {};
}

Status check_header(const Csv& csv, const std::string& path,
                    std::span<const std::string_view> expected) {
  std::string wanted;
  for (const std::string_view name : expected)
    wanted += (wanted.empty() ? "" : ",") + std::string(name);
  bool same = csv.header().size() == expected.size();
  std::string found;
  for (std::size_t n = 0; n < csv.header().size(); ++n) {
    same = same && csv.header()[n] == expected[n];
    found += (n == 0 ? "" : ",") + std::string(csv.header()[n]);
  }
  if (same) return {};
  return Error{path + ":1: found the header " + ballast::quoted(found) + ", expected " +
               ballast::quoted(wanted)};
}

Status Reader::hosts_csv() {
  constexpr std::array<std::string_view, 5> columns = {"host", "cpu", "memory", "network", "group"};
  const Result<std::string> path = pick(folder, "hosts.csv");
  Result<std::string> text = std::string();
  if (Status bad = open_csv(path, text); !bad) return bad;
  Csv csv(*path, std::move(*text));
  if (Status bad = csv.open(); !bad) return bad;
  if (Status bad = check_header(csv, *path, columns); !bad) return bad;
  while (csv.next()) {
    const auto& cells = csv.cells();
    TraceHost host;
    host.id = HostId(std::string(cells[0]));
    host.group = std::string(cells[4]);
    host.capacity.network_mbit = unlimited;
    const bool fine =
        (is_csv_id(cells[0]) || csv.wrong(0, id_expected)) &&
        csv.number(1, above_zero(cpu_range), host.capacity.cpu_mhz) &&
        csv.number(2, above_zero(memory_range), host.capacity.memory_mib) &&
        (cells[3].empty() ||
         csv.number(3, above_zero(network_range), host.capacity.network_mbit)) &&
        (cells[4].empty() || is_csv_id(cells[4]) || csv.wrong(4, id_expected)) &&
        (trace.hosts.size() < limits::snapshot_hosts_max || csv.wrong_row("too many hosts"));
    if (!fine) break;
    if (!hosts.emplace(host.id.str(), static_cast<std::uint32_t>(trace.hosts.size())).second) {
      csv.wrong(0, "every host once");
      break;
    }
    trace.hosts.push_back(std::move(host));
  }
  if (!csv.status()) return csv.status();
  if (trace.hosts.empty()) return Error{*path + ": found no host, expected at least one"};
  return {};
}

Status Reader::vms_csv() {
  constexpr std::array<std::string_view, 5> columns = {"vm", "host", "cpu", "memory", "network"};
  const Result<std::string> path = pick(folder, "vms.csv");
  Result<std::string> text = std::string();
  if (Status bad = open_csv(path, text); !bad) return bad;
  Csv csv(*path, std::move(*text));
  if (Status bad = csv.open(); !bad) return bad;
  if (Status bad = check_header(csv, *path, columns); !bad) return bad;
  while (csv.next()) {
    const auto& cells = csv.cells();
    TraceVm vm;
    vm.id = VmId(std::string(cells[0]));
    const auto host = hosts.find(std::string(cells[1]));
    const bool fine =
        (is_csv_id(cells[0]) || csv.wrong(0, id_expected)) &&
        (host != hosts.end() || csv.wrong(1, "a host of hosts.csv")) &&
        csv.number(2, above_zero(cpu_range), vm.size.cpu_mhz) &&
        csv.number(3, memory_range, vm.size.memory_mib) &&
        (cells[4].empty() || csv.number(4, network_range, vm.size.network_mbit)) &&
        (trace.vms.size() < limits::snapshot_vms_max || csv.wrong_row("too many VMs"));
    if (!fine) break;
    vm.host = host->second;
    if (!vms.emplace(vm.id.str(), static_cast<std::uint32_t>(trace.vms.size())).second) {
      csv.wrong(0, "every VM once");
      break;
    }
    trace.vms.push_back(std::move(vm));
  }
  return csv.status();
}

// Header vm,t0,t1,...: gives the number of intervals.
Result<std::size_t> intervals_in(const Csv& csv, const std::string& path) {
  const auto& header = csv.header();
  if (header.front() != "vm" || header.size() < 2)
    return Error{path + ":1: found the header " + ballast::quoted(header.front()) +
                 (header.size() < 2 ? "" : ", ...") + ", expected 'vm,t0,t1,...'"};
  for (std::size_t n = 1; n < header.size(); ++n) {
    const std::string expected = "t" + std::to_string(n - 1);
    if (header[n] == expected) continue;
    std::string wrong = path;
    wrong.append(":1: column ").append(std::to_string(n + 1)).append(": found ");
    wrong.append(ballast::quoted(header[n])).append(", expected '").append(expected).append("'");
    return Error{std::move(wrong)};
  }
  if (header.size() - 1 > limits::trace_intervals_max)
    return Error{path + ":1: found " + std::to_string(header.size() - 1) +
                 " intervals, expected at most " + std::to_string(limits::trace_intervals_max)};
  return header.size() - 1;
}

Status Reader::series_csv(const char* file, const Range& range, bool all_vms,
                          std::vector<float> TraceVm::*series) {
  const Result<std::string> path = pick(folder, file);
  Result<std::string> text = std::string();
  if (Status bad = open_csv(path, text); !bad) return bad;
  Csv csv(*path, std::move(*text));
  if (Status bad = csv.open(); !bad) return bad;
  const Result<std::size_t> intervals = intervals_in(csv, *path);
  if (!intervals) return intervals.error();
  if (const std::size_t known = intervals_of(trace); known != 0 && known != *intervals)
    return Error{*path + ":1: found " + std::to_string(*intervals) + " intervals, expected " +
                 std::to_string(known) + " as in cpu.csv"};
  std::size_t rows = 0;
  while (csv.next()) {
    const auto found = vms.find(std::string(csv.cells()[0]));
    if (found == vms.end()) {
      csv.wrong(0, "a VM of vms.csv");
      break;
    }
    std::vector<float>& values = trace.vms[found->second].*series;
    if (!values.empty()) {
      csv.wrong(0, "every VM once");
      break;
    }
    values.reserve(*intervals);
    double value = 0;
    for (std::size_t n = 1; n < csv.cells().size() && csv.number(n, range, value); ++n)
      values.push_back(static_cast<float>(value));
    ++rows;
  }
  if (!csv.status() || !all_vms || rows == trace.vms.size()) return csv.status();
  for (const TraceVm& vm : trace.vms) {
    if ((vm.*series).empty())
      return Error{*path + ": found no row for " + ballast::quoted(vm.id.str()) +
                   ", expected one for every VM of vms.csv"};
  }
  return {};
}

Status Reader::trace_toml() {
  const Result<std::string> path = pick(folder, "trace.toml");
  if (!path) return path.error();
  if (!exists(*path)) return {};
  const Result<std::string> text = read_input(*path, limits::config_bytes_max);
  if (!text) return text.error();
  const Result<toml::table> table = parse_toml(*text, *path);
  if (!table) return table.error();
  const auto wrong = [&](const toml::source_region& where, const std::string& message) {
    return Error{*path + ":" + std::to_string(where.begin.line) + ": " + message};
  };
  for (const auto& [key, node] : *table) {
    double seconds = 0;
    if (key == "interval_s") {
      if (!number_in(node, seconds) || !(seconds >= 0.001 && seconds <= 86400))
        return wrong(node.source(), "interval_s: found " + describe(node) +
                                        ", expected a number of seconds from 0.001 to 86400");
      trace.interval = duration_of_seconds(seconds);
    } else if (key == "thresholds" && node.is_table()) {
      for (const auto& [name, value] : *node.as_table()) {
        double threshold = 0;
        const Resource* r = nullptr;
        for (const Resource& each : all_resources)
          if (name == name_of(each)) r = &each;
        if (r == nullptr)
          return wrong(name.source(), "found the unknown key " + ballast::quoted(name.str()) +
                                          " in [thresholds], expected cpu, memory or network");
        if (!number_in(value, threshold) || !(threshold > 0 && threshold <= limits::threshold_max))
          return wrong(value.source(), "thresholds." + std::string(name.str()) + ": found " +
                                           describe(value) +
                                           ", expected a number above 0, at most 1");
        trace.thresholds[*r] = threshold;
      }
    } else {
      return wrong(key.source(), "found " + ballast::quoted(key.str()) +
                                     ", expected interval_s and the section [thresholds]");
    }
  }
  return {};
}

}  // namespace

Result<Trace> read_trace(const std::string& folder) {
  struct stat facts = {};
  if (::stat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode))
    return Error{folder + ": found no such folder, expected a trace (hosts.csv, vms.csv, cpu.csv)"};
  Reader reader;
  reader.folder = folder;
  if (Status bad = reader.trace_toml(); !bad) return bad.error();
  if (Status bad = reader.hosts_csv(); !bad) return bad.error();
  if (Status bad = reader.vms_csv(); !bad) return bad.error();
  if (Status bad = reader.series_csv("cpu.csv", percent_range, true, &TraceVm::cpu_percent); !bad)
    return bad.error();
  const Result<std::string> memory = pick(folder, "memory.csv");
  if (!memory) return memory.error();
  if (exists(*memory)) {
    if (Status bad = reader.series_csv("memory.csv", memory_range, false, &TraceVm::memory_mib);
        !bad)
      return bad.error();
  }
  return std::move(reader.trace);
}

}  // namespace ballast::files
