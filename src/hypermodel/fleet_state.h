// What a fleet consists of, for the three files that work on it: fleet.cpp (commands and the way of
// a migration through its phases), fleet_faults.cpp (what breaks, and how doubt is settled) and
// fleet_audit.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ballast/hypermodel/fleet.h"
#include "ballast/hypermodel/precopy.h"

namespace ballast::hypermodel {

// One migration, from StartMigration until both ends agree where the VM is.
struct Job {
  enum class Stage : unsigned char { begin, prepare, perform, finish, confirm, doubt };

  std::uint64_t number = 0;
  LeaseId lease;
  VmId vm;
  HostIndex from = 0;
  HostIndex to = 0;
  Stage stage = Stage::begin;
  TimePoint due = time_never;       // of the stage
  TimePoint gives_up = time_never;  // of a copy that takes too long
  TimePoint cut_noticed = time_never;
  double bandwidth_limit_mib_s = 0;  // 0: none

  // In perform:
  Precopy copy{0, 0, Duration::zero()};
  double rate_mib_s = 0;
  TimePoint copied_until;
};

struct HostState {
  HostModel model;
  bool up = true;
  bool daemon_up = true;
  bool refuses_all = false;
  bool overfull_by_trace = false;
  std::set<VmId> refused;
  std::vector<std::uint64_t> sending;  // jobs in perform
  std::vector<std::uint64_t> receiving;

  bool answers() const { return up && daemon_up; }
};

struct Fleet::State {
  State(std::shared_ptr<const Trace> trace, const Timing& timing, TimePoint started);

  // fleet.cpp
  void advance(TimePoint until);
  void command(HostIndex host, const HypervisorCommand& command);
  void start(HostIndex host, const StartMigration& order);
  void abort(HostIndex host, const VmId& vm);
  void fire(Job& job);
  void enter(Job& job, Job::Stage stage);
  void start_copy(Job& job);
  void stop_copy(Job& job);
  void continue_copy(Job& job);
  void share_bandwidth(HostIndex host);
  void settle(Job& job);
  void fail(Job& job, const std::string& why);  // the VM runs on at its source
  void end(Job& job);
  void tell_ended(const Job& job, bool ok, const std::string& detail);
  void schedule(Job& job, TimePoint due);
  void touch(const Job& job);
  TimePoint wakes(const Job& job) const { return std::min(job.due, job.cut_noticed); }

  // fleet_lives.cpp
  void await_lives();
  void live(VmIndex vm);
  void start_vm(VmIndex vm);
  void end_vm(VmIndex vm);
  void follow_trace(HostIndex host);
  TimePoint begin_of(std::size_t interval) const;

  // fleet_faults.cpp
  void inject(Job& job);  // may end the job
  bool in_contact(const Job& job) const;
  bool link_is_up(HostIndex a, HostIndex b) const;
  void check_contact(Job& job);
  void lose_contact(Job& job, const std::string& why);
  void ask(Job& job);
  bool held_elsewhere(const VmId& vm, HostIndex host) const;
  std::optional<HostIndex> running_at(const VmId& vm) const;
  void guest_shuts_down(const VmId& vm);
  void guest_suspends(const VmId& vm, bool suspended);
  void guest_hangs(const VmId& vm, bool hangs);
  void host_refuses(const HostRefuses& refusal);
  void host_fails(HostIndex host);
  void host_returns(HostIndex host);
  void daemon_fails(HostIndex host);
  void link_fails(HostIndex a, HostIndex b);
  void link_returns(HostIndex a, HostIndex b);
  std::vector<std::uint64_t> jobs_at(HostIndex host) const;
  std::vector<std::uint64_t> jobs_between(HostIndex a, HostIndex b) const;

  Timing timing;
  Loads loads;
  TimePoint started;
  TimePoint now;
  std::vector<HostState> hosts;
  std::map<std::string, HostIndex> host_by_uri;
  std::map<std::uint64_t, Job> jobs;
  std::map<VmId, std::uint64_t> job_of_vm;
  std::set<std::pair<TimePoint, std::uint64_t>> deadlines;
  std::set<std::pair<HostIndex, HostIndex>> cut_links;  // lower index first
  std::map<VmId, MigrationFails> armed;
  std::set<VmId> died;
  std::set<VmId> shut_down;
  std::set<std::pair<TimePoint, VmIndex>> lives;  // when a VM of the trace starts, or ends, next
  std::set<VmId> absent;                          // not started yet, or ended
  std::vector<FleetEvent> events;
  std::vector<HostIndex> touched;
  std::uint64_t last_number = 0;
  bool loads_vary = false;  // a sample may then change what memory a host holds
};

// A step that the model itself has checked before: if it fails the model is wrong.
void must(const Status& status);

}  // namespace ballast::hypermodel
