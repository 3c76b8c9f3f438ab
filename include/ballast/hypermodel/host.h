// One host and the copies of VMs it holds, with the steps that a live migration takes at either
// end. The rules that keep a VM from running twice live here, for the model of a whole fleet
// (fleet.h) and for a host that is a process (simulated) alike.
//
//   source:  running -> outgoing -> handed_over -> (gone)
//                 ^________|____________|  roll_back: only when the target certainly does not run
//                 it
//                                     handed_over -> in_doubt -> (gone) or back to running
//   target:  (absent) -> incoming -> running, unconfirmed -> running
//
// A copy that was handed over does not run until it is known that the target's never will. A VM
// that arrived does not leave before its source has confirmed, so that a source in doubt that asks
// "do you run it?" can trust a no. libvirt gives the first; the second it leaves to lock managers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/hypermodel/loads.h"
#include "ballast/hypermodel/timing.h"
#include "ballast/model/hypervisor.h"
#include "ballast/model/resources.h"

namespace ballast::hypermodel {

enum class CopyState : unsigned char {
  running,
  outgoing,     // runs, is being copied
  handed_over,  // stands still, the target was asked to start
  in_doubt,     // stands still, the target's answer was lost: reported as `unknown`
  leftover,     // stands still, runs at the target, could not be removed: reported as `paused`
  incoming,     // memory is taken, nothing runs
};

const char* name_of(CopyState state);
Presence presence_of(CopyState state);
// The VM runs here, whatever else happens to it.
constexpr bool runs(CopyState state) {
  return state == CopyState::running || state == CopyState::outgoing;
}

// The copy of a VM that a host holds.
// Where the trace has the loads of a VM, once it was looked up. No part of what a copy is.
struct LoadsPlace {
  std::optional<std::uint32_t> index;
  bool operator==(const LoadsPlace&) const { return true; }
};

struct Copy {
  CopyState state = CopyState::running;
  double memory_mib = 0;
  bool unconfirmed = false;  // arrived, and the source has not yet said that its copy is gone
  std::string peer;        // the other end of its migration, while one is open: the caller's words
  std::string token;       // which migration: the caller's words
  bool suspended = false;  // its operator has paused it: it goes on its way like that
  bool autostart = false;  // kept by its host alone: a migration forgets it, as libvirt's does
  bool hangs = false;      // nothing can be told of it, and nothing done with it
  LoadsPlace loads{};

  bool operator==(const Copy&) const = default;
};

Presence presence_of(const Copy& copy);

class HostModel {
 public:
  HostModel() = default;
  HostModel(Resources capacity, Resources base) : capacity_(capacity), base_(base) {}

  const Resources& capacity() const { return capacity_; }
  const std::map<VmId, Copy>& copies() const { return copies_; }
  const Copy* find(const VmId& vm) const;
  Presence presence(const VmId& vm) const;

  // The memory of the VMs that run here, as the trace has it now.
  void follow(const Loads& loads, std::size_t interval);
  // What runs here beside VMs, from now on.
  void set_base(const Resources& base) { base_ = base; }

  // Base and every copy, incoming and standing ones included, MiB.
  double memory_used_mib() const;
  double memory_free_mib() const;

  // A VM that is here from the start, or again after a restart.
  void place(const VmId& vm, const Copy& copy);
  // What becomes of a VM without anybody asking us. Only where it runs, and not before its arrival
  // is confirmed: a guest that stands still can do nothing.
  Status suspend(const VmId& vm, bool suspended = true);
  // Its QEMU hangs, or answers again. Only where it runs and is not on its way.
  Status hang(const VmId& vm);
  // Of what is not here: nothing. One that stands still to be handed over runs on at its target.
  void answer_again(const VmId& vm);
  void let_go_on(const VmId& vm);  // it was suspended
  void set_autostart(const VmId& vm, bool autostart);
  Status shut_down(const VmId& vm);  // the copy is gone; an open migration of it must end first
  // All is gone: the host lost its power.
  void clear() { copies_.clear(); }

  // Source. Each names the step; an error says why the copy is not in the state for it.
  Status begin(const VmId& vm, const std::string& peer, const std::string& token);
  Status hand_over(const VmId& vm);
  Status name_peer(const VmId& vm, const std::string& peer);  // once it is known better
  Status doubt(const VmId& vm);
  Status leave_over(const VmId& vm);
  Status roll_back(const VmId& vm);  // to running
  Status remove(const VmId& vm);     // only a copy that stands still

  // Target.
  Status prepare(const VmId& vm, double memory_mib, bool refuse_overcommit, const std::string& peer,
                 const std::string& token);
  // Starts it, unless it was suspended at its source.
  Status finish(const VmId& vm, bool suspended = false);
  Status drop(const VmId& vm);     // gives an incoming one up
  Status confirm(const VmId& vm);  // its source's copy is gone

  // One look at the host, with the loads of that moment. Loads are demands: what VMs would use if
  // the host had it; the host's own use is cut at its capacity. Memory follows the trace from here.
  HostSample sample(const Loads& loads, Duration since_start, const Timing& timing);

 private:
  Status move(const VmId& vm, const char* step, unsigned allowed, CopyState next);

  Resources capacity_;
  Resources base_;
  std::map<VmId, Copy> copies_;
};

}  // namespace ballast::hypermodel
