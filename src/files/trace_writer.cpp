#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ballast/base/ids.h"
#include "ballast/files/trace_folder.h"
#include "descriptor.h"

namespace ballast::files {
namespace {

template <class Number>
void append(std::string& out, Number value) {
  std::array<char, 32> text;
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

void append_amounts(std::string& out, const Resources& amounts) {
  for (const Resource r : all_resources) {
    out += ',';
    if (amounts[r] != unlimited) append(out, amounts[r]);
  }
}

std::string hosts_csv(const Trace& trace) {
  std::string out = "host,cpu,memory,network,group\n";
  for (const TraceHost& host : trace.hosts) {
    out += host.id.str();
    append_amounts(out, host.capacity);
    out += "," + host.group + "\n";
  }
  return out;
}

std::string vms_csv(const Trace& trace) {
  std::string out = "vm,host,cpu,memory,network\n";
  for (const TraceVm& vm : trace.vms) {
    out += vm.id.str() + "," + trace.hosts[vm.host].id.str();
    append_amounts(out, vm.size);
    out += '\n';
  }
  return out;
}

// A series that ends early holds its last value, as load_at() does. VMs without one have no row.
std::string series_csv(const Trace& trace, std::vector<float> TraceVm::*series) {
  const std::size_t intervals = intervals_of(trace);
  std::string out = "vm";
  for (std::size_t n = 0; n < intervals; ++n) out += ",t" + std::to_string(n);
  out += '\n';
  for (const TraceVm& vm : trace.vms) {
    const std::vector<float>& values = vm.*series;
    if (values.empty()) continue;
    out += vm.id.str();
    for (std::size_t n = 0; n < intervals; ++n) {
      out += ',';
      append(out, values[std::min(n, values.size() - 1)]);
    }
    out += '\n';
  }
  return out;
}

std::string trace_toml(const Trace& trace) {
  std::string out = "interval_s = ";
  append(out, seconds_of(trace.interval));
  out += "\n\n[thresholds]\n";
  for (const Resource r : all_resources) {
    out += std::string(name_of(r)) + " = ";
    append(out, trace.thresholds[r]);
    out += '\n';
  }
  return out;
}

bool fits_csv(const std::string& text) {
  return text.find_first_of(",\"\r\n") == std::string::npos;
}

Status check_writable(const Trace& trace) {
  const auto unfit = [](const std::string& id) {
    return Error{"the id " + ballast::quoted(id) +
                 " holds a comma or a quote, expected one that CSV can hold"};
  };
  if (intervals_of(trace) == 0) return Error{"the trace has no interval, expected at least one"};
  for (const TraceHost& host : trace.hosts) {
    if (!fits_csv(host.id.str())) return unfit(host.id.str());
    if (!fits_csv(host.group)) return unfit(host.group);
  }
  for (const TraceVm& vm : trace.vms) {
    if (!fits_csv(vm.id.str())) return unfit(vm.id.str());
    if (vm.cpu_percent.empty())
      return Error{"VM " + ballast::quoted(vm.id.str()) + " has no CPU series, expected one"};
  }
  return {};
}

Status write_file(const std::string& path, const std::string& content) {
  constexpr mode_t readable_by_all = 0644;
  const Descriptor fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, readable_by_all));
  if (!fd.valid()) return Error{failed(path, "cannot be made")};
  if (!write_all(fd.get(), content)) return Error{failed(path, "cannot be written")};
  return {};
}

// A file of an earlier trace that would be read beside, or instead of, what is written now.
Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Error{failed(path, "cannot be removed")};
}

}  // namespace

Status write_trace(const std::string& folder, const Trace& trace) {
  constexpr mode_t folder_mode = 0755;
  if (Status bad = check_writable(trace); !bad) return bad;
  if (::mkdir(folder.c_str(), folder_mode) != 0 && errno != EEXIST)
    return Error{failed(folder, "the folder cannot be made")};
  const bool has_memory = std::any_of(trace.vms.begin(), trace.vms.end(),
                                      [](const TraceVm& vm) { return !vm.memory_mib.empty(); });
  struct File {
    const char* name;
    std::string content;
  };
  const std::array<File, 5> all = {
      File{"hosts.csv", hosts_csv(trace)},
      File{"vms.csv", vms_csv(trace)},
      File{"cpu.csv", series_csv(trace, &TraceVm::cpu_percent)},
      File{"memory.csv", has_memory ? series_csv(trace, &TraceVm::memory_mib) : std::string()},
      File{"trace.toml", trace_toml(trace)},
  };
  for (const File& file : all) {
    const std::string path = folder + "/" + file.name;
    if (Status bad = remove_file(path + ".xz"); !bad) return bad;
    Status done = file.content.empty() ? remove_file(path) : write_file(path, file.content);
    if (!done) return done;
  }
  return {};
}

}  // namespace ballast::files
