// The seam to libvirt: what the adapter asks of it, as plain values. One real connection
// (real_connection.h), and one fake in the tests that is slow, fails and lies. Every call may block
// for as long as libvirt likes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "host_files.h"
#include "presence.h"

namespace ballast::libvirt {

// What libvirt knows of the host. Zero: libvirt does not say.
struct NodeFacts {
  double mhz = 0;  // of one CPU
  double cpus = 0;
  double memory_mib = 0;
  std::string capabilities;  // XML
};

// One active domain at one look. Counters are since its QEMU started on this host.
struct DomainLook {
  std::string name;
  std::string uuid;
  int id = -1;  // of this run on this host
  Standing standing;
  int snapshots = 0;
  bool persistent = true;
  bool autostart = false;
  std::uint32_t vcpus = 0;
  std::optional<double> cpu_s;          // CPU time of all its threads
  std::optional<double> vcpu_delay_s;   // its vCPUs waited so long for a CPU
  std::optional<double> balloon_mib;    // what the guest may use without asking
  std::optional<double> rss_mib;        // of its QEMU
  std::optional<double> received_mbit;  // by the guest, on all its interfaces
  std::optional<double> sent_mbit;
  std::optional<double> dirty_rate_mib_s;
  std::string block_job;  // a disk that is being copied, pulled or committed; empty: none is known
};

struct MigrationCall {
  VmId vm;
  bool persistent = true;   // else it is a transient domain, and stays one
  std::string connect_uri;  // of the target's libvirtd
  std::string data_uri;     // where the memory goes
  bool encrypted = true;    // the memory, too
  std::uint64_t bandwidth_mib_s = 0;
  bool forced = false;  // also where libvirt takes a disk for local
};

struct MigrationProblem {
  std::string message;
  FaultOf fault = FaultOf::vm;
};

// Called on a thread of libvirt's: something happened to this domain.
using DomainEvent = std::function<void(const std::string& name)>;

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  virtual bool is_alive() = 0;
  virtual Result<NodeFacts> node() = 0;
  virtual Result<std::vector<DomainLook>> domains() = 0;
  // What libvirt tells of the host's own use, for who is on another host; what it does not tell is
  // 0 there: `cpu_all`, or `memory_total_mib`.
  virtual Result<HostCounters> counters() = 0;
  virtual Result<std::string> hostname() = 0;
  // The description of an active domain, as XML.
  virtual Result<std::string> description(const std::string& uuid) = 0;
  // What libvirt itself says of what this host offers to VMs that come: versions, networks, pools.
  virtual Result<std::string> environment() = 0;
  // A storage pool, as XML.
  virtual Result<std::string> pool_description(const std::string& pool) = 0;
  // Any domain of that name, else of that UUID.
  virtual Result<Standing> standing(const VmId& vm) = 0;
  // The UUID of the host whose libvirt answers at this URI.
  virtual Result<std::string> host_at(const std::string& connect_uri) = 0;
  virtual Result<bool> is_persistent(const VmId& vm) = 0;
  // Nothing when it went well.
  virtual std::optional<MigrationProblem> migrate(const MigrationCall& call) = 0;
  virtual Status abort(const VmId& vm) = 0;
  virtual Status set_autostart(const VmId& vm, bool autostart) = 0;
  // Measures for one second how much memory the guest writes, by sampling pages; a later look
  // tells.
  virtual Status measure_dirty_rate(const std::string& uuid) = 0;
  // Whether a job works on the images of that disk: a copy, a pull, a commit. Asks the domain's
  // QEMU.
  virtual Result<bool> has_block_job(const std::string& uuid, const std::string& disk) = 0;
};

class Connector {
 public:
  Connector() = default;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  virtual ~Connector() = default;

  // `on_event` (may be empty) is called until the connection is gone.
  virtual Result<std::unique_ptr<Connection>> open(const DomainEvent& on_event) = 0;
};

}  // namespace ballast::libvirt
