// Descriptors that are kept for what an operator needs when all others are used up: the trust file,
// the small state, the control socket. The process gives itself a lower limit than it has, and
// raises it for as long as one of those is at work. What comes from outside meets the lower one.
#pragma once

#include <sys/resource.h>

#include <cstddef>

namespace ballast::daemon {

class DescriptorReserve {
 public:
  // Of a limit that is no more than four times as many, a quarter is kept. Where the limit cannot
  // be changed there is no reserve, and nothing else is different.
  explicit DescriptorReserve(rlim_t kept = 64) {
    if (getrlimit(RLIMIT_NOFILE, &whole_) != 0) return;
    usual_ = whole_;
    usual_.rlim_cur -= whole_.rlim_cur / 4 < kept ? whole_.rlim_cur / 4 : kept;
    lowered_ = setrlimit(RLIMIT_NOFILE, &usual_) == 0;
  }
  ~DescriptorReserve() { set(whole_); }
  DescriptorReserve(const DescriptorReserve&) = delete;
  DescriptorReserve& operator=(const DescriptorReserve&) = delete;

  // While it lives, the reserve may be used.
  class Use {
   public:
    explicit Use(const DescriptorReserve& reserve) : reserve_(reserve) {
      reserve_.set(reserve_.whole_);
    }
    ~Use() { reserve_.set(reserve_.usual_); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    const DescriptorReserve& reserve_;
  };

 private:
  void set(const rlimit& limit) const {
    if (lowered_) (void)setrlimit(RLIMIT_NOFILE, &limit);
  }

  rlimit whole_{};
  rlimit usual_{};
  bool lowered_ = false;
};

}  // namespace ballast::daemon
