#include "hypervisor.h"

#include <utility>

#include "ballast/files/store.h"
#include "ballast/files/trace_folder.h"
#include "ballast/simulated/hypervisor.h"

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

}  // namespace

Result<std::unique_ptr<port::Hypervisor>> open_hypervisor(const Config& config) {
  if (config.hypervisor.kind == HypervisorKind::simulated) return open_simulated(config);
  return Error{
      "[hypervisor] kind is 'libvirt', which this version cannot drive yet; expected 'simulated'"};
}

}  // namespace ballast::daemon
