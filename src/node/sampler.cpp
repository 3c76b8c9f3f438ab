#include "sampler.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/model/plausible.h"

namespace ballast::node {
namespace {

constexpr int missed_samples_max = 3;

Resources running_load(const HostSample& sample) {
  Resources sum = sample.base;
  for (const VmSample& vm : sample.vms) sum += vm.load;
  return sum;
}

// What no report could carry: it would be refused as a whole, and the host with it. Mends what may
// be mended. VMs are in order of their ids.
std::string why_untellable(HostSample& sample) {
  if (sample.vms.size() > limits::vms_per_host_max) {
    return "it has " + std::to_string(sample.vms.size()) + " VMs, at most " +
           std::to_string(limits::vms_per_host_max) + " can be told";
  }
  for (std::size_t i = 0; i < sample.vms.size(); ++i) {
    VmSample& vm = sample.vms[i];
    if (!is_valid_id(vm.id.str())) return "the id of a VM is not one";
    if (i > 0 && sample.vms[i - 1].id == vm.id)
      return "VM " + quoted(vm.id.str()) + " is there twice";
    const bool sensible =
        vm.dirty_rate_mib_s >= 0 && vm.dirty_rate_mib_s <= limits::dirty_rate_mib_s_max;
    if (!sensible) vm.dirty_rate_mib_s = 0;
  }
  return {};
}

}  // namespace

Sampler::Sampler(TimePoint now, const Config& config, const StoredState& stored)
    : config_(config),
      settings_(config.sample),
      host_(config.host),
      last_at_(now),
      next_sample_(now),
      base_(config.sample.estimator, config.sample.report_interval) {
  for (const StoredState::Rest& rest : stored.rests) rests_[rest.vm] = now + rest.remaining;
}

void Sampler::tick(TimePoint now, Outbox& out) {
  if (now < next_sample_) return;
  next_sample_ = now + settings_.sample_interval;
  const Duration patience = missed_samples_max * settings_.sample_interval;
  if (now - last_at_ >= patience) failed(now, "it does not answer", out);
  // One that hangs is not asked again and again: what waits would only pile up.
  if (asked_at_ && now - *asked_at_ < patience) return;
  asked_at_ = now;
  out.command(SampleHost{});
}

bool Sampler::take(TimePoint now, const HostSample& taken, Outbox& out) {
  HostSample sample = taken;
  if (host_.cpu_mhz) sample.capacity.cpu_mhz = *host_.cpu_mhz;
  if (host_.memory_mib) sample.capacity.memory_mib = *host_.memory_mib;
  if (host_.network_mbit) sample.capacity.network_mbit = *host_.network_mbit;
  if (host_.base) sample.base = *host_.base;
  const auto by_id = [](const VmSample& a, const VmSample& b) { return a.id < b.id; };
  if (!std::is_sorted(sample.vms.begin(), sample.vms.end(), by_id))
    std::sort(sample.vms.begin(), sample.vms.end(), by_id);
  answered_ = true;
  asked_at_.reset();
  last_at_ = now;
  std::string untold = why_untellable(sample);
  const std::string before = distrust_;
  distrust_ = untold.empty() ? std::string(distrust_of(sample, thresholds())) : std::move(untold);
  if (!distrust_.empty()) {
    if (before != distrust_) {
      out.event(now, EventKind::alarm, {}, out.self(),
                "the figures of this host are not acted upon: " + distrust_);
    }
    out.count("samples_implausible");
    over_samples_ = 0;
    return false;  // the last figures that could be trusted stay
  }
  if (!before.empty() && last_)
    out.event(now, EventKind::recovered, {}, out.self(),
              "the figures of this host are back; before: " + before);
  last_ = std::move(sample);
  silent_.begin();
  for (const VmSample& vm : last_->vms) silent_.see(now, out.self(), vm, out);
  silent_.end();
  end_rests_of_the_gone();
  base_.add(now, last_->base);
  add_to_estimators(now);
  over_samples_ = over_now() ? over_samples_ + 1 : 0;
  overloads_.sample(now, over_samples_ > 0);
  const bool saturated = is_saturated(running_load(*last_), last_->capacity);
  saturated_samples_ = saturated ? saturated_samples_ + 1 : 0;
  return over_samples_ == config_.plan.dwell || saturated_samples_ == config_.plan.dwell;
}

// Another VM may come by that id, which has not moved. One look may have been taken before it came.
void Sampler::end_rests_of_the_gone() {
  std::set<VmId> missed;
  for (const auto& [vm, until] : rests_)
    if (find(vm) == nullptr) missed.insert(vm);
  for (const VmId& vm : missed)
    if (missed_.contains(vm)) rests_.erase(vm);
  missed_ = std::move(missed);
}

void Sampler::failed(TimePoint now, const std::string& reason, Outbox& out) {
  out.count("samples_failed");
  asked_at_.reset();
  if (now - last_at_ < missed_samples_max * settings_.sample_interval) return;
  if (distrust_.empty()) {
    out.event(now, EventKind::alarm, {}, out.self(),
              "the hypervisor gives no samples, this host is left alone: " + reason);
  }
  answered_ = true;
  distrust_ = "no samples from the hypervisor: " + reason.substr(0, limits::text_bytes_max / 2);
  over_samples_ = 0;
}

// Its first look here told of a part of an interval, or of none: what its source said stands until
// the next.
void Sampler::arrived(TimePoint now, const VmId& vm, const Resources& load, const Resources& swing,
                      Presence presence) {
  if (!last_) return;
  estimators_.erase(vm);
  estimate::LoadEstimator& estimator =
      estimators_.try_emplace(vm, settings_.estimator, settings_.report_interval).first->second;
  estimator.begin_with_swing(now, load, swing);
  estimator.add(now, load);
  for (VmSample& known : last_->vms) {
    if (known.id != vm) continue;
    // One that was seen running has a load of its own from that look.
    if (known.presence != Presence::running) known.load = load;
    known.presence = presence;
    return;
  }
  VmSample sample;
  sample.id = vm;
  sample.presence = presence;
  sample.load = load;
  last_->vms.push_back(std::move(sample));
  last_->memory_free_mib = std::max(0.0, last_->memory_free_mib - load.memory_mib);
}

void Sampler::left(const VmId& vm) {
  overloads_.relieved();
  if (last_) std::erase_if(last_->vms, [&](const VmSample& known) { return known.id == vm; });
  estimators_.erase(vm);
  rests_.erase(vm);
}

// Both are in order of their ids: what one of them lacks is seen on the way.
void Sampler::add_to_estimators(TimePoint now) {
  auto known = estimators_.begin();
  for (const VmSample& vm : last_->vms) {
    while (known != estimators_.end() && known->first < vm.id) known = estimators_.erase(known);
    // While it comes its guest does not run; while nobody can tell, what it had before stands.
    const bool counts = vm.presence != Presence::incoming && vm.presence != Presence::unknown;
    if (!counts && (known == estimators_.end() || known->first != vm.id)) continue;
    if (!counts) {
      ++known;
      continue;
    }
    if (known == estimators_.end() || known->first != vm.id)
      known = estimators_.try_emplace(known, vm.id, settings_.estimator, settings_.report_interval);
    known->second.add(now, vm.load);
    ++known;
  }
  estimators_.erase(known, estimators_.end());
}

const VmSample* Sampler::find(const VmId& vm) const {
  if (!last_) return nullptr;
  const auto found = std::find_if(last_->vms.begin(), last_->vms.end(),
                                  [&](const VmSample& known) { return known.id == vm; });
  return found == last_->vms.end() ? nullptr : &*found;
}

Resources Sampler::swing_of(const VmId& vm) const {
  const auto found = estimators_.find(vm);
  return found == estimators_.end() ? Resources{} : found->second.swing();
}

bool Sampler::over_now() const {
  return is_overloaded(running_load(*last_), last_->capacity, thresholds());
}

Resources Sampler::estimated(TimePoint now, const VmId& vm, const Resources& latest) const {
  const auto found = estimators_.find(vm);
  if (found == estimators_.end() || found->second.samples() == 0) return latest;
  Resources load = found->second.estimate(now, settings_.report_interval);
  // Memory is held or not: what counts is what the VM holds now.
  load.memory_mib = latest.memory_mib;
  return load;
}

wire::HostFacts Sampler::facts(const std::string& endpoint) const {
  wire::HostFacts facts{last_ ? last_->capacity : Resources{}, thresholds(), endpoint};
  if (last_ && is_clean_text(last_->host, limits::id_bytes_max)) facts.hypervisor = last_->host;
  if (last_ && is_clean_text(last_->environment, limits::id_bytes_max))
    facts.environment = last_->environment;
  return facts;
}

wire::HostReport Sampler::report(TimePoint now, bool as_seen) const {
  wire::HostReport report;
  report.distrust = distrust_;
  if (!last_) return report;
  report.cpu_used_mhz = last_->cpu_used_mhz;
  report.memory_free_mib = last_->memory_free_mib;
  report.over_samples = over_samples_;
  const Duration most = duration_of_seconds(limits::rest_s_max);
  report.passes_in = std::min(overloads_.passes_in(now).value_or(Duration(0)), most);
  report.base = base_.samples() == 0 ? last_->base : base_.estimate(now, settings_.report_interval);
  report.base.memory_mib = last_->base.memory_mib;
  Resources sum = report.base;
  for (const VmSample& vm : last_->vms) {
    wire::VmReport told;
    told.vm = vm;
    told.vm.load = estimated(now, vm.id, vm.load);
    told.swing = swing_of(vm.id);
    // Between this host and the target alone: no message carries it.
    told.vm.persistent = true;
    told.vm.autostart = false;
    if (const auto rest = rests_.find(vm.id); rest != rests_.end() && rest->second > now)
      told.rest = rest->second - now;
    sum += told.vm.load;
    report.vms.push_back(std::move(told));
  }
  // A load that has just risen is still small in a mean. A host that its samples show over a
  // threshold must not look well in its report, so it reports what it sees.
  const bool looks_well =
      over_samples_ >= config_.plan.dwell && !is_overloaded(sum, last_->capacity, thresholds());
  if (as_seen || looks_well) {
    report.base = last_->base;
    for (std::size_t i = 0; i < report.vms.size(); ++i) report.vms[i].vm.load = last_->vms[i].load;
  }
  return report;
}

void Sampler::rest(TimePoint now, const VmId& vm, Duration span) {
  std::erase_if(rests_, [&](const auto& known) { return known.second <= now; });
  if (rests_.size() >= limits::moves_remembered_max) {
    rests_.erase(std::min_element(rests_.begin(), rests_.end(), [](const auto& a, const auto& b) {
      return a.second < b.second;
    }));
  }
  rests_[vm] = now + span;
}

std::vector<StoredState::Rest> Sampler::rests(TimePoint now) const {
  std::vector<StoredState::Rest> rests;
  for (const auto& [vm, until] : rests_) {
    if (until > now) rests.push_back({vm, until - now});
  }
  return rests;
}

}  // namespace ballast::node
