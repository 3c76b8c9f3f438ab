// Takes samples: on its own lane, one after the other, as slowly as libvirt answers.
#pragma once

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

 private:
  Result<Look> look(Connection& connection) const;
  Status find_shape(Connection& connection);
  void describe_all(Connection& connection, const Look& look);

  const Options options_;
  HostFiles files_;
  Storage storage_;
  Meter meter_;
  std::optional<HostShape> shape_;
  std::map<std::string, Description> described_;  // by UUID
};

}  // namespace ballast::libvirt
