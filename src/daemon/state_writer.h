// When the small state of a node goes to disk. Each write is synced, and a busy host has an arrival
// after the other: what changes only how long VMs rest waits until a second has passed since the
// last write, and the newest state alone is written. Maintenance is an operator's word: it is on
// disk before anything else is done.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/node/node.h"

namespace ballast::daemon {

class StateWriter {
 public:
  using Write = std::function<Status(const std::string& text)>;
  static constexpr Duration write_every = std::chrono::seconds(1);

  // `written` is what is on disk.
  StateWriter(node::StoredState written, Write write)
      : newest_(std::move(written)), write_(std::move(write)) {}

  // An error when it was to be written now and was not; that is tried again in a second. So it is
  // with the two below.
  Status save(TimePoint now, node::StoredState state);
  Status tick(TimePoint now);
  Status flush(TimePoint now);  // before the end: whatever waits
  TimePoint next_deadline() const { return waits_ ? next_write_ : time_never; }

 private:
  node::StoredState newest_;
  Write write_;
  bool waits_ = false;
  TimePoint next_write_;  // not before; the clock's beginning: at once
};

}  // namespace ballast::daemon
