#include "real_connection.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "event_loop.h"
#include "fault.h"
#include "host_uuid.h"
#include "typed.h"

namespace ballast::libvirt {
namespace {

constexpr int keepalive_interval_s = 5;
constexpr unsigned keepalive_count = 3;

struct Freed {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
  void operator()(virStoragePoolPtr pool) const { virStoragePoolFree(pool); }
  void operator()(char* text) const { std::free(text); }
};
using Domain = std::unique_ptr<virDomain, Freed>;
using Pool = std::unique_ptr<virStoragePool, Freed>;
using Text = std::unique_ptr<char, Freed>;

// The last error of this thread.
Error failed(const std::string& what) {
  const char* text = virGetLastErrorMessage();
  return Error{what + ": " + (text == nullptr ? "libvirt does not say why" : text)};
}

DomainJob job_named(int operation) {
  switch (operation) {
    case VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: return DomainJob::outgoing;
    case VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: return DomainJob::incoming;
    default: return DomainJob::other;
  }
}

bool may_be_incoming(int state, int reason) {
  return state == VIR_DOMAIN_PAUSED &&
         (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_STARTING_UP);
}

// True when somebody has been busy with this domain's QEMU for so long that it may hang: what asks
// it too would wait with them.
bool seems_to_hang(const virDomainControlInfo& control) {
  constexpr unsigned long long busy_ms_max = 3000;
  const bool busy =
      control.state == VIR_DOMAIN_CONTROL_JOB || control.state == VIR_DOMAIN_CONTROL_OCCUPIED;
  return control.state == VIR_DOMAIN_CONTROL_ERROR || (busy && control.stateTime > busy_ms_max);
}

// Which job is at this active domain.
DomainJob job_of(virDomainPtr domain) {
  virDomainControlInfo control{};
  if (virDomainGetControlInfo(domain, &control, 0) != 0 || seems_to_hang(control))
    return DomainJob::unknown;
  int type = VIR_DOMAIN_JOB_NONE;
  TypedParams params;
  if (virDomainGetJobStats(domain, &type, &params.first, &params.count, 0) == 0) {
    if (type == VIR_DOMAIN_JOB_NONE) return DomainJob::none;
    const std::optional<double> operation = params.number(VIR_DOMAIN_JOB_OPERATION);
    return operation ? job_named(static_cast<int>(*operation)) : DomainJob::other;
  }
  // The side that takes a VM in has no statistics, and says so in this way.
  const int code = virGetLastErrorCode();
  if (code != VIR_ERR_OPERATION_UNSUPPORTED && code != VIR_ERR_OPERATION_INVALID)
    return DomainJob::unknown;
  int state = 0;
  int reason = 0;
  if (virDomainGetState(domain, &state, &reason, 0) != 0) return DomainJob::unknown;
  if (may_be_incoming(state, reason) || state == VIR_DOMAIN_RUNNING) return DomainJob::incoming;
  return state == VIR_DOMAIN_SHUTOFF ? DomainJob::none : DomainJob::unknown;
}

DomainLook look_at(const virDomainStatsRecord& record) {
  DomainLook look;
  const Typed params(record.params, record.nparams);
  look.name = virDomainGetName(record.dom);
  char uuid[VIR_UUID_STRING_BUFLEN] = {};
  if (virDomainGetUUIDString(record.dom, uuid) == 0) look.uuid = uuid;
  look.id = static_cast<int>(virDomainGetID(record.dom));
  look.standing.exists = true;
  look.standing.active = true;
  look.standing.state = static_cast<int>(params.number("state.state").value_or(-1));
  look.standing.reason = static_cast<int>(params.number("state.reason").value_or(0));
  look.vcpus = static_cast<std::uint32_t>(params.number("vcpu.current").value_or(0));
  const auto scaled = [&](const std::string& name, double factor) {
    std::optional<double> value = params.number(name);
    if (value) *value *= factor;
    return value;
  };
  look.cpu_s = scaled("cpu.time", 1e-9);
  look.vcpu_delay_s = params.sum("vcpu.", ".delay", 1e-9);
  look.balloon_mib = scaled("balloon.current", 1.0 / 1024);
  look.rss_mib = scaled("balloon.rss", 1.0 / 1024);
  // What the host's end of the interface sends, the guest receives.
  look.received_mbit = params.sum("net.", ".tx.bytes", 8e-6);
  look.sent_mbit = params.sum("net.", ".rx.bytes", 8e-6);
  if (params.number("dirtyrate.calc_status") == VIR_DOMAIN_DIRTYRATE_MEASURED)
    look.dirty_rate_mib_s = params.number("dirtyrate.megabytes_per_second");
  return look;
}

// What libvirt's callbacks may still touch after the connection's end.
struct Watched {
  std::atomic<bool> closed = false;
  std::mutex mutex;
  DomainEvent on_event;  // empty once nobody listens
};

void forget(void* opaque) { delete static_cast<std::shared_ptr<Watched>*>(opaque); }

void on_close(virConnectPtr, int, void* opaque) {
  (*static_cast<std::shared_ptr<Watched>*>(opaque))->closed = true;
}

int on_lifecycle(virConnectPtr, virDomainPtr domain, int, int, void* opaque) {
  const std::shared_ptr<Watched>& watched = *static_cast<std::shared_ptr<Watched>*>(opaque);
  const std::lock_guard lock(watched->mutex);
  if (watched->on_event) watched->on_event(virDomainGetName(domain));
  return 0;
}

class RealConnection final : public Connection {
 public:
  RealConnection(std::shared_ptr<EventLoop> loop, virConnectPtr connection,
                 const DomainEvent& on_event, bool one_by_one = false)
      : loop_(std::move(loop)), connection_(connection), one_by_one_(one_by_one) {
    watched_->on_event = on_event;
    virConnectSetKeepAlive(connection_, keepalive_interval_s, keepalive_count);
    auto* held = new std::shared_ptr<Watched>(watched_);
    if (virConnectRegisterCloseCallback(connection_, on_close, held, forget) != 0) forget(held);
    if (!on_event) return;
    held = new std::shared_ptr<Watched>(watched_);
    lifecycle_ =
        virConnectDomainEventRegisterAny(connection_, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), held, forget);
    if (lifecycle_ < 0) forget(held);
  }

