#include "lane.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "ballast/base/bounded.h"

namespace ballast::libvirt {

struct Lane::Shared final : Lane::Life {
  Shared(std::size_t most, std::size_t waiting) : threads_max(most), queue(waiting) {}

  bool wait(Duration span) override {
    std::unique_lock lock(mutex);
    return wake.wait_for(lock, span, [this] { return stopping; });
  }
  bool ending() override {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  void serve() {
    std::unique_lock lock(mutex);
    while (true) {
      ++idle;
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      --idle;
      if (stopping) break;
      // Gone before the lock is taken again: what it holds may take locks of its own.
      {
        const Work work = queue.pop();
        lock.unlock();
        work(*this);
      }
      lock.lock();
    }
    --threads;
    ended.notify_all();
  }

  const std::size_t threads_max;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable ended;
  BoundedQueue<Work> queue;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool stopping = false;
};

Lane::Lane(std::size_t threads_max, std::size_t waiting_max)
    : shared_(std::make_shared<Shared>(threads_max, waiting_max)) {}

Lane::~Lane() { (void)end(Duration(0)); }

bool Lane::run(Work work) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->stopping || !shared_->queue.push(std::move(work))) return false;
  if (shared_->idle < shared_->queue.size() && shared_->threads < shared_->threads_max) {
    try {
      std::thread([shared = shared_] { shared->serve(); }).detach();
      ++shared_->threads;
    } catch (const std::system_error&) {
      // The system has no thread for us now. Those that are there do it, or nobody can.
      if (shared_->threads == 0) {
        (void)shared_->queue.pop();
        return false;
      }
    }
  }
  shared_->wake.notify_all();
  return true;
}

bool Lane::end(Duration patience) {
  // What waited is let go outside of the lock: it may hold whoever owns this lane.
  std::vector<Work> given_up;
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->wake.notify_all();
  while (!shared_->queue.empty()) given_up.push_back(shared_->queue.pop());
  lock.unlock();
  given_up.clear();
  lock.lock();
  return shared_->ended.wait_for(lock, patience, [this] { return shared_->threads == 0; });
}

}  // namespace ballast::libvirt
