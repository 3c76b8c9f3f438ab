#include "host_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "ballast/base/limits.h"

namespace ballast::libvirt {
namespace {

constexpr int depth_max = 4;  // a VLAN on a bridge on a bond on a card
constexpr double mib = 1024.0 * 1024.0;

std::optional<double> number_in(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\n");
  if (start == std::string_view::npos) return std::nullopt;
  text.remove_prefix(start);
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || !(value >= -1e18 && value <= 1e18)) return std::nullopt;
  return value;
}

// What stands after `word` at the start of a line.
std::optional<std::string_view> after(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(word)) return line.substr(word.size());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < 16 && name != "." && name != ".." &&
         name.find_first_of("/ \t\n") == std::string_view::npos;
}

}  // namespace

bool parse_cpu_line(std::string_view text, HostCounters& into) {
  const std::optional<std::string_view> line = after(text, "cpu ");
  if (!line) return false;
  std::istringstream in{std::string(*line)};
  // user nice system idle iowait irq softirq steal; guests are in `user` already (proc(5)).
  std::vector<double> ticks((std::istream_iterator<double>(in)), {});
  if (ticks.size() < 4) return false;
  ticks.resize(8);
  const double idle = ticks[3] + ticks[4];
  const double all = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7] + idle;
  into.cpu_all = all;
  into.cpu_busy = all - idle;
  return true;
}

std::optional<double> parse_meminfo(std::string_view text, std::string_view name) {
  const std::optional<std::string_view> value = after(text, std::string(name) + ":");
  const std::optional<double> kib = value ? number_in(*value) : std::nullopt;
  if (!kib || *kib < 0) return std::nullopt;
  return *kib / 1024;
}

std::optional<double> parse_pressure(std::string_view text, std::string_view kind) {
  const std::optional<std::string_view> value = after(text, std::string(kind) + " avg10=");
  return value ? number_in(*value) : std::nullopt;
}

std::string parse_default_route(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string line;
  std::string found;
  double lowest = 0;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string name;
    std::string destination;
    std::string skipped;
    double metric = 0;
    fields >> name >> destination >> skipped >> skipped >> skipped >> skipped >> metric;
    if (!fields || destination != "00000000" || !is_interface_name(name)) continue;
    if (found.empty() || metric < lowest) {
      found = name;
      lowest = metric;
    }
  }
  return found;
}

HostFiles::HostFiles(std::string root, std::string interface)
    : root_(std::move(root)), interface_(std::move(interface)) {}

std::string HostFiles::text_of(const std::string& path) const {
  std::ifstream in(root_ + path, std::ios::binary);
  std::string text(limits::config_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string HostFiles::interface_now() const {
  if (!interface_.empty()) return interface_;
  return parse_default_route(text_of("/proc/net/route"));
}

double HostFiles::arc_reclaimable_mib() const {
  const std::string text = text_of("/proc/spl/kstat/zfs/arcstats");
  const auto value = [&](std::string_view name) -> double {
    const std::optional<std::string_view> rest = after(text, std::string(name) + " ");
    if (!rest) return 0;
    std::istringstream in{std::string(*rest)};
    double type = 0;
    double bytes = 0;
    in >> type >> bytes;
    return in ? bytes / mib : 0;
  };
  return std::max(0.0, value("size") - value("c_min"));
}

Result<HostCounters> HostFiles::read() const {
  HostCounters counters;
  if (!parse_cpu_line(text_of("/proc/stat"), counters))
    return Error{root_ + "/proc/stat: found no line 'cpu' with its times"};
  const std::string meminfo = text_of("/proc/meminfo");
  const std::optional<double> total = parse_meminfo(meminfo, "MemTotal");
  const std::optional<double> available = parse_meminfo(meminfo, "MemAvailable");
  if (!total || !available)
    return Error{root_ + "/proc/meminfo: found no MemTotal and MemAvailable"};
  counters.memory_total_mib = *total;
  counters.memory_available_mib = std::min(*total, *available + arc_reclaimable_mib());
  const std::string interface = interface_now();
  if (is_interface_name(interface)) {
    const std::string folder = "/sys/class/net/" + interface + "/statistics/";
    const auto mbit = [&](const char* name) {
      std::optional<double> bytes = number_in(text_of(folder + name));
      if (bytes) *bytes *= 8e-6;
      return bytes;
    };
    counters.received_mbit = mbit("rx_bytes");
    counters.sent_mbit = mbit("tx_bytes");
  }
  counters.pressure.cpu_some = parse_pressure(text_of("/proc/pressure/cpu"), "some");
  const std::string memory = text_of("/proc/pressure/memory");
  counters.pressure.memory_some = parse_pressure(memory, "some");
  counters.pressure.memory_full = parse_pressure(memory, "full");
  counters.pressure.io_full = parse_pressure(text_of("/proc/pressure/io"), "full");
  return counters;
}

// Cards and bonds say their speed; a bridge or a VLAN has that of what is below it. A veth or a tap
// claims one that means nothing.
std::optional<double> HostFiles::speed_of(const std::string& interface, int depth) const {
  namespace fs = std::filesystem;
  if (!is_interface_name(interface) || depth > depth_max) return std::nullopt;
  const std::string folder = "/sys/class/net/" + interface;
  std::error_code none;
  if (fs::exists(root_ + folder + "/device", none) ||
      fs::exists(root_ + folder + "/bonding", none)) {
    const std::optional<double> speed = number_in(text_of(folder + "/speed"));
    if (!speed || !(*speed > 0 && *speed <= limits::network_mbit_max)) return std::nullopt;
    return speed;
  }
  std::optional<double> fastest;
  for (fs::directory_iterator at(root_ + folder, none), end; !none && at != end;
       at.increment(none)) {
    const std::string name = at->path().filename();
    if (!name.starts_with("lower_")) continue;
    const std::optional<double> speed = speed_of(name.substr(6), depth + 1);
    if (speed && (!fastest || *speed > *fastest)) fastest = speed;
  }
  return fastest;
}

std::optional<double> HostFiles::network_speed_mbit() const { return speed_of(interface_now(), 0); }

std::optional<double> HostFiles::clock_mhz() const {
  for (const char* name : {"base_frequency", "cpuinfo_max_freq"}) {
    const std::optional<double> khz =
        number_in(text_of(std::string("/sys/devices/system/cpu/cpu0/cpufreq/") + name));
    if (khz && *khz > 0) return *khz / 1000;
  }
  return std::nullopt;
}

std::string HostFiles::surroundings() const {
  std::set<std::string> found;
  std::error_code error;
  const std::filesystem::path net(root_ + "/sys/class/net");
  for (std::filesystem::directory_iterator at(net, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code missing;
    if (std::filesystem::exists(at->path() / "bridge", missing))
      found.insert("bridge " + at->path().filename().string());
  }
  // Where libvirt and QEMU look when they are not told otherwise: their documents, "TLS".
  for (const char* file : {"/etc/pki/CA/cacert.pem", "/etc/pki/libvirt/servercert.pem",
                           "/etc/pki/libvirt/clientcert.pem", "/etc/pki/qemu/ca-cert.pem",
                           "/etc/pki/qemu/server-cert.pem", "/etc/pki/qemu/client-cert.pem"}) {
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(root_ + file, missing);
    if (!missing)
      found.insert(std::string(file) + " " + std::to_string(written.time_since_epoch().count()));
  }
  std::string text;
  for (const std::string& one : found) text += one + "\n";
  return text;
}

}  // namespace ballast::libvirt
