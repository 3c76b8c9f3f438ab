// Which figures of a host can be trusted. What a sensor got wrong must never move a VM: a host that
// fails here is neither a source nor a target (design, section 5: "missing, stale or implausible
// data mean: do nothing with that host"). The reader of snapshots and the running node share it.
#pragma once

#include <span>
#include <string_view>

#include "ballast/model/hypervisor.h"
#include "ballast/model/resources.h"

namespace ballast {

// Why a host with these figures is not to be trusted, in words for an operator; empty when it is.
// `cpu_used_mhz` is the use of the whole host as the host itself counts it, or its base where only
// that is known. An empty host is plausible, however busy. Units as in Resources.
std::string_view distrust_of(const Resources& capacity, const Resources& base, double cpu_used_mhz,
                             const Thresholds& thresholds, std::span<const Resources> vm_loads);

// The same for one look at a host by its hypervisor. VMs that are not running here (incoming,
// unknown) do not count as idle ones.
std::string_view distrust_of(const HostSample& sample, const Thresholds& thresholds);

}  // namespace ballast
