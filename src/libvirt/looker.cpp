#include "looker.h"

#include "host_uuid.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <utility>

#include "ballast/model/resources.h"
#include "xml.h"

namespace ballast::libvirt {
namespace {

// Where neither the kernel nor libvirt knows a clock and none is configured. It scales all CPU
// figures of this host alike; only a fleet of unlike hosts would notice.
constexpr double mhz_when_unknown = 2000;

// Of a file on another host.
FileSystem unseen(const std::string&) { return FileSystem::unclear; }

// Some processors tell their ordinary full speed; what libvirt tells otherwise is the speed of now.
std::optional<double> clock_in(const std::string& capabilities) {
  const std::optional<Document> document = Document::parse(capabilities);
  if (!document) return std::nullopt;
  for (const Element& counter : document->root().child("host").child("cpu").children("counter")) {
    if (counter.attribute_or_empty("name") != "tsc") continue;
    const std::string text = counter.attribute_or_empty("frequency");
    double hertz = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), hertz);
    if (read.ec == std::errc() && hertz >= 1e8 && hertz <= 1e11) return hertz / 1e6;
  }
  return std::nullopt;
}

double now_s() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

}  // namespace

Looker::Looker(const Options& options, Census& census)
    : options_(options),
      census_(census),
      files_(options.root, options.interface),
      storage_(options.shared_paths,
               options.afar ? Storage::Ask(unseen) : Storage::Ask(file_system_of)),
      meter_(options.memory_mib, options.base_memory_mib) {}

Status Looker::find_shape(Connection& connection) {
  if (shape_) return {};
  const Result<NodeFacts> node = connection.node();
  if (!node) return node.error();
  if (!(node->cpus > 0)) return Error{"libvirt says that this host has no CPU"};
  HostShape shape;
  shape.cpus = node->cpus;
  const std::optional<double> clock =
      options_.afar ? clock_in(node->capabilities) : files_.clock_mhz();
  clock_is_of_now_ = !clock;
  shape.mhz = clock.value_or(node->mhz);
  if (!(shape.mhz > 0)) {
    shape.mhz = options_.cpu_mhz ? *options_.cpu_mhz / shape.cpus : mhz_when_unknown;
    gauges_["libvirt_clock_assumed_mhz"] = static_cast<std::uint64_t>(shape.mhz);
  }
  if (Result<std::string> uuid = host_uuid_in(node->capabilities); uuid) shape.host = *uuid;
  shape.memory_mib = node->memory_mib;
  shape.network_mbit = unlimited;
  if (!options_.afar) shape.network_mbit = files_.network_speed_mbit().value_or(unlimited);
  shape_ = shape;
  return {};
}

// What libvirt does not tell is taken as nothing: the host then has no load but its VMs.
Result<HostCounters> Looker::counters(Connection& connection) {
  if (!options_.afar) return files_.read();
  Result<HostCounters> told = connection.counters();
  if (!told) return told;
  tells_cpu_ = told->cpu_all > last_told_.cpu_all && told->cpu_busy >= last_told_.cpu_busy;
  if (!tells_cpu_) {
    told->cpu_all = last_told_.cpu_all + 1;
    told->cpu_busy = last_told_.cpu_busy;
  }
  tells_memory_ = told->memory_total_mib > 0;
  if (!tells_memory_) told->memory_total_mib = told->memory_available_mib = shape_->memory_mib;
  last_told_ = *told;
  return told;
}

Result<Look> Looker::look(Connection& connection, Lane::Life& life) {
  Look look;
  Result<HostCounters> host = counters(connection);
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
  rules.knows_rules = options_.knows_rules;
  unseen_folders_.clear();
  rules.libvirt_takes_for_shared = [&](const std::string& path) {
    return storage_.libvirt_takes_for_shared(path);
  };
  rules.libvirt_takes_volume_for_shared = [&](const std::string& pool, const std::string& volume) {
    return storage_.libvirt_takes_volume_for_shared(connection, pool, volume);
  };
  rules.is_shared = [&](const std::string& path) {
    const std::optional<bool> shared = storage_.is_shared(path);
    if (options_.afar && shared == false && !is_below(path, "/dev"))
      unseen_folders_.insert(path.substr(0, path.rfind('/')));
    return shared;
  };
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

const Description* Looker::described(const VmId& vm) const {
  for (const auto& [uuid, id] : ids_) {
    if (id != vm) continue;
    const auto found = described_.find(uuid);
    return found == described_.end() ? nullptr : &found->second;
  }
  return nullptr;
}

std::vector<std::string> Looker::missing() const {
  std::vector<std::string> missing;
  if (!options_.afar) return missing;
  if (!tells_cpu_)
    missing.emplace_back(
        "its CPU use: only that of its VMs counts, as if it had no load of its own");
  if (!tells_memory_) missing.emplace_back("its memory in use: only that of its VMs counts");
  missing.emplace_back(
      "the speed of its network and its own use of it: taken for unlimited, and 0");
  if (clock_is_of_now_)
    missing.emplace_back("the clock of its CPUs at full speed: that of now is taken, " +
                         std::to_string(static_cast<long>(shape_ ? shape_->mhz : 0)) + " MHz");
  for (const std::string& folder : unseen_folders_)
    missing.push_back("whether " + (folder.empty() ? "/" : folder) +
                      " is the same on all hosts: VMs with a disk there count as immovable, unless "
                      "--shared-path says that it is");
  return missing;
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
  Result<Look> now = look(connection, life);
  if (!now) return now.error();
  if (meter_.needs_another(*now)) {
    meter_.keep(*now);
    if (life.wait(options_.between_looks)) return stopping;
    began_s = now_s();
    now = look(connection, life);
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
