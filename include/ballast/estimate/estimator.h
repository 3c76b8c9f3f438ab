// From samples of a VM's load to the one load that is reported. Source: design, section 3.2.
#pragma once

#include <cstddef>
#include <memory>

#include "ballast/base/time.h"
#include "ballast/model/config.h"
#include "ballast/model/resources.h"

namespace ballast::estimate {

// Folds the samples of one VM. Keeps what its kind needs of the last `window`, and never more than
// limits::samples_per_vm_max samples.
class LoadEstimator {
 public:
  LoadEstimator(EstimatorKind kind, Duration window);
  LoadEstimator(LoadEstimator&&) noexcept;
  LoadEstimator& operator=(LoadEstimator&&) noexcept;
  ~LoadEstimator();

  // Takes one sample. Samples that are not newer than the last, or not within [0, the bound of
  // limits.h for that resource], are ignored and counted.
  void add(TimePoint at, const Resources& load);

  // The mean load to expect over [now, now + horizon]: never negative, and all zero before the
  // first sample. Where the window that ends now holds no sample, the last one stands: whether it
  // is too old to plan with is for the caller to judge.
  Resources estimate(TimePoint now, Duration horizon) const;

  // How much the load swung: its deviation over about the last hour, whatever the window. What
  // another host told of it, with the load that it told, counts until samples have replaced it.
  Resources swing() const;
  void begin_with_swing(TimePoint at, const Resources& load, const Resources& swing);

  std::size_t samples() const;
  std::size_t ignored() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ballast::estimate
