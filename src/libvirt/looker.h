// Takes samples: on its own lane, one after the other, as slowly as libvirt answers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ballast/libvirt/hypervisor.h"
#include "connection.h"
#include "description.h"
#include "host_files.h"
#include "lane.h"
#include "meter.h"
#include "storage.h"

namespace ballast::libvirt {

class Looker {
 public:
  explicit Looker(const Options& options);

  // Waits where two looks would be too close together, or something has only just come.
  Result<HostSample> sample(Connection& connection, Lane::Life& life);

  // Of the last sample: how long libvirt took for it, and the host's pressure.
  std::map<std::string, std::uint64_t> gauges() const { return gauges_; }

 private:
  void measure_dirty_rate(Connection& connection, const HostSample& sample, const Look& look);
  void set_gauges(const Look& look, double took_s);
  Result<Look> look(Connection& connection) const;
  Status find_shape(Connection& connection);
  void describe_all(Connection& connection, const Look& look);

  const Options options_;
  HostFiles files_;
  Storage storage_;
  Meter meter_;
  std::optional<HostShape> shape_;
  std::map<std::string, Description> described_;  // by UUID
  std::map<std::string, std::uint64_t> gauges_;
  std::string measured_last_;  // UUID
};

}  // namespace ballast::libvirt