  ~RealConnection() override {
    {
      const std::lock_guard lock(watched_->mutex);
      watched_->on_event = nullptr;
    }
    if (lifecycle_ >= 0) virConnectDomainEventDeregisterAny(connection_, lifecycle_);
    virConnectUnregisterCloseCallback(connection_, on_close);
    virConnectClose(connection_);
  }

  bool is_alive() override { return !watched_->closed && virConnectIsAlive(connection_) == 1; }

  Result<NodeFacts> node() override {
    virNodeInfo info{};
    if (virNodeGetInfo(connection_, &info) != 0) return failed("the host's CPUs and memory");
    NodeFacts facts;
    facts.mhz = info.mhz;
    facts.cpus = info.cpus;
    facts.memory_mib = static_cast<double>(info.memory) / 1024;
    const Text text(virConnectGetCapabilities(connection_));
    if (!text) return failed("the host's capabilities");
    facts.capabilities = text.get();
    return facts;
  }

  Result<std::vector<DomainLook>> domains() override {
    constexpr unsigned wanted = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL |
                                VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU |
                                VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_DIRTYRATE;
    // A domain that is busy gives what it can, instead of holding up the look at all the others.
    constexpr unsigned flags =
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;
    virDomainStatsRecordPtr* records = nullptr;
    int count = virConnectGetAllDomainStats(connection_, wanted, &records, flags);
    // A libvirt from before 4.5 does not know NOWAIT.
    if (count < 0 && one_by_one_)
      count = virConnectGetAllDomainStats(connection_, wanted, &records,
                                          VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE);
    if (count < 0 && one_by_one_) return each_domain();
    if (count < 0) return failed("the domains' statistics");
    const std::unique_ptr<virDomainStatsRecordPtr, void (*)(virDomainStatsRecordPtr*)> owner(
        records, virDomainStatsRecordListFree);
    // Known to libvirt without asking any QEMU: two questions for all of them.
    const auto persistent = active_with(VIR_CONNECT_LIST_DOMAINS_PERSISTENT);
    const auto started = active_with(VIR_CONNECT_LIST_DOMAINS_AUTOSTART);
    if (!persistent || !started) return failed("which domains are persistent, and which autostart");
    std::vector<DomainLook> looks;
    for (int i = 0; i < count; ++i) {
      looks.push_back(look_at(*records[i]));
      if (one_by_one_) fill(records[i]->dom, looks.back());
      looks.back().standing.job = job_of(records[i]->dom);
      looks.back().persistent = persistent->contains(looks.back().uuid);
      looks.back().autostart = started->contains(looks.back().uuid);
      looks.back().snapshots = std::max(0, virDomainSnapshotNum(records[i]->dom, 0));
    }
    return looks;
  }

