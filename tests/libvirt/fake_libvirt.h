// A libvirt that is slow, fails, lies and goes away, as the test wants. What it knows is shared by
// all its connections, as a libvirtd's is.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ballast/libvirt/hypervisor.h"
#include "common/eventually.h"
#include "common/folder.h"
#include "connection.h"

namespace ballast::libvirt {

// Calls wait here while it is shut.
class Gate {
 public:
  void shut() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  bool is_waited_at() {
    const std::lock_guard lock(mutex_);
    return waiting_ > 0 && !open_;
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
};

// What a fake libvirtd knows and does. Set it up, or change it under `mutex`.
struct FakeLibvirt {
  std::mutex mutex;
  NodeFacts node;
  std::map<std::string, DomainLook> domains;        // by name
  std::map<std::string, std::string> descriptions;  // by UUID
  std::optional<std::string> broken_domains;        // what a look fails with
  bool refuses_connections = false;
  std::set<int> dead_connections;
  std::optional<std::string> migration_fails;
  std::string environment = "as it was";
  std::string hostname = "h1";
  bool tells_counters = true;  // they go on from look to look
  HostCounters counters;
  std::map<std::string, std::string> hosts;  // UUIDs of other hosts, by URI
  std::vector<MigrationCall> migrations;
  std::vector<VmId> aborts;
  std::set<std::pair<std::string, std::string>> block_jobs;  // UUID and disk
  std::vector<std::string> measured;                         // dirty rates asked for, UUIDs
  int opened = 0;
  int open_now = 0;
  std::vector<DomainEvent> listeners;
  std::function<void()> describing;   // with each description
  std::function<void()> time_passes;  // with each look

  // A domain whose QEMU does not answer: who asks it first waits at `hung`, and whoever comes after
  // gets what libvirt knows without it.
  std::string hanging;
  bool is_waited_for = false;

  Gate hung;
  Gate rates;
  Gate opens;
  Gate looks;
  Gate questions;
  Gate moves;
  Gate closes;

  void tell(const std::string& name) {
    std::vector<DomainEvent> all;
    {
      const std::lock_guard lock(mutex);
      all = listeners;
    }
    for (const DomainEvent& one : all) one(name);
  }
  // libvirtd dies and is there again.
  void cut_all() {
    const std::lock_guard lock(mutex);
    for (int number = 1; number <= opened; ++number) dead_connections.insert(number);
    listeners.clear();
  }
  bool waits_for_the_hanging() {
    const std::lock_guard lock(mutex);
    return !hanging.empty() && !std::exchange(is_waited_for, true);
  }
  template <class What>
  void change(What what) {
    const std::lock_guard lock(mutex);
    what(*this);
  }
};

class FakeConnection final : public Connection {
 public:
  FakeConnection(std::shared_ptr<FakeLibvirt> libvirt, int number)
      : libvirt_(std::move(libvirt)), number_(number) {}
  ~FakeConnection() override {
    libvirt_->closes.pass();
    libvirt_->change([](FakeLibvirt& all) { --all.open_now; });
  }

  bool is_alive() override {
    const std::lock_guard lock(libvirt_->mutex);
    return !libvirt_->dead_connections.contains(number_);
  }
  Result<NodeFacts> node() override {
    const std::lock_guard lock(libvirt_->mutex);
    return libvirt_->node;
  }
  Result<std::vector<DomainLook>> domains() override {
    libvirt_->looks.pass();
    if (libvirt_->waits_for_the_hanging()) libvirt_->hung.pass();
    const std::lock_guard lock(libvirt_->mutex);
    if (libvirt_->dead_connections.contains(number_)) return Error{"the connection is gone"};
    if (libvirt_->broken_domains) return Error{*libvirt_->broken_domains};
    if (libvirt_->time_passes) libvirt_->time_passes();
    std::vector<DomainLook> looks;
    for (auto& [name, look] : libvirt_->domains) {
      looks.push_back(look);
      if (name == libvirt_->hanging) looks.back().standing.job = DomainJob::unknown;
      // A little more with each look, at whatever pace the test looks.
      if (look.cpu_s) *look.cpu_s += 1e-9;
    }
    return looks;
  }
  Result<HostCounters> counters() override {
    const std::lock_guard lock(libvirt_->mutex);
    if (libvirt_->tells_counters) {
      libvirt_->counters.cpu_busy += 1;
      libvirt_->counters.cpu_all += 4;
    }
    return libvirt_->counters;
  }
  Result<std::string> hostname() override {
    const std::lock_guard lock(libvirt_->mutex);
    return libvirt_->hostname;
  }
  Result<std::string> description(const std::string& uuid) override {
    if (libvirt_->describing) libvirt_->describing();
    const std::lock_guard lock(libvirt_->mutex);
    const auto found = libvirt_->descriptions.find(uuid);
    if (found == libvirt_->descriptions.end()) return Error{"no such domain"};
    return found->second;
  }
  Result<std::string> pool_description(const std::string&) override {
    return Error{"no such pool"};
  }
  Result<Standing> standing(const VmId& vm) override {
    libvirt_->questions.pass();
    const std::lock_guard lock(libvirt_->mutex);
    if (libvirt_->dead_connections.contains(number_)) return Error{"the connection is gone"};
    const auto found = libvirt_->domains.find(vm.str());
    return found == libvirt_->domains.end() ? Standing{} : found->second.standing;
  }
  Result<std::string> environment() override {
    const std::lock_guard lock(libvirt_->mutex);
    return libvirt_->environment;
  }
  Result<bool> is_persistent(const VmId& vm) override {
    const std::lock_guard lock(libvirt_->mutex);
    const auto found = libvirt_->domains.find(vm.str());
    return found == libvirt_->domains.end() || found->second.persistent;
  }
  Status set_autostart(const VmId& vm, bool autostart) override {
    const std::lock_guard lock(libvirt_->mutex);
    libvirt_->domains[vm.str()].autostart = autostart;
    return {};
  }
  Result<std::string> host_at(const std::string& connect_uri) override {
    const std::lock_guard lock(libvirt_->mutex);
    const auto found = libvirt_->hosts.find(connect_uri);
    if (found == libvirt_->hosts.end()) return Error{"nobody listens at " + connect_uri};
    return found->second;
  }
  std::optional<MigrationProblem> migrate(const MigrationCall& call) override {
    {
      const std::lock_guard lock(libvirt_->mutex);
      libvirt_->migrations.push_back(call);
    }
    libvirt_->moves.pass();
    const std::lock_guard lock(libvirt_->mutex);
    if (libvirt_->migration_fails) return MigrationProblem{*libvirt_->migration_fails, FaultOf::vm};
    libvirt_->domains.erase(call.vm.str());
    return std::nullopt;
  }
  Status abort(const VmId& vm) override {
    const std::lock_guard lock(libvirt_->mutex);
    libvirt_->aborts.push_back(vm);
    return {};
  }
  Result<bool> has_block_job(const std::string& uuid, const std::string& disk) override {
    libvirt_->rates.pass();
    const std::lock_guard lock(libvirt_->mutex);
    return libvirt_->block_jobs.contains({uuid, disk});
  }
  Status measure_dirty_rate(const std::string& uuid) override {
    libvirt_->change([&](FakeLibvirt& all) { all.measured.push_back(uuid); });
    libvirt_->rates.pass();
    return {};
  }

