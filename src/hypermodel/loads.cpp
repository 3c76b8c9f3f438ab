#include "ballast/hypermodel/loads.h"

#include <utility>

#include "ballast/base/assert.h"

namespace ballast::hypermodel {

Loads::Loads(std::shared_ptr<const Trace> trace) : trace_(std::move(trace)) {
  BALLAST_ASSERT(trace_ != nullptr, "loads without a trace");
  BALLAST_ASSERT(trace_->interval > Duration::zero(), "a trace whose intervals have no length");
  index_.reserve(trace_->vms.size());
  for (std::uint32_t i = 0; i < trace_->vms.size(); ++i) {
    const bool added = index_.emplace(trace_->vms[i].id, i).second;
    BALLAST_ASSERT(added, "a trace that names a VM twice");
  }
}

std::optional<std::uint32_t> Loads::find(const VmId& vm) const {
  const auto found = index_.find(vm);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Resources> Loads::load(const VmId& vm, Duration since_start) const {
  const auto found = index_.find(vm);
  if (found == index_.end()) return std::nullopt;
  return load_at(*trace_, trace_->vms[found->second], since_start);
}

}  // namespace ballast::hypermodel