  Result<std::string> description(const std::string& uuid) override {
    const Domain domain(virDomainLookupByUUIDString(connection_, uuid.c_str()));
    if (!domain) return failed("domain " + quoted(uuid));
    const Text text(virDomainGetXMLDesc(domain.get(), 0));
    if (!text) return failed("the description of domain " + quoted(uuid));
    return std::string(text.get());
  }

  Result<std::string> environment() override {
    unsigned long library = 0;
    unsigned long hypervisor = 0;
    if (virConnectGetLibVersion(connection_, &library) != 0 ||
        virConnectGetVersion(connection_, &hypervisor) != 0)
      return failed("the versions of libvirt and QEMU");
    std::vector<std::string> names;
    const auto collect = [&](int count, auto* list, auto name_of, auto free_one) {
      for (int i = 0; i < count; ++i) {
        names.emplace_back(name_of(list[i]));
        free_one(list[i]);
      }
      std::free(list);
    };
    virNetworkPtr* networks = nullptr;
    const int network_count =
        virConnectListAllNetworks(connection_, &networks, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    collect(network_count, networks, virNetworkGetName, virNetworkFree);
    virStoragePoolPtr* pools = nullptr;
    const int pool_count =
        virConnectListAllStoragePools(connection_, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
    collect(pool_count, pools, virStoragePoolGetName, virStoragePoolFree);
    std::sort(names.begin(), names.end());
    std::string text = std::to_string(library) + " " + std::to_string(hypervisor);
    for (const std::string& name : names) text += " " + name;
    return text;
  }

  Result<std::string> pool_description(const std::string& name) override {
    const Pool pool(virStoragePoolLookupByName(connection_, name.c_str()));
    if (!pool) return failed("storage pool " + quoted(name));
    const Text text(virStoragePoolGetXMLDesc(pool.get(), 0));
    if (!text) return failed("the description of storage pool " + quoted(name));
    return std::string(text.get());
  }

  Result<Standing> standing(const VmId& vm) override {
    const Domain domain = find(vm);
    if (!domain)
      return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN
                 ? Result<Standing>(Standing{})
                 : Result<Standing>(failed("domain " + quoted(vm.str())));
    Standing standing;
    standing.exists = true;
    const int active = virDomainIsActive(domain.get());
    if (active == 1) standing.job = job_of(domain.get());
    // After the job: a VM that starts to run in between is then seen as running, not as a stray.
    if (active < 0 || virDomainGetState(domain.get(), &standing.state, &standing.reason, 0) != 0) {
      return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN
                 ? Result<Standing>(Standing{})
                 : Result<Standing>(failed("the state of domain " + quoted(vm.str())));
    }
    standing.active = active == 1 && standing.state != VIR_DOMAIN_SHUTOFF;
    return standing;
  }

  Result<std::string> host_at(const std::string& connect_uri) override {
    virConnectPtr there = virConnectOpen(connect_uri.c_str());
    if (there == nullptr) return failed("asking the target's libvirt who it is");
    const RealConnection owner(loop_, there, {});
    const Text text(virConnectGetCapabilities(there));
    if (!text) return failed("asking the target's libvirt who it is");
    return host_uuid_in(text.get());
  }

  Result<bool> is_persistent(const VmId& vm) override {
    const Domain domain = find(vm);
    const int persistent = domain ? virDomainIsPersistent(domain.get()) : -1;
    if (persistent < 0) return failed("whether domain " + quoted(vm.str()) + " is persistent");
    return persistent == 1;
  }

  std::optional<MigrationProblem> migrate(const MigrationCall& call) override {
    const auto problem = [](const std::string& what) {
      const int code = virGetLastErrorCode();
      Error error = failed(what);
      const FaultOf fault = fault_of(code, error.message);
      return MigrationProblem{std::move(error.message), fault};
    };
    const Domain domain = find(call.vm);
    if (!domain) return problem("domain " + quoted(call.vm.str()));
    TypedParams params;
    params.add(VIR_MIGRATE_PARAM_URI, call.data_uri);
    if (call.bandwidth_mib_s > 0) params.add(VIR_MIGRATE_PARAM_BANDWIDTH, call.bandwidth_mib_s);
    unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_ABORT_ON_ERROR;
    if (call.persistent) flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
    if (call.encrypted) flags |= VIR_MIGRATE_TLS;
    if (call.forced) flags |= VIR_MIGRATE_UNSAFE;
    if (virDomainMigrateToURI3(domain.get(), call.connect_uri.c_str(), params.first,
                               static_cast<unsigned>(params.count), flags) != 0)
      return problem("libvirt");
    return std::nullopt;
  }

  Status set_autostart(const VmId& vm, bool autostart) override {
    const Domain domain = find(vm);
    if (!domain || virDomainSetAutostart(domain.get(), autostart ? 1 : 0) != 0)
      return failed("the autostart of " + quoted(vm.str()));
    return {};
  }

  Status abort(const VmId& vm) override {
    const Domain domain = find(vm);
    if (!domain || virDomainAbortJob(domain.get()) != 0)
      return failed("aborting the migration of " + quoted(vm.str()));
    return {};
  }

  Status measure_dirty_rate(const std::string& uuid) override {
    const Domain domain(virDomainLookupByUUIDString(connection_, uuid.c_str()));
    if (!domain ||
        virDomainStartDirtyRateCalc(domain.get(), 1, VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING) != 0)
      return failed("measuring how much memory domain " + quoted(uuid) + " writes");
    return {};
  }

  Result<bool> has_block_job(const std::string& uuid, const std::string& disk) override {
    const Domain domain(virDomainLookupByUUIDString(connection_, uuid.c_str()));
    virDomainBlockJobInfo info{};
    const int found = domain ? virDomainGetBlockJobInfo(domain.get(), disk.c_str(), &info, 0) : -1;
    if (found < 0) return failed("the block jobs of domain " + quoted(uuid));
    return found > 0;
  }

  Result<std::string> hostname() override {
    const Text text(virConnectGetHostname(connection_));
    if (!text) return failed("the host's name");
    return std::string(text.get());
  }

  Result<HostCounters> counters() override {
    HostCounters counters;
    int count = 0;
    if (virNodeGetCPUStats(connection_, VIR_NODE_CPU_STATS_ALL_CPUS, nullptr, &count, 0) == 0) {
      std::vector<virNodeCPUStats> stats(static_cast<std::size_t>(std::max(count, 0)));
      if (virNodeGetCPUStats(connection_, VIR_NODE_CPU_STATS_ALL_CPUS, stats.data(), &count, 0) !=
          0)
        return failed("the host's CPU times");
      for (const virNodeCPUStats& one : stats) {
        const std::string_view field = one.field;
        const double seconds = static_cast<double>(one.value) * 1e-9;
        const bool idle = field == VIR_NODE_CPU_STATS_IDLE || field == VIR_NODE_CPU_STATS_IOWAIT;
        const bool busy = field == VIR_NODE_CPU_STATS_KERNEL || field == VIR_NODE_CPU_STATS_USER ||
                          field == VIR_NODE_CPU_STATS_INTR;
        if (busy) counters.cpu_busy += seconds;
        if (busy || idle) counters.cpu_all += seconds;
      }
    }
    count = 0;
    if (virNodeGetMemoryStats(connection_, VIR_NODE_MEMORY_STATS_ALL_CELLS, nullptr, &count, 0) ==
        0) {
      std::vector<virNodeMemoryStats> stats(static_cast<std::size_t>(std::max(count, 0)));
      if (virNodeGetMemoryStats(connection_, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats.data(), &count,
                                0) != 0)
        return failed("the host's memory");
      for (const virNodeMemoryStats& one : stats) {
        const std::string_view field = one.field;
        const double mib = static_cast<double>(one.value) / 1024;
        if (field == VIR_NODE_MEMORY_STATS_TOTAL) {
          counters.memory_total_mib = mib;
        } else if (field == VIR_NODE_MEMORY_STATS_FREE || field == VIR_NODE_MEMORY_STATS_BUFFERS ||
                   field == VIR_NODE_MEMORY_STATS_CACHED) {
          counters.memory_available_mib += mib;
        }
      }
    }
    return counters;
  }

 private:
  // What the statistics of this driver leave out, of what every driver knows.
  static void fill(virDomainPtr domain, DomainLook& look) {
    virDomainInfo info{};
    if ((look.cpu_s && look.balloon_mib) || virDomainGetInfo(domain, &info) != 0) return;
    if (!look.cpu_s) look.cpu_s = static_cast<double>(info.cpuTime) * 1e-9;
    if (!look.balloon_mib) look.balloon_mib = static_cast<double>(info.memory) / 1024;
    if (look.vcpus == 0) look.vcpus = info.nrVirtCpu;
  }

  // Where the driver has no statistics of all domains.
  Result<std::vector<DomainLook>> each_domain() {
    virDomainPtr* domains = nullptr;
    const int count =
        virConnectListAllDomains(connection_, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (count < 0) return failed("the domains");
    std::vector<DomainLook> looks;
    for (int i = 0; i < count; ++i) {
      const Domain domain(domains[i]);
      virDomainStatsRecord record{domain.get(), nullptr, 0};
      DomainLook look = look_at(record);
      fill(domain.get(), look);
      if (virDomainGetState(domain.get(), &look.standing.state, &look.standing.reason, 0) != 0)
        continue;  // it has just gone
      look.standing.job = job_of(domain.get());
      look.snapshots = std::max(0, virDomainSnapshotNum(domain.get(), 0));
      looks.push_back(std::move(look));
    }
    std::free(domains);
    return looks;
  }

  // UUIDs of the active domains that have that property; nothing: libvirt does not say.
  std::optional<std::set<std::string>> active_with(unsigned property) {
    virDomainPtr* domains = nullptr;
    const int count =
        virConnectListAllDomains(connection_, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE | property);
    if (count < 0) return std::nullopt;
    std::set<std::string> uuids;
    for (int i = 0; i < count; ++i) {
      const Domain domain(domains[i]);
      char uuid[VIR_UUID_STRING_BUFLEN] = {};
      if (virDomainGetUUIDString(domain.get(), uuid) == 0) uuids.insert(uuid);
    }
    std::free(domains);
    return uuids;
  }

  Domain find(const VmId& vm) {
    Domain domain(virDomainLookupByName(connection_, vm.str().c_str()));
    if (!domain && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN && is_uuid(vm.str()))
      domain.reset(virDomainLookupByUUIDString(connection_, vm.str().c_str()));
    return domain;
  }

  static bool is_uuid(std::string_view text) {
    return text.size() == VIR_UUID_STRING_BUFLEN - 1 &&
           text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
  }

  std::shared_ptr<EventLoop> loop_;
  virConnectPtr connection_;
  bool one_by_one_;
  std::shared_ptr<Watched> watched_ = std::make_shared<Watched>();
  int lifecycle_ = -1;
};

class RealConnector final : public Connector {
 public:
  RealConnector(std::string uri, bool reads_only) : uri_(std::move(uri)), reads_only_(reads_only) {}

  Result<std::unique_ptr<Connection>> open(const DomainEvent& on_event) override {
    std::shared_ptr<EventLoop> loop = EventLoop::shared();
    if (!loop) return Error{"libvirt cannot be initialised in this process"};
    virConnectPtr connection =
        reads_only_ ? virConnectOpenReadOnly(uri_.c_str()) : virConnectOpen(uri_.c_str());
    if (connection == nullptr) return failed("connecting to libvirt at " + quoted(uri_));
    return std::unique_ptr<Connection>(
        std::make_unique<RealConnection>(std::move(loop), connection, on_event, reads_only_));
  }

 private:
  std::string uri_;
  bool reads_only_;
};

}  // namespace

std::shared_ptr<Connector> real_connector(const std::string& uri) {
  return std::make_shared<RealConnector>(uri, false);
}

std::shared_ptr<Connector> reading_connector(const std::string& uri) {
  return std::make_shared<RealConnector>(uri, true);
}

}  // namespace ballast::libvirt
