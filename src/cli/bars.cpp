#include "bars.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ballast/cli/output.h"

namespace ballast::cli {
namespace {

constexpr const char* red = "\x1b[31m";
constexpr const char* bold = "\x1b[1m";
constexpr const char* plain = "\x1b[0m";

}  // namespace

std::string bar(double load, double capacity, double threshold, std::size_t width, bool colour) {
  const double share = capacity > 0 && std::isfinite(capacity) ? load / capacity : 0;
  const auto cells = [&](double part) {
    const double wide = std::round(part * static_cast<double>(width));
    return static_cast<std::size_t>(std::clamp(wide, 0.0, static_cast<double>(width)));
  };
  const std::size_t filled = cells(share);
  const std::size_t mark = std::min(cells(threshold), width - 1);
  const bool over = share > threshold + load_tolerance;
  std::string out = "[";
  if (colour && over) out += red;
  for (std::size_t i = 0; i < width; ++i) out += i == mark ? '|' : i < filled ? '#' : ' ';
  if (colour && over) out += plain;
  char percent[32];
  std::snprintf(percent, sizeof percent, "] %5.1f %%", std::min(share, 9.99) * 100);
  return out + percent;
}

std::vector<std::string> host_lines(const std::vector<node::HostView>& hosts, bool colour) {
  constexpr std::size_t cpu_width = 30;
  constexpr std::size_t memory_width = 16;
  std::size_t id_width = 4;
  for (const node::HostView& host : hosts) id_width = std::max(id_width, host.id.str().size());
  std::vector<std::string> lines;
  lines.push_back(padded("host", id_width + 2) + padded("role", 8) +
                  padded("CPU (| is the threshold)", cpu_width + 12) +
                  padded("memory", memory_width + 12) + " VMs  state");
  for (const node::HostView& host : hosts) {
    char vms[32];
    std::snprintf(vms, sizeof vms, "%4zu  ", host.vms);
    const bool marked = colour && host.state != "ok";
    const std::string state = marked ? std::string(bold) + host.state + plain : host.state;
    lines.push_back(
        padded(host.id.str(), id_width + 2) + padded(name_of(host.role), 8) +
        bar(host.load.cpu_mhz, host.capacity.cpu_mhz, host.thresholds.cpu, cpu_width, colour) +
        "  " +
        bar(host.load.memory_mib, host.capacity.memory_mib, host.thresholds.memory, memory_width,
            colour) +
        "  " + vms + state);
  }
  return lines;
}

std::string move_line(const node::MoveView& move) {
  return move.vm.str() + ": " + move.from.str() + " -> " + move.to.str() +
         (move.swap ? " (swap " + std::to_string(*move.swap) + ")" : "") + ", " + move.state +
         ": " + move.why;
}

}  // namespace ballast::cli
