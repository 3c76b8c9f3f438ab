// A bounded number of threads that do what blocks. Threads start when there is work for them, and
// stay; work that finds no thread free waits in a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "ballast/base/bounded.h"

namespace ballast::simulated {

class Pool {
 public:
  Pool(std::size_t threads_max, std::size_t waiting_max);
  ~Pool();

  // False when too much waits already.
  bool run(std::function<void()> work);
  // Waits for what is under way, gives up what waits. Nothing runs afterwards.
  void stop();

 private:
  void serve();

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  BoundedQueue<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace ballast::simulated
