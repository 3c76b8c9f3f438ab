// What the host's own kernel says of it, read from /proc and /sys: Ballast runs on the host that it
// measures, and libvirt's answers to these questions are coarser.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ballast/base/result.h"

namespace ballast::libvirt {

// Share of the last ten seconds in which somebody waited for it, in percent (proc(5), PSI). Nothing
// where the kernel does not tell.
struct Pressure {
  std::optional<double> cpu_some;
  std::optional<double> memory_some;
  std::optional<double> memory_full;
  std::optional<double> io_full;
};

struct HostCounters {
  double cpu_busy = 0;  // ticks of all CPUs together since the start, in which they worked
  double cpu_all = 0;   // ... and in which they could have
  double memory_total_mib = 0;
  // Not used, or given back when somebody needs it: page cache, reclaimable slab, ZFS's ARC down to
  // its floor. Reserved huge pages are not in it.
  double memory_available_mib = 0;
  std::optional<double> received_mbit;  // on the host's interface since its start
  std::optional<double> sent_mbit;
  Pressure pressure;
};

class HostFiles {
 public:
  // `root` stands before /proc and /sys; `interface` empty: that of the default route.
  HostFiles(std::string root, std::string interface);

  Result<HostCounters> read() const;
  // Mbit/s; nothing when the interface is virtual or does not say: then it is no limit.
  std::optional<double> network_speed_mbit() const;
  // MHz of one CPU at its ordinary full speed; nothing where the kernel does not say. What is told
  // as the frequency of now falls while the host idles, and would make it shrink.
  std::optional<double> clock_mhz() const;
  // What decides which VMs can come that libvirt is not asked for: bridges, and the certificates of
  // migrations. Differs when one of them was changed.
  std::string surroundings() const;

 private:
  std::string text_of(const std::string& path) const;
  std::string interface_now() const;
  std::optional<double> speed_of(const std::string& interface, int depth) const;
  double arc_reclaimable_mib() const;

  std::string root_;
  std::string interface_;
};

// Of /proc/stat: the line "cpu". False when it is not there.
bool parse_cpu_line(std::string_view text, HostCounters& into);
// Of a file of "Name:  NUMBER kB" lines: MiB.
std::optional<double> parse_meminfo(std::string_view text, std::string_view name);
// "some avg10=..." or "full avg10=...".
std::optional<double> parse_pressure(std::string_view text, std::string_view kind);
// The interface of the route to everywhere with the lowest metric; empty when there is none.
std::string parse_default_route(std::string_view text);

}  // namespace ballast::libvirt
