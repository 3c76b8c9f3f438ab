#include "mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "ballast/base/limits.h"

namespace ballast::libvirt {
namespace {

bool is_look(const HypervisorEvent& event) {
  return std::holds_alternative<HostSampled>(event) || std::holds_alternative<SampleFailed>(event);
}

}  // namespace

Mailbox::Mailbox() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Mailbox::~Mailbox() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Mailbox::put(HypervisorEvent event) {
  const std::lock_guard lock(mutex_);
  if (is_look(event)) std::erase_if(events_, is_look);
  // How a migration ended is never dropped: their number has a bound of its own. An answer that is
  // lost is asked for again.
  if (events_.size() >= limits::events_kept && !std::holds_alternative<MigrationEnded>(event))
    return;
  events_.push_back(std::move(event));
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);
}

std::vector<HypervisorEvent> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(descriptor_, &count, sizeof count);
  std::vector<HypervisorEvent> taken(std::make_move_iterator(events_.begin()),
                                     std::make_move_iterator(events_.end()));
  events_.clear();
  return taken;
}

}  // namespace ballast::libvirt
