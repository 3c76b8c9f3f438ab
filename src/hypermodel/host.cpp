#include "ballast/hypermodel/host.h"

#include <algorithm>

#include "ballast/base/assert.h"

namespace ballast::hypermodel {
namespace {

constexpr unsigned bit(CopyState state) { return 1U << static_cast<unsigned>(state); }

constexpr unsigned standing =
    bit(CopyState::handed_over) | bit(CopyState::in_doubt) | bit(CopyState::leftover);

Error wrong_state(const VmId& vm, const char* step, const char* found) {
  return {std::string(step) + " of VM " + quoted(vm.str()) + ": it is " + found + " here"};
}

}  // namespace

const char* name_of(CopyState state) {
  switch (state) {
    case CopyState::running: return "running";
    case CopyState::outgoing: return "outgoing";
    case CopyState::handed_over: return "handed over";
    case CopyState::in_doubt: return "in doubt";
    case CopyState::leftover: return "left over";
    case CopyState::incoming: return "incoming";
  }
  return "?";
}

Presence presence_of(CopyState state) {
  switch (state) {
    case CopyState::running: return Presence::running;
    case CopyState::outgoing:
    case CopyState::handed_over: return Presence::outgoing;
    case CopyState::in_doubt: return Presence::unknown;
    case CopyState::leftover: return Presence::paused;
    case CopyState::incoming: return Presence::incoming;
  }
  return Presence::unknown;
}

Presence presence_of(const Copy& copy) {
  if (copy.hangs) return Presence::unknown;
  return copy.suspended && copy.state == CopyState::running ? Presence::paused
                                                            : presence_of(copy.state);
}

const Copy* HostModel::find(const VmId& vm) const {
  const auto found = copies_.find(vm);
  return found == copies_.end() ? nullptr : &found->second;
}

Presence HostModel::presence(const VmId& vm) const {
  const Copy* copy = find(vm);
  return copy == nullptr ? Presence::absent : presence_of(*copy);
}

double HostModel::memory_used_mib() const {
  double used = base_.memory_mib;
  for (const auto& [vm, copy] : copies_) used += copy.memory_mib;
  return used;
}

double HostModel::memory_free_mib() const {
  return std::max(0.0, capacity_.memory_mib - memory_used_mib());
}

void HostModel::place(const VmId& vm, const Copy& copy) {
  const bool added = copies_.emplace(vm, copy).second;
  BALLAST_ASSERT(added, "a VM placed twice on one host");
}

Status HostModel::move(const VmId& vm, const char* step, unsigned allowed, CopyState next) {
  const auto found = copies_.find(vm);
  if (found == copies_.end()) return wrong_state(vm, step, "absent");
  if ((allowed & bit(found->second.state)) == 0)
    return wrong_state(vm, step, name_of(found->second.state));
  found->second.state = next;
  return {};
}

Status HostModel::suspend(const VmId& vm, bool suspended) {
  const auto found = copies_.find(vm);
  if (found == copies_.end()) return wrong_state(vm, "suspending", "absent");
  if (!runs(found->second.state) || found->second.unconfirmed)
    return wrong_state(vm, "suspending", name_of(found->second.state));
  found->second.suspended = suspended;
  return {};
}

Status HostModel::hang(const VmId& vm) {
  const auto found = copies_.find(vm);
  if (found == copies_.end()) return wrong_state(vm, "hanging", "absent");
  if (found->second.state != CopyState::running || found->second.unconfirmed)
    return wrong_state(vm, "hanging", name_of(found->second.state));
  found->second.hangs = true;
  return {};
}

void HostModel::answer_again(const VmId& vm) {
  if (const auto found = copies_.find(vm); found != copies_.end()) found->second.hangs = false;
}

void HostModel::let_go_on(const VmId& vm) {
  if (const auto found = copies_.find(vm); found != copies_.end()) found->second.suspended = false;
}

void HostModel::set_autostart(const VmId& vm, bool autostart) {
  if (const auto found = copies_.find(vm); found != copies_.end())
    found->second.autostart = autostart;
}

Status HostModel::shut_down(const VmId& vm) {
  const auto found = copies_.find(vm);
  if (found == copies_.end()) return wrong_state(vm, "shutdown", "absent");
  if (found->second.state != CopyState::running || found->second.unconfirmed)
    return wrong_state(vm, "shutdown", name_of(found->second.state));
  copies_.erase(found);
  return {};
}

Status HostModel::begin(const VmId& vm, const std::string& peer, const std::string& token) {
  const auto found = copies_.find(vm);
  if (found != copies_.end() && found->second.unconfirmed)
    return Error{"begin of VM " + quoted(vm.str()) + ": its arrival from " +
                 quoted(found->second.peer) + " is not confirmed yet"};
  if (found != copies_.end() && found->second.hangs)
    return Error{"begin of VM " + quoted(vm.str()) + ": its QEMU does not answer"};
  if (Status moved = move(vm, "begin", bit(CopyState::running), CopyState::outgoing); !moved)
    return moved;
  found->second.peer = peer;
  found->second.token = token;
  return {};
}

Status HostModel::hand_over(const VmId& vm) {
  return move(vm, "hand-over", bit(CopyState::outgoing), CopyState::handed_over);
}

Status HostModel::name_peer(const VmId& vm, const std::string& peer) {
  const auto found = copies_.find(vm);
  if (found == copies_.end()) return wrong_state(vm, "naming a peer", "absent");
  found->second.peer = peer;
  return {};
}

Status HostModel::doubt(const VmId& vm) { return move(vm, "doubt", standing, CopyState::in_doubt); }

Status HostModel::leave_over(const VmId& vm) {
  return move(vm, "leaving over", standing, CopyState::leftover);
}

Status HostModel::roll_back(const VmId& vm) {
  const unsigned allowed = bit(CopyState::outgoing) | standing;
  if (Status moved = move(vm, "roll-back", allowed, CopyState::running); !moved) return moved;
  Copy& copy = copies_.at(vm);
  copy.peer.clear();
  copy.token.clear();
  return {};
}

Status HostModel::remove(const VmId& vm) {
  if (Status moved = move(vm, "removal", standing, CopyState::leftover); !moved) return moved;
  copies_.erase(vm);
  return {};
}

Status HostModel::prepare(const VmId& vm, double memory_mib, bool refuse_overcommit,
                          const std::string& peer, const std::string& token) {
  if (const Copy* here = find(vm); here != nullptr)
    return wrong_state(vm, "prepare", name_of(here->state));
  if (refuse_overcommit && memory_mib > memory_free_mib())
    return Error{"prepare of VM " + quoted(vm.str()) + ": it needs " + std::to_string(memory_mib) +
                 " MiB, " + std::to_string(memory_free_mib()) + " MiB are free"};
  copies_.emplace(vm, Copy{CopyState::incoming, memory_mib, false, peer, token});
  return {};
}

Status HostModel::finish(const VmId& vm, bool suspended) {
  Status moved = move(vm, "finish", bit(CopyState::incoming), CopyState::running);
  if (!moved) return moved;
  copies_.at(vm).unconfirmed = true;
  copies_.at(vm).suspended = suspended;
  return moved;
}

Status HostModel::drop(const VmId& vm) {
  Status moved = move(vm, "drop", bit(CopyState::incoming), CopyState::incoming);
  if (moved) copies_.erase(vm);
  return moved;
}

Status HostModel::confirm(const VmId& vm) {
  Status moved = move(vm, "confirm", bit(CopyState::running), CopyState::running);
  if (!moved) return moved;
  Copy& copy = copies_.at(vm);
  copy.unconfirmed = false;
  copy.peer.clear();
  copy.token.clear();
  return {};
}

void HostModel::follow(const Loads& loads, std::size_t interval) {
  for (auto& [vm, copy] : copies_) {
    if (!copy.loads.index) copy.loads.index = loads.find(vm);
    if (copy.loads.index && runs(copy.state) && !copy.hangs)
      copy.memory_mib = loads.load(*copy.loads.index, interval).memory_mib;
  }
}

HostSample HostModel::sample(const Loads& loads, Duration since_start, const Timing& timing) {
  HostSample sample;
  sample.capacity = capacity_;
  sample.base = base_;
  sample.vms.reserve(copies_.size());
  double cpu_mhz = base_.cpu_mhz;
  const std::size_t interval = loads.interval_at(since_start);
  for (auto& [vm, copy] : copies_) {
    if (!copy.loads.index) copy.loads.index = loads.find(vm);
    const Resources load = copy.loads.index ? loads.load(*copy.loads.index, interval)
                                            : Resources{0, copy.memory_mib, 0};
    VmSample look;
    look.id = vm;
    look.presence = presence_of(copy);
    look.load = {0, copy.memory_mib, 0};
    if (runs(copy.state) && !copy.hangs) {
      copy.memory_mib = load.memory_mib;
      look.load = copy.suspended ? Resources{0, load.memory_mib, 0} : load;
      look.dirty_rate_mib_s = look.load.cpu_mhz / 1000 * timing.dirty_mib_s_per_ghz;
      cpu_mhz += look.load.cpu_mhz;
    }
    look.autostart = copy.autostart;
    if (copy.loads.index && !loads.trace().vms[*copy.loads.index].stays.empty()) {
      look.movable = false;
      look.immovable_reason = loads.trace().vms[*copy.loads.index].stays;
    }
    if (copy.hangs) {
      look.movable = false;
      look.immovable_reason = "its QEMU does not answer";
    }
    if (copy.unconfirmed) {
      look.movable = false;
      look.immovable_reason = "its arrival is not confirmed by its source yet";
    }
    sample.vms.push_back(std::move(look));
  }
  sample.cpu_used_mhz = std::min(cpu_mhz, capacity_.cpu_mhz);
  sample.memory_free_mib = memory_free_mib();
  return sample;
}

}  // namespace ballast::hypermodel
