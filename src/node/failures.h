// What migrations failed at, as a master remembers it, and for how long that keeps it from trying
// the same again.
//
//   what failed                          what rests
//   a VM at a target                     that VM for that target; other targets are tried at once
//   a VM at three targets                that VM, whatever the target
//   three VMs at a target                that target, for every VM: 5 minutes after each of them
//   a VM that took longer than allowed   that VM: it would most likely take as long elsewhere
//   any VM between two hosts (no way,    that target for every VM of that source
//   no certificate, no common version)
//
// A rest is 10 minutes the first time and twice as long each time after, up to a day. Where nothing
// was started (a target that said no, or did not answer) it is shorter and sooner forgotten. It
// ends early when the environment of either host changes, when an operator asks for it (`retry`, a
// drain that is ordered anew), and with a success. Source: design, "what failed is remembered";
// issue "What failed is remembered".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/hypervisor.h"
#include "ballast/node/view.h"

namespace ballast::node {

class Failures {
 public:
  // `refused_rest`: the first rest where nothing was started.
  explicit Failures(Duration refused_rest) : refused_rest_(refused_rest) {}
  void set_refused_rest(Duration refused_rest) { refused_rest_ = refused_rest; }

  struct Failure {
    VmId vm;
    HostId from;
    HostId to;
    std::string reason;     // the hypervisor's own, where it gave one
    bool started = false;   // else it was refused, or not answered
    bool too_slow = false;  // it took longer than allowed
    FaultOf fault = FaultOf::vm;
  };
  // What an operator should hear of: nothing, or one line.
  std::string failed(TimePoint now, const Failure& failure);
  void arrived(const VmId& vm, const HostId& from, const HostId& to);

  // Something about this host is not as it was: what failed there or from there may go well now.
  void changed(const HostId& host);
  // This host can be reached again: what met any VM to or from it may be over.
  void reachable(const HostId& host);
  // Everything about this VM, and about the pairs of hosts from `host`, may be tried again. The
  // number of rests that end by that.
  std::size_t retry(TimePoint now, const VmId& vm, const HostId& host);
  void tidy(TimePoint now);

  // Targets that this VM of that host is not to be sent to now.
  std::set<HostId> not_to(TimePoint now, const VmId& vm, const HostId& from) const;
  bool rests(TimePoint now, const VmId& vm) const;     // whatever the target
  Duration left(TimePoint now, const VmId& vm) const;  // of that; 0: it does not rest
  bool rests(TimePoint now, const VmId& vm, const HostId& from, const HostId& to) const;
  // Why this VM of that host cannot go where it would, in words, at most
  // limits::text_bytes_max; empty when nothing is known.
  std::string why(TimePoint now, const VmId& vm, const HostId& from) const;
  // What rests now, at most limits::failures_shown_max of it.
  std::vector<FailureView> views(TimePoint now) const;

 private:
  struct Rest {
    TimePoint until;
    TimePoint forgotten_at;
    Duration span{0};
    std::uint32_t times = 0;
    std::string reason;
    HostId from;
    bool started = false;
  };
  using Pair = std::pair<HostId, HostId>;  // from, to
  struct OfVm {
    std::map<HostId, Rest> targets;
    std::optional<Rest> own;
  };

  void extend(TimePoint now, Rest& rest, const Failure& failure) const;
  std::string note_target(TimePoint now, const Failure& failure);
  void make_place(const VmId& vm);

  Duration refused_rest_;
  std::map<VmId, OfVm> vms_;
  std::map<Pair, Rest> pairs_;
  // Where VMs failed since the last that went well there; with so many of them it rests.
  struct OfTarget {
    std::set<VmId> vms;
    Rest rest;
  };
  std::map<HostId, OfTarget> targets_;
};

}  // namespace ballast::node
