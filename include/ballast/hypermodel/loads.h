// Loads of VMs over time, out of a trace that all who look share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/resources.h"
#include "ballast/model/trace.h"

namespace ballast::hypermodel {

class Loads {
 public:
  // The trace's ids must be unique.
  explicit Loads(std::shared_ptr<const Trace> trace);

  const Trace& trace() const { return *trace_; }
  // Index into the trace's VMs of one that it knows.
  std::uint32_t index_of(const VmId& vm) const { return index_.at(vm); }
  // ... and of one that it may not know.
  std::optional<std::uint32_t> find(const VmId& vm) const;

  // The load of a VM that long after the trace began; nothing for a VM that the trace does not
  // know.
  std::optional<Resources> load(const VmId& vm, Duration since_start) const;
  // The same in two steps, for who asks for many at one time.
  std::size_t interval_at(Duration since_start) const { return interval_of(*trace_, since_start); }
  Resources load(std::uint32_t index, std::size_t interval) const {
    return load_in(trace_->vms[index], interval);
  }

 private:
  std::shared_ptr<const Trace> trace_;
  std::unordered_map<VmId, std::uint32_t> index_;  // looked up, never walked
};

}  // namespace ballast::hypermodel
