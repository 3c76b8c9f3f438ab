#include "hypervisor.h"

#include "ballast/daemon/host_id.h"

#include <algorithm>
#include <utility>

#include "ballast/files/store.h"
#include "ballast/files/trace_folder.h"
#include "ballast/libvirt/hypervisor.h"
#include "ballast/simulated/hypervisor.h"
#include "identity.h"

namespace ballast::daemon {
namespace {

Result<std::unique_ptr<port::Hypervisor>> open_simulated(const Config& config) {
  Result<Trace> trace = files::read_trace(config.hypervisor.trace);
  if (!trace) return trace.error();
  const auto secret = files::read_small(config.hypervisor.trace + "/secret");
  if (!secret) return secret.error();
  simulated::Options options;
  options.host = config.node.id;
  options.trace = std::make_shared<const Trace>(std::move(trace).value());
  options.speed = config.hypervisor.speed;
  options.started_unix_s = config.hypervisor.started_unix_s;
  // A fast day has fast migrations, too.
  options.migration_speed = config.hypervisor.speed;
  options.listen = config.hypervisor.listen;
  options.secret = secret->value_or(config.node.cluster);
  options.state_file = config.node.state_dir + "/simulated.vms";
  if (config.migrate.bandwidth_mib_s > 0)
    options.timing.link_mib_s = config.migrate.bandwidth_mib_s;
  auto opened = simulated::SimulatedHypervisor::open(options);
  if (!opened) return opened.error();
  return std::unique_ptr<port::Hypervisor>(std::move(opened).value());
}

// The host of "tcp://HOST:PORT", without the brackets of an IPv6 address.
std::string host_of(const std::string& endpoint) {
  const std::string scheme = "tcp://";
  const std::size_t colon = endpoint.rfind(':');
  std::string host = endpoint.substr(scheme.size(), colon - scheme.size());
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

Result<std::unique_ptr<port::Hypervisor>> open_libvirt(const Config& config) {
  libvirt::Options options;
  options.uri = config.hypervisor.uri;
  options.address = config.migrate.address;
  if (options.address.empty()) {
    const Result<std::string> endpoint = endpoint_of(config.node, config.node.bind);
    if (!endpoint) return endpoint.error();
    options.address = host_of(*endpoint);
  }
  options.carrier = config.migrate.carrier;
  options.interface = config.hypervisor.interface;
  options.opt_in = config.hypervisor.opt_in;
  options.force_shared_paths = config.hypervisor.force_shared_paths;
  options.shared_paths = config.hypervisor.shared_paths;
  // A short rate is a rough one, but a sample must not wait for longer than it is asked for.
  options.between_looks = std::min(options.between_looks, config.sample.sample_interval);
  options.cpu_mhz = config.host.cpu_mhz;
  options.memory_mib = config.host.memory_mib;
  if (config.host.base) options.base_memory_mib = config.host.base->memory_mib;
  auto opened = libvirt::LibvirtHypervisor::open(options);
  if (!opened) return opened.error();
  return std::unique_ptr<port::Hypervisor>(std::move(opened).value());
}

}  // namespace

Result<std::unique_ptr<port::Hypervisor>> open_hypervisor(const Config& config) {
  if (config.hypervisor.kind == HypervisorKind::simulated) return open_simulated(config);
  return open_libvirt(config);
}

Result<NodeId> own_id(const Config& config) {
  if (config.hypervisor.kind != HypervisorKind::libvirt) return host_uuid();
  const Result<std::string> uuid = libvirt::host_uuid(config.hypervisor.uri);
  if (!uuid)
    return Error{uuid.error().message +
                 ": start libvirtd first, or set [node] id to the host's UUID"};
  return NodeId(*uuid);
}

}  // namespace ballast::daemon
