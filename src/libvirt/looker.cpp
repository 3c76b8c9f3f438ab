#include "looker.h"

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
  if (!(shape.mhz > 0))
    shape.mhz = options_.cpu_mhz ? *options_.cpu_mhz / shape.cpus : mhz_when_unknown;
  shape.memory_mib = node->memory_mib;
  shape.network_mbit = files_.network_speed_mbit().value_or(unlimited);
  shape_ = shape;
  return {};
}

Result<Look> Looker::look(Connection& connection) const {
  Look look;
  Result<HostCounters> host = files_.read();
  if (!host) return host.error();
  look.host = std::move(*host);
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
  Result<Look> now = look(connection);
  if (!now) return now.error();
  if (meter_.needs_another(*now)) {
    meter_.keep(*now);
    if (life.wait(options_.between_looks)) return stopping;
    now = look(connection);
    if (!now) return now.error();
  }
  describe_all(connection, *now);
  return meter_.measure(*now, *shape_, described_);
}

}  // namespace ballast::libvirt
