#include "looker.h"

#include "host_uuid.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ballast/model/resources.h"

namespace ballast::libvirt {
namespace {

// Where neither the kernel nor libvirt knows a clock and none is configured. It scales all CPU
// figures of this host alike; only a fleet of unlike hosts would notice.
constexpr double mhz_when_unknown = 2000;

double now_s() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

}  // namespace

Looker::Looker(const Options& options)
    : options_(options),
      files_(options.root, options.interface),
      storage_(options.shared_paths),
      meter_(options.memory_mib, options.base_memory_mib) {}

Status Looker::find_shape(Connection& connection) {
  if (shape_) return {};
  const Result<NodeFacts> node = connection.node();
  if (!node) return node.error();
  if (!(node->cpus > 0)) return Error{"libvirt says that this host has no CPU"};
  HostShape shape;
  shape.cpus = node->cpus;
  shape.mhz = files_.clock_mhz().value_or(node->mhz);
  if (!(shape.mhz > 0)) {
    shape.mhz = options_.cpu_mhz ? *options_.cpu_mhz / shape.cpus : mhz_when_unknown;
    gauges_["libvirt_clock_assumed_mhz"] = static_cast<std::uint64_t>(shape.mhz);
  }
  if (Result<std::string> uuid = host_uuid_in(node->capabilities); uuid) shape.host = *uuid;
  shape.memory_mib = node->memory_mib;
  shape.network_mbit = files_.network_speed_mbit().value_or(unlimited);
  shape_ = shape;
  return {};
}

Result<Look> Looker::look(Connection& connection) const {
  Look look;
  Result<HostCounters> host = files_.read();
  if (!host) return host.error();
  look.host = *host;
  Result<std::vector<DomainLook>> domains = connection.domains();
  if (!domains) return domains.error();
  look.domains = std::move(*domains);
  look.at_s = now_s();
  return look;
}

// A domain whose description cannot be had now (it is busy, or has just gone) keeps the one that is
// known.
void Looker::describe_all(Connection& connection, const Look& look) {
  DescribeOptions rules;
  rules.opt_in = options_.opt_in;
  rules.is_shared = [&](const std::string& path) { return storage_.is_shared(path); };
  rules.is_shared_volume = [&](const std::string& pool, const std::string& volume) {
    return storage_.is_shared_volume(connection, pool, volume);
  };
  std::map<std::string, Description> described;
  for (const DomainLook& domain : look.domains) {
    if (Result<std::string> xml = connection.description(domain.uuid); xml) {
      described.emplace(domain.uuid, describe(*xml, rules));
    } else if (auto known = described_.find(domain.uuid); known != described_.end()) {
      described.insert(std::move(*known));
    }
  }
  described_ = std::move(described);
}

Result<HostSample> Looker::sample(Connection& connection, Lane::Life& life) {
  if (const Status found = find_shape(connection); !found) return found.error();
  const auto rest_of = [&](double since_s) {
    return duration_of_seconds(since_s) + options_.between_looks - duration_of_seconds(now_s());
  };
  const Error stopping{"this node is stopping"};
  if (const std::optional<double> last = meter_.last_look_s();
      last && rest_of(*last) > Duration(0)) {
    if (life.wait(rest_of(*last))) return stopping;
  }
  double began_s = now_s();
  Result<Look> now = look(connection);
  if (!now) return now.error();
  if (meter_.needs_another(*now)) {
    meter_.keep(*now);
    if (life.wait(options_.between_looks)) return stopping;
    began_s = now_s();
    now = look(connection);
    if (!now) return now.error();
  }
  describe_all(connection, *now);
  set_gauges(*now, now_s() - began_s);
  Result<HostSample> sample = meter_.measure(*now, *shape_, described_);
  if (sample) measure_dirty_rate(connection, *sample, *now);
  return sample;
}

// One VM a sample, in turn, of those that could be moved: the figure is for plans, and changes
// slowly. What a later look finds is told.
void Looker::measure_dirty_rate(Connection& connection, const HostSample& sample,
                                const Look& look) {
  std::string next;
  std::string first;
  for (const DomainLook& domain : look.domains) {
    const VmId id = id_of(domain);
    const bool wanted = std::any_of(sample.vms.begin(), sample.vms.end(), [&](const VmSample& vm) {
      return vm.id == id && vm.movable && vm.presence == Presence::running;
    });
    if (!wanted) continue;
    if (first.empty() || domain.uuid < first) first = domain.uuid;
    if (domain.uuid > measured_last_ && (next.empty() || domain.uuid < next)) next = domain.uuid;
  }
  measured_last_ = next.empty() ? first : next;
  // One that cannot be measured has no known rate: that is no reason to distrust its host.
  if (!measured_last_.empty()) (void)connection.measure_dirty_rate(measured_last_);
}

void Looker::set_gauges(const Look& look, double took_s) {
  const auto set = [&](const char* name, std::optional<double> value, double factor) {
    if (value && *value >= 0 && *value < 1e9)
      gauges_[name] = static_cast<std::uint64_t>(*value * factor);
  };
  set("libvirt_sample_took_ms", took_s, 1000);
  const Pressure& pressure = look.host.pressure;
  set("pressure_cpu_some_permille", pressure.cpu_some, 10);
  set("pressure_memory_some_permille", pressure.memory_some, 10);
  set("pressure_memory_full_permille", pressure.memory_full, 10);
  set("pressure_io_full_permille", pressure.io_full, 10);
}

}  // namespace ballast::libvirt
