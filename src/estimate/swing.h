// How much a load swings: its standard deviation over about the last hour, without keeping the
// samples. Each sample's weight fades with its age, the mean age of what counts is half an hour,
// as it is for an hour's samples of equal weight. Source: West, "Updating mean and variance
// estimates" (CACM 22, 1979), with weights that fade.
#pragma once

#include "ballast/base/time.h"
#include "ballast/model/resources.h"

namespace ballast::estimate {

class Swing {
 public:
  // Another host has told how much it swung around this load.
  void begin_with(TimePoint at, const Resources& load, const Resources& deviation);
  // Samples in order of time.
  void add(TimePoint at, const Resources& load);
  Resources deviation() const;  // 0 before there are two samples

 private:
  TimePoint last_;
  double weight_s_ = 0;
  Resources mean_;
  Resources variance_;
};

}  // namespace ballast::estimate
