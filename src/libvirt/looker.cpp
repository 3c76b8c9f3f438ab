#include "looker.h"

#include "host_uuid.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
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

Looker::Looker(const Options& options, Census& census)
    : options_(options),
      census_(census),
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

Result<Look> Looker::look(Lane::Life& life) {
  Look look;
  Result<HostCounters> host = files_.read();
  if (!host) return host.error();
  look.host = *host;
  Result<Census::Taken> taken = census_.take(life);
  if (!taken) return taken.error();
  look.domains = std::move(taken->domains);
  for (DomainLook& domain : look.domains)
    if (const auto job = block_jobs_.find(domain.uuid); job != block_jobs_.end())
      domain.block_job = job->second;
  descriptions_ = std::move(taken->descriptions);
  look.at_s = now_s();
  return look;
}

// A domain whose description cannot be had now (it is busy, or has just gone) keeps the one that is
// known.
void Looker::describe_all(Connection& connection, const Look& look) {
  DescribeOptions rules;
  rules.opt_in = options_.opt_in;
  rules.force_shared_paths = options_.force_shared_paths;
  rules.libvirt_takes_for_shared = [&](const std::string& path) {
    return storage_.libvirt_takes_for_shared(path);
  };
  rules.libvirt_takes_volume_for_shared = [&](const std::string& pool, const std::string& volume) {
    return storage_.libvirt_takes_volume_for_shared(connection, pool, volume);
  };
  rules.is_shared = [&](const std::string& path) { return storage_.is_shared(path); };
  rules.is_shared_volume = [&](const std::string& pool, const std::string& volume) {
    return storage_.is_shared_volume(connection, pool, volume);
  };
  std::map<std::string, Description> described;
  for (const DomainLook& domain : look.domains) {
    if (const auto xml = descriptions_.find(domain.uuid); xml != descriptions_.end()) {
      described.emplace(domain.uuid, describe(xml->second, rules));
    } else if (auto known = described_.find(domain.uuid); known != described_.end()) {
      described.insert(std::move(*known));
    }
  }
  described_ = std::move(described);
}

std::map<std::string, std::vector<std::string>> Looker::disks() const {
  std::map<std::string, std::vector<std::string>> disks;
  for (const auto& [uuid, description] : described_)
    if (description.immovable.empty() && !description.disks.empty())
      disks.emplace(uuid, description.disks);
  return disks;
}

std::set<VmId> Looker::forced() const {
  std::set<VmId> forced;
  for (const auto& [uuid, description] : described_)
    if (const auto id = ids_.find(uuid); description.forced && id != ids_.end())
      forced.insert(id->second);
  return forced;
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
  Result<Look> now = look(life);
  if (!now) return now.error();
  if (meter_.needs_another(*now)) {
    meter_.keep(*now);
    if (life.wait(options_.between_looks)) return stopping;
    began_s = now_s();
    now = look(life);
    if (!now) return now.error();
  }
  describe_all(connection, *now);
  set_gauges(*now, now_s() - began_s);
  Result<HostSample> sample = meter_.measure(*now, *shape_, described_);
  if (!sample) return sample;
  ids_.clear();
  for (const DomainLook& domain : now->domains) ids_.emplace(domain.uuid, id_of(domain));
  look_around(connection);
  sample->environment = environment_;
  return sample;
}

// As a number: who hears of it needs to know only that it is another. What cannot be had now is as
// it was.
void Looker::look_around(Connection& connection) {
  const Result<std::string> told = connection.environment();
  if (!told) return;
  std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a, 64 bits
  for (const char c : *told + "\n" + files_.surroundings()) {
    sum ^= static_cast<unsigned char>(c);
    sum *= 0x100000001b3;
  }
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum));
  environment_ = text;
}

std::string Looker::next_to_measure(const HostSample& sample) {
  std::string next;
  std::string first;
  for (const auto& [uuid, id] : ids_) {
    const bool wanted =
        std::any_of(sample.vms.begin(), sample.vms.end(), [&, &id = id](const VmSample& vm) {
          return vm.id == id && vm.movable && vm.presence == Presence::running;
        });
    if (!wanted) continue;
    if (first.empty()) first = uuid;
    if (uuid > measured_last_ && next.empty()) next = uuid;
  }
  measured_last_ = next.empty() ? first : next;
  return measured_last_;
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
