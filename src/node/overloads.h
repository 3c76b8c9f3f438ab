// How long the overloads of a host last that nobody relieves, and what that says of the present
// one: the median of what those that lasted as long as it does now lasted on. Overloads that a
// leaving VM ended are known to have lasted at least that long (right-censored; Kaplan and Meier,
// "Nonparametric estimation from incomplete observations", 1958, of which this is the median over
// few and recent ones).
#pragma once

#include <deque>
#include <optional>

#include "ballast/base/time.h"

namespace ballast::node {

class Overloads {
 public:
  void sample(TimePoint now, bool over);
  void relieved();  // a VM has left
  // Half of the past overloads that lasted as long as this one were over within that from now on;
  // nothing: the host is not over, too few have been seen, or they do not end by themselves.
  std::optional<Duration> passes_in(TimePoint now) const;

 private:
  struct Past {
    TimePoint ended;
    Duration lasted{0};
    bool relieved = false;
  };
  std::deque<Past> past_;
  std::optional<TimePoint> since_;
  bool relieved_ = false;
};

}  // namespace ballast::node
