#include "machine.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "ballast/base/assert.h"
#include "ballast/base/limits.h"
#include "state_file.h"

namespace ballast::simulated {
namespace {

constexpr std::size_t outgoing_threads = 4;
constexpr std::size_t incoming_threads = 8;

}  // namespace

Machine::Machine(const Options& options, Listener listener, HostModel model, double started_unix_s,
                 std::string instance)
    : options_(options),
      loads_(options.trace),
      listener_(std::move(listener)),
      started_unix_s_(started_unix_s),
      instance_(std::move(instance)),
      model_(std::move(model)),
      events_ready_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      outgoing_(outgoing_threads, limits::jobs_per_host_max),
      incoming_(incoming_threads, 2 * incoming_threads) {}

Machine::~Machine() { stop(); }

void Machine::start() {
  listening_ = std::thread([this] { listen(); });
  settling_ = std::thread([this] { settle(); });
}

// Conversations end before the port is given up: whoever finds nobody listening may conclude that
// nothing runs here any more.
void Machine::stop() {
  stopping_ = true;
  release();
  {
    const std::lock_guard lock(mutex_);
    stop_settling_.notify_all();
  }
  if (listening_.joinable()) listening_.join();
  if (settling_.joinable()) settling_.join();
  outgoing_.stop();
  incoming_.stop();
}

Peer Machine::self() const {
  return {"sim://" + listener_.address.ip + ":" + std::to_string(listener_.address.port),
          options_.host.str(), !options_.state_file.empty()};
}

// Tried on a copy first: what cannot be written does not happen.
Status Machine::commit(const Change& change) {
  const std::lock_guard one_at_a_time(commit_mutex_);
  HostModel trial;
  {
    const std::lock_guard lock(mutex_);
    trial = model_;
  }
  if (Status possible = change(trial); !possible) return possible;
  if (dead_) return Error{"this host was killed"};
  if (!options_.state_file.empty()) {
    const Status saved =
        save_state(options_.state_file, {options_.host, listener_.address.port, trial.copies()});
    if (!saved) return saved;
  }
  const std::lock_guard lock(mutex_);
  const Status done = change(model_);
  BALLAST_ASSERT(done.ok(), "a change that was possible a moment ago");
  return {};
}

Status Machine::change(const Change& change) {
  const std::lock_guard one_at_a_time(commit_mutex_);
  const std::lock_guard lock(mutex_);
  return change(model_);
}

std::optional<Copy> Machine::find(const VmId& vm) const {
  const std::lock_guard lock(mutex_);
  const Copy* copy = model_.find(vm);
  return copy == nullptr ? std::nullopt : std::optional(*copy);
}

Duration Machine::since_start() const {
  using Seconds = std::chrono::duration<double>;
  const double now =
      std::chrono::duration_cast<Seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return duration_of_seconds((now - started_unix_s_) * options_.speed);
}

void Machine::tell(HypervisorEvent event) {
  const std::lock_guard lock(mutex_);
  if (dead_) return;
  if (events_.size() >= limits::events_kept) {
    ++dropped_events_;
    return;
  }
  events_.push_back(std::move(event));
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(events_ready_.get(), &one, sizeof one);
}

std::vector<HypervisorEvent> Machine::take_events() {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(events_ready_.get(), &count, sizeof count);
  std::vector<HypervisorEvent> taken(std::make_move_iterator(events_.begin()),
                                     std::make_move_iterator(events_.end()));
  events_.clear();
  return taken;
}

std::uint64_t Machine::dropped_events() const {
  const std::lock_guard lock(mutex_);
  return dropped_events_;
}

double Machine::memory_used_mib() const {
  const std::lock_guard lock(mutex_);
  return model_.memory_used_mib();
}

}  // namespace ballast::simulated
