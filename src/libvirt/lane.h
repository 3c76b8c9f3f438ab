// A lane: a bounded number of threads that do what may block, and a bounded queue before them.
// Threads start when there is work and stay. What they touch they hold themselves, so that a thread
// whose call never returns can be left behind: the lane's end waits for it only as long as it is
// told to.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "ballast/base/time.h"

namespace ballast::libvirt {

class Lane {
 public:
  // Held by the work, so that it can wait and can hear that it should end.
  class Life {
   public:
    virtual ~Life() = default;
    // Waits that long, or until the lane ends; true when it ends.
    virtual bool wait(Duration span) = 0;
    virtual bool ending() = 0;
  };
  using Work = std::function<void(Life& life)>;

  Lane(std::size_t threads_max, std::size_t waiting_max);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();  // end() without patience

  // False when too much waits already, or the lane has ended.
  bool run(Work work);
  // Nothing new begins. True when all threads have ended within that time.
  bool end(Duration patience);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ballast::libvirt
