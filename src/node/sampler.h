// From looks at the hypervisor to the report of a host: keeps one estimator a VM, counts how long
// the host has been over a threshold, and says when its figures should not be trusted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "ballast/estimate/estimator.h"
#include "ballast/model/config.h"
#include "ballast/model/hypervisor.h"
#include "ballast/node/node.h"
#include "ballast/wire/messages.h"
#include "outbox.h"
#include "overloads.h"
#include "silent_vms.h"

namespace ballast::node {

class Sampler {
 public:
  Sampler(TimePoint now, const Config& config, const StoredState& stored);

  // Asks for a sample when it is time.
  void tick(TimePoint now, Outbox& out);
  TimePoint next_deadline() const { return next_sample_; }
  void sample_now(TimePoint now) { next_sample_ = now; }

  // True when this sample is the one that makes the host count as overloaded, or as saturated:
  // report at once.
  bool take(TimePoint now, const HostSample& taken, Outbox& out);
  void failed(TimePoint now, const std::string& reason, Outbox& out);

  // A VM came to run here, with the load that its lease told and what its source says of its
  // swing; or left.
  void arrived(TimePoint now, const VmId& vm, const Resources& load, const Resources& swing,
               Presence presence);
  void left(const VmId& vm);

  // False before the hypervisor's first answer. A host without figures to trust reports that too.
  bool ready() const { return answered_; }
  wire::HostFacts facts(const std::string& endpoint) const;
  // All but jobs and reservations, which the holder knows.
  // `as_seen`: the last sample, and not what the estimator makes of those since the last report.
  wire::HostReport report(TimePoint now, bool as_seen) const;

  const VmSample* find(const VmId& vm) const;
  Resources swing_of(const VmId& vm) const;  // of its load, about the last hour; 0: not known
  // Of the last sample.
  std::span<const VmSample> vms() const {
    return last_ ? std::span<const VmSample>(last_->vms) : std::span<const VmSample>();
  }
  bool trusted() const { return distrust_.empty(); }
  double memory_free_mib() const { return last_ ? last_->memory_free_mib : 0; }
  void rest(TimePoint now, const VmId& vm, Duration span);
  std::vector<StoredState::Rest> rests(TimePoint now) const;

 private:
  void end_rests_of_the_gone();
  Resources estimated(TimePoint now, const VmId& vm, const Resources& latest) const;
  bool over_now() const;
  void add_to_estimators(TimePoint now);

  const Thresholds& thresholds() const {
    return config_.host.thresholds ? *config_.host.thresholds : config_.plan.thresholds;
  }

  const Config& config_;  // of the node: some of it changes while it runs
  const SampleSettings settings_;
  const HostSettings host_;
  std::optional<HostSample> last_;
  bool answered_ = false;
  std::optional<TimePoint> asked_at_;  // and not answered yet
  TimePoint last_at_;
  TimePoint next_sample_;
  std::string distrust_ = "no sample yet";
  std::uint32_t over_samples_ = 0;
  std::uint32_t saturated_samples_ = 0;  // in a row with more CPU asked for than there is
  Overloads overloads_;
  std::map<VmId, estimate::LoadEstimator> estimators_;
  estimate::LoadEstimator base_;
  std::map<VmId, TimePoint> rests_;  // until when
  std::set<VmId> missed_;            // of these, not seen by the last look
  SilentVms silent_;
};

}  // namespace ballast::node
