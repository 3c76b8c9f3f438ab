#include "pool.h"

#include <utility>

namespace ballast::simulated {

Pool::Pool(std::size_t threads_max, std::size_t waiting_max)
    : threads_max_(threads_max), waiting_(waiting_max) {}

Pool::~Pool() { stop(); }

bool Pool::run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || !waiting_.push(std::move(work))) return false;
  if (idle_ < waiting_.size() && threads_.size() < threads_max_)
    threads_.emplace_back([this] { serve(); });
  wake_.notify_one();
  return true;
}

void Pool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Pool::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_) return;
    const std::function<void()> work = waiting_.pop();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace ballast::simulated
