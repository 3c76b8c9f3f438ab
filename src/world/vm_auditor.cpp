#include "vm_auditor.h"

#include <algorithm>

#include "ballast/model/resources.h"

namespace ballast::world {

VmAuditor::VmAuditor(const hypermodel::Fleet& fleet, const Trace& trace, Complain complain,
                     Moved moved)
    : fleet_(fleet),
      trace_(trace),
      complain_(std::move(complain)),
      moved_(std::move(moved)),
      held_(trace.hosts.size()),
      running_(trace.vms.size(), 0),
      standing_(trace.vms.size(), 0),
      runs_on_(trace.vms.size(), nowhere),
      accused_(trace.vms.size(), false),
      spared_(trace.hosts.size(), false) {
  for (VmIndex vm = 0; vm < trace.vms.size(); ++vm) runs_on_[vm] = trace.vms[vm].host;
  std::vector<HostIndex> all(trace.hosts.size());
  for (HostIndex host = 0; host < all.size(); ++host) all[host] = host;
  look(all);
}

void VmAuditor::look(const std::vector<HostIndex>& touched) {
  if (touched.empty()) return;
  affected_.clear();
  for (const HostIndex host : touched) scan(host);
  std::sort(affected_.begin(), affected_.end());
  affected_.erase(std::unique(affected_.begin(), affected_.end()), affected_.end());
  for (const VmIndex vm : affected_) judge(vm);
}

void VmAuditor::scan(HostIndex host) {
  std::vector<Held>& held = held_[host];
  for (const Held& one : held) {
    --(one.runs ? running_ : standing_)[one.vm];
    affected_.push_back(one.vm);
  }
  held.clear();
  double memory_mib = 0;
  const hypermodel::HostModel& model = fleet_.host(host);
  for (const auto& [id, copy] : model.copies()) {
    memory_mib += copy.memory_mib;
    if (copy.state == hypermodel::CopyState::incoming) continue;
    const VmIndex vm = fleet_.index_of(id);
    const bool runs = hypermodel::runs(copy.state);
    ++(runs ? running_ : standing_)[vm];
    held.push_back({vm, runs});
    affected_.push_back(vm);
    if (runs && runs_on_[vm] != host) {
      const HostIndex from = runs_on_[vm];
      runs_on_[vm] = host;
      moved_(vm, from, host);
    }
  }
  if (!spared_[host] && !fleet_.is_overfull_by_trace(host) &&
      memory_mib > model.capacity().memory_mib * (1 + load_tolerance))
    complain_("memory over capacity", "host " + quoted(trace_.hosts[host].id.str()) + " holds " +
                                          std::to_string(memory_mib) + " MiB of " +
                                          std::to_string(model.capacity().memory_mib));
}

void VmAuditor::judge(VmIndex vm) {
  if (accused_[vm]) return;
  const VmId& id = trace_.vms[vm].id;
  if (running_[vm] > 1 || standing_[vm] > 1) {
    accused_[vm] = true;
    complain_("runs twice", "VM " + quoted(id.str()) + ": " + std::to_string(running_[vm]) +
                                " copies run, " + std::to_string(standing_[vm]) + " stand still");
  } else if (running_[vm] + standing_[vm] == 0 && !fleet_.is_gone(id)) {
    accused_[vm] = true;
    complain_("lost", "VM " + quoted(id.str()) + " is nowhere");
  }
}

}  // namespace ballast::world
