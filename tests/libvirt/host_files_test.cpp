// What the kernel of a host says, in the forms that it says it in.
#include "host_files.h"

#include <doctest/doctest.h>

#include "fake_libvirt.h"

namespace ballast::libvirt {
namespace {

TEST_CASE("busy is all but idle and waiting for disks; guests are counted once") {
  HostCounters counters;
  REQUIRE(parse_cpu_line("cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3 4\n", counters));
  CHECK(counters.cpu_all == 100 + 20 + 30 + 400 + 50 + 6 + 7 + 8);
  CHECK(counters.cpu_busy == counters.cpu_all - 450);
  CHECK(parse_cpu_line("intr 0\ncpu  1 2 3 4\n", counters));
  for (const char* bad : {"", "cpu0 1 2 3 4", "cpu  1 2 3", "cpu  a b c d"})
    CHECK_FALSE(parse_cpu_line(bad, counters));
}

TEST_CASE("memory, pressure and routes are read, or are nothing") {
  CHECK(parse_meminfo("MemTotal:  2048 kB\nMemAvailable: 1024 kB\n", "MemAvailable") == 1.0);
  CHECK_FALSE(parse_meminfo("MemTotal:  2048 kB\n", "MemAvailable"));
  CHECK_FALSE(parse_meminfo("MemAvailable: x kB\n", "MemAvailable"));
  CHECK_FALSE(parse_meminfo("MemAvailable: -5 kB\n", "MemAvailable"));
  const std::string pressure =
      "some avg10=1.50 avg60=0.1 avg300=0 total=9\nfull avg10=0.25 avg60=0";
  CHECK(parse_pressure(pressure, "some") == 1.5);
  CHECK(parse_pressure(pressure, "full") == 0.25);
  CHECK_FALSE(parse_pressure("", "some"));
  const std::string routes =
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
      "eth1\t00000000\t0100000A\t0003\t0\t0\t200\t00000000\n"
      "br0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\n"
      "eth2\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\n";
  CHECK(parse_default_route(routes) == "br0");
  CHECK(parse_default_route("Iface\tDestination\n").empty());
}

TEST_CASE("caches that can be given back are available, ZFS's down to its floor") {
  FakeHost host;
  const HostFiles files(host.root(), "");
  CHECK(files.read()->memory_total_mib == 16384);
  CHECK(files.read()->memory_available_mib == 12288);
  host.write("/proc/spl/kstat/zfs/arcstats",
             "name type data\nc_min 4 536870912\nsize 4 1610612736\n");
  CHECK(files.read()->memory_available_mib == 12288 + 1024);
  host.write("/proc/spl/kstat/zfs/arcstats", "c_min 4 1\nsize 4 1e30\n");
  CHECK(files.read()->memory_available_mib == 16384);
}

TEST_CASE("files that are not there or not what they should be are an error that names them") {
  FakeHost host;
  const HostFiles files(host.root(), "");
  host.write("/proc/meminfo", "nonsense");
  CHECK(files.read().error().message.find("/proc/meminfo") != std::string::npos);
  host.write("/proc/stat", "");
  CHECK(files.read().error().message.find("/proc/stat") != std::string::npos);
}

TEST_CASE("the speed of a network is that of a card, also below bridges; a virtual one has none") {
  FakeHost host;
  host.write("/sys/class/net/eth0/device/x", "");
  host.write("/sys/class/net/eth0/speed", "10000\n");
  host.write("/sys/class/net/eth0/statistics/rx_bytes", "1000000\n");
  host.write("/sys/class/net/eth0/statistics/tx_bytes", "2000000\n");
  host.write("/sys/class/net/br0/lower_eth0/x", "");
  host.write("/sys/class/net/veth1/speed", "10000\n");
  host.write("/sys/class/net/eth9/device/x", "");
  host.write("/sys/class/net/eth9/speed", "-1\n");
  CHECK(HostFiles(host.root(), "eth0").network_speed_mbit() == 10000);
  CHECK(HostFiles(host.root(), "br0").network_speed_mbit() == 10000);
  CHECK_FALSE(HostFiles(host.root(), "veth1").network_speed_mbit());
  CHECK_FALSE(HostFiles(host.root(), "eth9").network_speed_mbit());
  CHECK_FALSE(HostFiles(host.root(), "none").network_speed_mbit());
  CHECK_FALSE(HostFiles(host.root(), "").network_speed_mbit());
  host.write("/proc/net/route", "h\nbr0\t00000000\t0\t3\t0\t0\t100\t0\n");
  CHECK(HostFiles(host.root(), "").network_speed_mbit() == 10000);
  CHECK(HostFiles(host.root(), "eth0").read()->received_mbit == 8);
  CHECK(HostFiles(host.root(), "eth0").read()->sent_mbit == 16);
}

TEST_CASE("the clock is the one of ordinary full speed, where the kernel tells it") {
  FakeHost host;
  const HostFiles files(host.root(), "");
  CHECK_FALSE(files.clock_mhz());
  host.write("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3500000\n");
  CHECK(files.clock_mhz() == 3500);
  host.write("/sys/devices/system/cpu/cpu0/cpufreq/base_frequency", "2400000\n");
  CHECK(files.clock_mhz() == 2400);
}

}  // namespace
}  // namespace ballast::libvirt
