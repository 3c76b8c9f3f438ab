// How long a live migration copies memory. Pre-copy sends all memory, then what was dirtied in the
// meantime, round after round, until the rest fits into the downtime that is allowed; then the VM
// stops and the rest follows. With memory M, dirty rate d and bandwidth b, round k sends
// M (d/b)^k: it ends soon when d is well below b, and never when it is not. Source: Clark et al.,
// "Live Migration of Virtual Machines" (NSDI 2005), as QEMU does it.
#pragma once

#include <cstdint>

#include "ballast/base/time.h"

namespace ballast::hypermodel {

// A copy in progress, under a bandwidth that may change while it runs.
class Precopy {
 public:
  // MiB and MiB/s, 0 or more.
  Precopy(double memory_mib, double dirty_mib_s, Duration downtime_limit);

  // Time until all is copied if the bandwidth (MiB/s) stays; nothing where it would never end: no
  // bandwidth, or a dirty rate so near to it that rounds hardly shrink (`converging_share`).
  bool converges(double bandwidth_mib_s) const;
  Duration left(double bandwidth_mib_s) const;  // only when it converges

  // Copies for that long at that bandwidth.
  void advance(Duration span, double bandwidth_mib_s);

  bool done() const { return done_; }
  std::uint32_t rounds() const { return rounds_; }
  double copied_mib() const { return copied_mib_; }
  // How long the VM stood still, once done.
  Duration downtime() const { return duration_of_seconds(downtime_s_); }

  static constexpr double converging_share = 0.99;

 private:
  double run(double seconds, double bandwidth_mib_s);
  void end_round(double bandwidth_mib_s);

  double memory_mib_;
  double dirty_mib_s_;
  double downtime_limit_s_;
  double rest_mib_;         // of this round, not yet sent
  double dirtied_mib_ = 0;  // since this round began
  double copied_mib_ = 0;
  double downtime_s_ = 0;
  std::uint32_t rounds_ = 1;
  bool stopped_ = false;  // the VM stands still, the last round is under way
  bool done_ = false;
};

}  // namespace ballast::hypermodel
