// Writes `ballast-snapshot/1`, as files/snapshot_reader.h reads it: a host, a VM, a rule a line.
#pragma once

#include <string>
#include <vector>

#include "ballast/model/snapshot.h"

namespace ballast::files {

// `snapshot` satisfies check(); its thresholds are written where they are not the defaults. `notes`
// are for people who read the file.
std::string snapshot_json(const Snapshot& snapshot, const std::vector<std::string>& notes);

}  // namespace ballast::files