 private:
  std::shared_ptr<FakeLibvirt> libvirt_;
  int number_;
};

class FakeConnector final : public Connector {
 public:
  explicit FakeConnector(std::shared_ptr<FakeLibvirt> libvirt) : libvirt_(std::move(libvirt)) {}
  Result<std::unique_ptr<Connection>> open(const DomainEvent& on_event) override {
    libvirt_->opens.pass();
    const std::lock_guard lock(libvirt_->mutex);
    if (libvirt_->refuses_connections) return Error{"nobody listens"};
    ++libvirt_->open_now;
    if (on_event) libvirt_->listeners.push_back(on_event);
    return std::unique_ptr<Connection>(
        std::make_unique<FakeConnection>(libvirt_, ++libvirt_->opened));
  }

 private:
  std::shared_ptr<FakeLibvirt> libvirt_;
};

inline constexpr int running_state = 1;  // VIR_DOMAIN_RUNNING
inline constexpr int paused_state = 3;   // VIR_DOMAIN_PAUSED

inline DomainLook running(const std::string& name, double cpu_s = 10) {
  DomainLook look;
  look.name = name;
  look.uuid = "uuid-of-" + name;
  look.id = 1;
  look.standing = {true, true, running_state, 1, DomainJob::none};
  look.vcpus = 2;
  look.cpu_s = cpu_s;
  look.vcpu_delay_s = 0;
  look.balloon_mib = 1024;
  look.rss_mib = 600;
  look.received_mbit = 0;
  look.sent_mbit = 0;
  return look;
}

inline std::string plain_description(const std::string& devices = "",
                                     const std::string& more = "") {
  return "<domain type='kvm'><memory unit='KiB'>1048576</memory>"
         "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>" +
         more + "<devices>" + devices + "</devices></domain>";
}

// A folder with the few files of /proc and /sys that are read, and a libvirt to go with it.
class FakeHost {
 public:
  FakeHost() {
    libvirt->node = {2000, 4, 16384, ""};
    write("/proc/meminfo", "MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 12582912 kB\n");
    libvirt->time_passes = [this] { tick(); };
    tick();
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  // A look that was given up goes on in its thread and keeps the libvirt, but not this host. It
  // looks under the mutex, so that none is inside `tick` when the folder goes.
  ~FakeHost() {
    libvirt->change([](FakeLibvirt& all) { all.time_passes = nullptr; });
  }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void tick() {
    ++ticks_;
    write("/proc/stat", "cpu  " + std::to_string(ticks_) + " 0 0 " + std::to_string(3 * ticks_) +
                            " 0 0 0 0 0 0\n");
  }
  void add(const DomainLook& domain, const std::string& description = plain_description()) {
    const std::lock_guard lock(libvirt->mutex);
    libvirt->domains[domain.name] = domain;
    libvirt->descriptions[domain.uuid] = description;
  }
  std::string root() const { return folder_.path(); }

  Options options() const {
    Options options;
    options.address = "192.0.2.7";
    options.root = root();
    options.between_looks = Duration(0);
    return options;
  }
  std::unique_ptr<LibvirtHypervisor> open() const { return open(options()); }
  std::unique_ptr<LibvirtHypervisor> open(const Options& options) const {
    auto opened = LibvirtHypervisor::open(options, std::make_shared<FakeConnector>(libvirt));
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().message));
    return std::move(*opened);
  }

  std::shared_ptr<FakeLibvirt> libvirt = std::make_shared<FakeLibvirt>();

 private:
  Folder folder_;
  long ticks_ = 0;
};

// The next event of that kind; others are left out.
template <class Event>
std::optional<Event> next(LibvirtHypervisor& hypervisor) {
  std::optional<Event> found;
  (void)eventually([&] {
    for (HypervisorEvent& event : hypervisor.take_events()) {
      Event* wanted = std::get_if<Event>(&event);
      if (wanted != nullptr && !found) found = std::move(*wanted);
    }
    return found.has_value();
  });
  REQUIRE(found);
  return found;
}

}  // namespace ballast::libvirt
