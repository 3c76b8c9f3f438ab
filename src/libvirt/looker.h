// Takes samples: on its own lane, one after the other, as slowly as libvirt answers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ballast/libvirt/hypervisor.h"
#include "census.h"
#include "connection.h"
#include "description.h"
#include "host_files.h"
#include "lane.h"
#include "meter.h"
#include "storage.h"

namespace ballast::libvirt {

class Looker {
 public:
  Looker(const Options& options, Census& census);

  // Waits where two looks would be too close together, or something has only just come.
  Result<HostSample> sample(Connection& connection, Lane::Life& life);

  // The UUID of the next VM whose dirty rate is to be measured, of those that may be moved: one a
  // sample, in turn, as the figure is for plans and changes slowly. Empty: of none.
  std::string next_to_measure(const HostSample& sample);

  // Of the last sample: the disks of each VM that can move for all that is known without asking its
  // QEMU, by UUID; and what is found of block jobs there, for the samples to come.
  std::map<std::string, std::vector<std::string>> disks() const;
  void set_block_jobs(std::map<std::string, std::string> jobs) { block_jobs_ = std::move(jobs); }

  // Of the last sample: the VMs that libvirt moves only if it is forced to.
  std::set<VmId> forced() const;

  // Of the last sample: what this VM's description says; null where none could be had.
  const Description* described(const VmId& vm) const;
  // From afar: what cannot be told of this host, and what stands for it.
  std::vector<std::string> missing() const;

  // Of the last sample: how long libvirt took for it, and the host's pressure.
  std::map<std::string, std::uint64_t> gauges() const { return gauges_; }

 private:
  void set_gauges(const Look& look, double took_s);
  Result<HostCounters> counters(Connection& connection);
  Result<Look> look(Connection& connection, Lane::Life& life);
  void look_around(Connection& connection);
  Status find_shape(Connection& connection);
  void describe_all(Connection& connection, const Look& look);

  const Options options_;
  Census& census_;
  HostFiles files_;
  Storage storage_;
  Meter meter_;
  std::optional<HostShape> shape_;
  std::map<std::string, Description> described_;  // by UUID
  std::map<std::string, std::uint64_t> gauges_;
  std::map<std::string, std::string> descriptions_;  // of the last look, XML by UUID
  std::map<std::string, VmId> ids_;                  // of the last look, by UUID
  std::map<std::string, std::string> block_jobs_;    // UUID to disk
  std::string environment_;
  std::string measured_last_;  // UUID
  // From afar alone:
  HostCounters last_told_;
  bool tells_cpu_ = true;
  bool tells_memory_ = true;
  bool clock_is_of_now_ = false;
  std::set<std::string> unseen_folders_;  // of disks that may be shared or not
};

}  // namespace ballast::libvirt
