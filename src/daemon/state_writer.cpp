#include "state_writer.h"

#include "state.h"

namespace ballast::daemon {

Status StateWriter::save(TimePoint now, node::StoredState state) {
  // A drain, and what a VM had that comes: lost with this process, nobody would know of it.
  const bool at_once = state.maintenance != newest_.maintenance || state.kept != newest_.kept;
  newest_ = std::move(state);
  waits_ = true;
  return at_once ? flush(now) : tick(now);
}

Status StateWriter::tick(TimePoint now) {
  if (!waits_ || now < next_write_) return {};
  return flush(now);
}

Status StateWriter::flush(TimePoint now) {
  if (!waits_) return {};
  next_write_ = now + write_every;
  Status written = write_(state_text(newest_));
  waits_ = !written.ok();
  return written;
}

}  // namespace ballast::daemon
