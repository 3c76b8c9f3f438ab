// How tests interfere. A host that dies stops at that instant: nothing it does afterwards reaches
// its file, its peers or its node, as if the process had been killed.
#include "machine.h"

namespace ballast::simulated {

const char* name_of(Moment moment) {
  switch (moment) {
    case Moment::source_connected: return "source connected";
    case Moment::source_prepared: return "source prepared";
    case Moment::source_copied: return "source copied";
    case Moment::source_handed_over: return "source handed over";
    case Moment::source_finish_sent: return "source finish sent";
    case Moment::source_heard: return "source heard";
    case Moment::source_removed: return "source removed";
    case Moment::target_prepared: return "target prepared";
    case Moment::target_asked_to_finish: return "target asked to finish";
    case Moment::target_started: return "target started";
    case Moment::target_confirmed: return "target confirmed";
  }
  return "?";
}

void Machine::interfere(Moment moment, Interference with) {
  const std::lock_guard lock(mutex_);
  planned_[moment] = with;
}

bool Machine::is_held(Moment moment) const {
  const std::lock_guard lock(mutex_);
  return held_.contains(moment);
}

void Machine::release() {
  const std::lock_guard lock(mutex_);
  ++releases_;
  released_.notify_all();
}

void Machine::kill() {
  {
    const std::lock_guard after_the_last_commit(commit_mutex_);
    dead_ = true;
    stopping_ = true;
  }
  release();
}

Course Machine::at(Moment moment) {
  std::unique_lock lock(mutex_);
  if (dead_) return Course::cut;
  const auto found = planned_.find(moment);
  if (found == planned_.end()) return Course::on;
  const Interference with = found->second;
  planned_.erase(found);
  switch (with) {
    case Interference::error: return Course::error;
    case Interference::cut: return Course::cut;
    case Interference::die:
      lock.unlock();
      kill();
      return Course::cut;
    case Interference::hold: {
      const std::uint64_t before = releases_;
      held_.insert(moment);
      released_.wait(lock, [&] { return releases_ != before || stopping_; });
      held_.erase(moment);
      return dead_ ? Course::cut : Course::on;
    }
  }
  return Course::on;
}

}  // namespace ballast::simulated
