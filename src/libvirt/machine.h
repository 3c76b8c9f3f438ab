// The lanes of one adapter and what they share. Work holds it: whatever is still under way when the
// node has stopped finds all that it touches.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "ballast/libvirt/hypervisor.h"
#include "census.h"
#include "lane.h"
#include "line.h"
#include "looker.h"
#include "mailbox.h"

namespace ballast::libvirt {

class Machine : public std::enable_shared_from_this<Machine> {
 public:
  Machine(const Options& options, std::shared_ptr<Connector> connector);

  void submit(const HypervisorCommand& command);
  std::map<std::string, std::uint64_t> counters() const;
  Mailbox& mailbox() { return mailbox_; }
  const Options& options() const { return options_; }
  // Nothing new begins; waits a moment for what is under way.
  static void end(const std::shared_ptr<Machine>& machine);

 private:
  void on(const SampleHost& command);
  void on(const QueryVm& command);
  void on(const StartMigration& command);
  void on(const AbortMigration& command);
  void on(const SetAutostart& command);

  void take_sample(Lane::Life& life);
  void ask(const VmId& vm);
  void migrate(const StartMigration& command);
  std::optional<MigrationProblem> why_not_migrated(const StartMigration& command);
  void measure_dirty_rate(const std::string& uuid);
  void ask_for_block_jobs(std::map<std::string, std::vector<std::string>> disks);
  void abort(const VmId& vm);
  void heard_of(const std::string& name);

  const Options options_;
  const std::shared_ptr<Connector> connector_;
  Mailbox mailbox_;
  Line looking_;
  Line measuring_;
  Census census_;
  Line asking_;
  Looker looker_;
  Lane looks_;
  Lane questions_;
  Lane moves_;
  Lane measures_;

  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counters_;
  std::map<std::string, std::string> block_jobs_;  // UUID to disk
  bool asks_for_block_jobs_ = false;
  std::set<VmId> forced_;      // of the last sample, see Looker
  std::set<VmId> asked_;       // questions that wait
  std::set<VmId> starting_;    // migrations that are not in libvirt's hands yet
  std::set<VmId> called_off_;  // ... and were aborted
};

}  // namespace ballast::libvirt
