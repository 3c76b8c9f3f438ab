#include "meter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/base/words.h"
#include "ballast/model/resources.h"

namespace ballast::libvirt {
namespace {

// QEMU's own threads work beside the vCPUs; counters and the clock are not read at one instant.
constexpr double extra_cpus = 4;
constexpr double slack = 1.25;
constexpr int shutting_down = 4;  // VIR_DOMAIN_SHUTDOWN

bool holds_here(Presence presence) {
  return presence == Presence::running || presence == Presence::outgoing;
}

// ... or nobody could tell: its guest ran on.
bool held_here(Presence presence) { return holds_here(presence) || presence == Presence::unknown; }

bool is_sensible(std::optional<double> value, double largest) {
  return value && *value >= 0 && *value <= largest;  // false for NaN
}

// What a look shows and the description does not: libvirt would refuse, or it is about to end.
std::string why_it_must_stay(const DomainLook& now, const Description& description) {
  if (!description.immovable.empty()) return description.immovable;
  if (now.standing.job == DomainJob::unknown) return "its QEMU does not answer";
  if (now.standing.job == DomainJob::other) return "a snapshot, backup or other job is running";
  if (!now.block_job.empty()) return "disk " + now.block_job + ": a block job is under way";
  if (now.snapshots > 0) return "libvirt moves no VM that has snapshots";
  if (now.standing.state == shutting_down) return "it is shutting down";
  return {};
}

double growth(const std::optional<double>& before, const std::optional<double>& now) {
  return before && now && *now >= *before ? *now - *before : 0;
}

// What the guest may use without asking: libvirt's word, else the description's.
double memory_of(const DomainLook& domain, const Description& description) {
  return domain.balloon_mib.value_or(description.memory_mib);
}

}  // namespace

VmId id_of(const DomainLook& domain) {
  return VmId(is_valid_id(domain.name) ? domain.name : domain.uuid);
}

const Meter::Before* Meter::before(const DomainLook& now) const {
  const auto found = domains_.find(now.uuid);
  if (found == domains_.end() || found->second.domain.id != now.id) return nullptr;
  const DomainLook& then = found->second.domain;
  if (!then.cpu_s || !now.cpu_s || *now.cpu_s < *then.cpu_s) return nullptr;
  // While it was coming its guest stood still: a part of an interval is not a rate.
  if (holds_here(presence_of(now.standing)) && !held_here(presence_of(then.standing)))
    return nullptr;
  return &found->second;
}

bool Meter::needs_another(const Look& look) const {
  if (!host_ || look.host.cpu_all <= host_->host.cpu_all) return true;
  return std::any_of(look.domains.begin(), look.domains.end(), [&](const DomainLook& domain) {
    return holds_here(presence_of(domain.standing)) && domain.cpu_s && before(domain) == nullptr;
  });
}

void Meter::keep(const Look& look) {
  if (!host_ || look.host.cpu_all < host_->host.cpu_all) host_ = Look{look.at_s, look.host, {}};
  for (const DomainLook& domain : look.domains) {
    if (before(domain) == nullptr)
      domains_.insert_or_assign(domain.uuid, Before{look.at_s, domain});
  }
}

std::optional<double> Meter::last_look_s() const {
  if (!host_) return std::nullopt;
  double last = host_->at_s;
  for (const auto& [uuid, known] : domains_) last = std::max(last, known.at_s);
  return last;
}

Result<VmSample> Meter::measure_vm(const Look& look, const DomainLook& now, const HostShape& shape,
                                   const Description& description, double& used_mhz) const {
  VmSample vm;
  vm.id = id_of(now);
  vm.presence = presence_of(now.standing);
  vm.immovable_reason = cleaned_text(why_it_must_stay(now, description), limits::vm_text_bytes_max);
  vm.movable = vm.immovable_reason.empty();
  vm.load.memory_mib = memory_of(now, description);
  if (!is_sensible(vm.load.memory_mib, limits::memory_mib_max))
    return Error{"the memory of VM " + quoted(now.name) + " is not a sensible number"};
  if (is_sensible(now.dirty_rate_mib_s, limits::dirty_rate_mib_s_max))
    vm.dirty_rate_mib_s = *now.dirty_rate_mib_s;
  vm.persistent = now.persistent;
  vm.autostart = now.autostart;
  used_mhz = 0;
  if (!holds_here(vm.presence)) return vm;
  if (!now.cpu_s) {
    vm.presence = Presence::unknown;
    vm.movable = false;
    vm.immovable_reason = "libvirt gives no CPU time of it";
    return vm;
  }
  const Before* then = before(now);
  if (then == nullptr || look.at_s <= then->at_s) {
    vm.movable = false;
    vm.immovable_reason = "it has only just come: no load known yet";
    return vm;
  }
  const double span_s = look.at_s - then->at_s;
  const double used = growth(then->domain.cpu_s, now.cpu_s) / span_s;
  const double vcpus = std::max<double>(now.vcpus, 1);
  if (used > (vcpus + extra_cpus) * slack)
    return Error{"the CPU time of VM " + quoted(now.name) + " rose by " + std::to_string(used) +
                 " s a second, with " + counted(now.vcpus, "vCPU")};
  const double waited = growth(then->domain.vcpu_delay_s, now.vcpu_delay_s) / span_s;
  const double wanted = std::max(used, std::min(used + waited, vcpus * description.cpu_share_max));
  used_mhz = used * shape.mhz;
  vm.load.cpu_mhz = wanted * shape.mhz;
  vm.load.network_mbit = std::max(growth(then->domain.received_mbit, now.received_mbit),
                                  growth(then->domain.sent_mbit, now.sent_mbit)) /
                         span_s;
  return vm;
}

void Meter::measure_network(const Look& look, HostSample& sample) {
  const double span_s = look.at_s - host_->at_s;
  const bool migrating = std::any_of(sample.vms.begin(), sample.vms.end(), [](const VmSample& vm) {
    return vm.presence == Presence::incoming || vm.presence == Presence::outgoing;
  });
  if (!migrating && span_s > 0) {
    double of_vms = 0;
    for (const VmSample& vm : sample.vms) of_vms += vm.load.network_mbit;
    const double carried = std::max(growth(host_->host.received_mbit, look.host.received_mbit),
                                    growth(host_->host.sent_mbit, look.host.sent_mbit)) /
                           span_s;
    base_network_mbit_ = std::max(0.0, carried - of_vms);
  }
  sample.base.network_mbit = base_network_mbit_;
}

// Where guests have not touched all that they may use, the host still counts the rest as available:
// it is promised, and so not free. Huge pages are taken when the guest starts, and are in no RSS.
Status Meter::measure_memory(const Look& look, const std::map<std::string, Description>& described,
                             HostSample& sample) const {
  double touched = 0;
  double promised = 0;
  for (const DomainLook& domain : look.domains) {
    const auto found = described.find(domain.uuid);
    const Description description = found == described.end() ? Description{} : found->second;
    const double held = memory_of(domain, description);
    promised += held;
    touched += description.huge_pages ? held : std::min(held, domain.rss_mib.value_or(held));
  }
  const double used = look.host.memory_total_mib - look.host.memory_available_mib;
  sample.base.memory_mib = std::max(0.0, used - touched);
  const double capacity = memory_mib_.value_or(sample.capacity.memory_mib);
  const double base = base_memory_mib_.value_or(sample.base.memory_mib);
  sample.memory_free_mib =
      std::max(0.0, std::min(look.host.memory_available_mib, capacity - base - promised));
  return {};
}

Result<HostSample> Meter::measure(const Look& look, const HostShape& shape,
                                  const std::map<std::string, Description>& described) {
  if (!host_ || look.at_s <= host_->at_s || look.host.cpu_all <= host_->host.cpu_all) {
    host_ = Look{look.at_s, look.host, {}};
    return Error{"the host's CPU times in /proc/stat do not go on"};
  }
  HostSample sample;
  sample.host = shape.host;
  sample.capacity = {shape.cpus * shape.mhz, shape.memory_mib, shape.network_mbit};
  const double busy =
      (look.host.cpu_busy - host_->host.cpu_busy) / (look.host.cpu_all - host_->host.cpu_all);
  if (!(busy >= 0 && busy <= 1)) {
    host_ = Look{look.at_s, look.host, {}};
    return Error{"the host's CPU times in /proc/stat make no sense"};
  }
  sample.cpu_used_mhz = busy * sample.capacity.cpu_mhz;
  double used_by_vms_mhz = 0;
  for (const DomainLook& domain : look.domains) {
    if (presence_of(domain.standing) == Presence::absent) continue;
    const auto found = described.find(domain.uuid);
    Description description;
    if (found == described.end()) {
      description.immovable = "libvirt does not describe it";
    } else {
      description = found->second;
    }
    double used_mhz = 0;
    Result<VmSample> vm = measure_vm(look, domain, shape, description, used_mhz);
    if (!vm) return vm.error();
    used_by_vms_mhz += used_mhz;
    sample.vms.push_back(std::move(*vm));
  }
  sample.base.cpu_mhz = std::max(0.0, sample.cpu_used_mhz - used_by_vms_mhz);
  measure_network(look, sample);
  if (Status done = measure_memory(look, described, sample); !done) return done.error();
  host_ = Look{look.at_s, look.host, {}};
  domains_.clear();
  for (const DomainLook& domain : look.domains)
    domains_.insert_or_assign(domain.uuid, Before{look.at_s, domain});
  return sample;
}

}  // namespace ballast::libvirt
