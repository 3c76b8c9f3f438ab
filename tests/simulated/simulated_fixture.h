// Three simulated hosts in one process, on real loopback, that can be killed and started again.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/simulated/hypervisor.h"
#include "common/eventually.h"
#include "common/folder.h"

namespace ballast::simulated {

inline std::shared_ptr<const Trace> three_hosts() {
  Trace trace;
  for (const char* name : {"h0", "h1", "h2"})
    trace.hosts.push_back({HostId(name), {40000, 16384, 10000}, "g0"});
  for (const char* name : {"v0", "v1", "v2"})
    trace.vms.push_back({VmId(name), 0, {4000, 1024, 10}, {50}, {}});
  return std::make_shared<const Trace>(std::move(trace));
}

class Hosts {
 public:
  explicit Hosts(bool persistent) : persistent_(persistent) {
    for (int h = 0; h < 3; ++h) start(h);
  }
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;
  Options options(int host) const {
    Options options;
    options.host = HostId("h" + std::to_string(host));
    options.trace = trace_;
    options.secret = "a secret of this test";
    options.migration_speed = 500;  // 1 GiB in 33 ms
    options.ask_again = std::chrono::milliseconds(10);
    if (persistent_) options.state_file = folder_.at("h" + std::to_string(host) + ".state");
    return options;
  }
  void start(int host) { start(host, options(host)); }
  void start(int host, const Options& options) {
    auto opened = SimulatedHypervisor::open(options);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().message));
    at(host) = std::move(*opened);
  }
  void end(int host) { at(host).reset(); }
  SimulatedHypervisor& operator[](int host) { return *at(host); }
  bool is_up(int host) { return at(host) != nullptr; }

  void migrate(const std::string& vm, int from, int to) {
    at(from)->submit(StartMigration{{HostId("h0"), 1, ++leases_}, VmId(vm), uri(to), 0});
  }
  std::string uri(int host) { return at(host)->migration_uri(); }

  // The next event of that kind; others are left out.
  template <class Event>
  Event next(int host) {
    std::optional<Event> found;
    const bool came = eventually([&] {
      std::vector<HypervisorEvent>& kept = events_.at(static_cast<std::size_t>(host));
      for (HypervisorEvent& event : at(host)->take_events()) kept.push_back(std::move(event));
      for (auto event = kept.begin(); event != kept.end(); ++event)
        if (Event* wanted = std::get_if<Event>(&*event)) {
          found = std::move(*wanted);
          kept.erase(event);
          return true;
        }
      return false;
    });
    REQUIRE(came);
    return *found;
  }
  HostSample sample(int host) {
    at(host)->submit(SampleHost{});
    return next<HostSampled>(host).sample;
  }
  Presence presence(int host, const std::string& vm) {
    at(host)->submit(QueryVm{VmId(vm)});
    return next<VmQueried>(host).presence;
  }
  bool becomes(int host, const std::string& vm, Presence wanted) {
    return eventually([&] { return presence(host, vm) == wanted; });
  }
  // Hosts that say they run it.
  int running(const std::string& vm) {
    int count = 0;
    for (int h = 0; h < 3; ++h) {
      if (!is_up(h) || at(h)->is_dead()) continue;
      const Presence here = presence(h, vm);
      count += here == Presence::running || here == Presence::outgoing;
    }
    return count;
  }

 private:
  std::unique_ptr<SimulatedHypervisor>& at(int host) {
    return hosts_.at(static_cast<std::size_t>(host));
  }

  bool persistent_;
  Folder folder_;  // outlives the hosts
  std::shared_ptr<const Trace> trace_ = three_hosts();
  std::array<std::unique_ptr<SimulatedHypervisor>, 3> hosts_;
  std::array<std::vector<HypervisorEvent>, 3> events_;
  std::uint64_t leases_ = 0;
};

}  // namespace ballast::simulated
